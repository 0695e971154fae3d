"""Labelled photos on disk: a folder or zip archive with `.../<label>/*` inside.

A photo's label is the nearest enclosing folder that bears a label's name. Files are listed by name
only and read one at a time, so any number of them takes little memory.
"""

from __future__ import annotations

import os
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Protocol

from training_job.labelled_photos import (
    Found,
    LabelledPhoto,
    LabelledPhotos,
    LabelledPhotosError,
    UnreadableFileError,
)

PHOTO_SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".heic"}
)
"""What looks like a photo by its name; used only to notice photos outside label folders."""


class _Files(Protocol):
    def names(self) -> Iterator[str]:
        """All files' paths inside, with `/`, in an order that depends on nothing but them."""

    def read(self, name: str, limit: int) -> bytes:
        """At most `limit` + 1 bytes of a file; safe to call from several threads.

        Raises `UnreadableFileError`.
        """


class _Folder:
    def __init__(self, root: Path) -> None:
        self._root = root

    def names(self) -> Iterator[str]:
        for folder, subfolders, files in os.walk(self._root):
            subfolders.sort()
            for file in sorted(files):
                yield (Path(folder) / file).relative_to(self._root).as_posix()

    def read(self, name: str, limit: int) -> bytes:
        try:
            with (self._root / name).open("rb") as file:
                return file.read(limit + 1)
        except OSError as error:
            raise UnreadableFileError(str(error.strerror or error)) from error


class _Archive:
    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self._opening = threading.Lock()

    def names(self) -> Iterator[str]:
        yield from sorted(
            entry.filename for entry in self._archive.infolist() if not entry.is_dir()
        )

    def read(self, name: str, limit: int) -> bytes:
        try:
            with self._opening:  # several readers may share the archive once they are open
                member = self._archive.open(name)
            with member:
                return member.read(limit + 1)
        # An encrypted member is a RuntimeError, an unknown compression a NotImplementedError.
        except (zipfile.BadZipFile, RuntimeError, OSError, EOFError, ValueError) as error:
            raise UnreadableFileError(str(error)) from error


@contextmanager
def open_photos(path: Path, labels: tuple[str, ...]) -> Iterator[LabelledPhotos]:
    """A folder or a zip archive; raises `LabelledPhotosError` if it is neither."""
    if path.is_dir():
        yield _LabelFolders(_Folder(path), labels)
    elif not path.exists():
        raise LabelledPhotosError(f"There is no {path}.")
    else:
        try:
            archive = zipfile.ZipFile(path)
        except (zipfile.BadZipFile, OSError) as error:
            raise LabelledPhotosError(
                f"{path} is neither a folder nor a readable zip file."
            ) from error
        with archive:
            yield _LabelFolders(_Archive(archive), labels)


class _LabelFolders:
    def __init__(self, files: _Files, labels: tuple[str, ...]) -> None:
        self._files, self._labels = files, labels

    def __iter__(self) -> Iterator[LabelledPhoto]:
        """The files inside folders named like a label; hidden ones are passed over."""
        for name in self._files.names():
            if not _is_hidden(name) and (label := _label(name, self._labels)):
                yield LabelledPhoto(name, label, partial(self._files.read, name))

    def find(self) -> Found:
        """Photos in folders that say nothing about their label are refused: guessing would
        poison the lake.
        """
        counts = dict.fromkeys(self._labels, 0)
        strays: dict[str, int] = {}
        for name in self._files.names():
            if _is_hidden(name):
                continue
            path = PurePosixPath(name)
            if label := _label(name, self._labels):
                counts[label] += 1
            elif path.suffix.lower() in PHOTO_SUFFIXES:
                strays[str(path.parent)] = strays.get(str(path.parent), 0) + 1
        allowed = " or ".join(f"'{label}'" for label in self._labels)
        if strays:
            listed = list(strays.items())[:5]
            folders = ", ".join(f"'{folder}' ({number})" for folder, number in listed)
            raise LabelledPhotosError(
                f"Photos lie outside the label folders: {folders}. Put every photo into a folder "
                f"named {allowed}; other names are not known."
            )
        if not any(counts.values()):
            raise LabelledPhotosError(f"No photos found: they belong into folders named {allowed}.")
        words = ", ".join(f"{number:,} {label}" for label, number in counts.items())
        return Found(sum(counts.values()), words)


def _label(name: str, labels: tuple[str, ...]) -> str | None:
    return next((part for part in reversed(PurePosixPath(name).parts[:-1]) if part in labels), None)


def _is_hidden(name: str) -> bool:
    return any(part.startswith(".") or part == "__MACOSX" for part in PurePosixPath(name).parts)
