"""The development photos: archives in a folder that the caller names.

They may not be passed on, so they are no part of the project, and it works without them.
"""

import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final, Literal

from areyouacat.settings import LABELS
from benchmarks.figures import BenchmarkError, Context

Split = Literal["train", "test"]


@dataclass(frozen=True, slots=True)
class Archive:
    """A zip file with `<split>/<label>/<photo>` in it."""

    file: str
    about: str


CATS_AND_DOGS: Final = Archive(
    "kaggle_catsdogs_10000_short160.zip",
    "Kaggle's cats and dogs, short side 160 px: 8,000 to train with and 2,000 to test with",
)
VARIED: Final = Archive(
    "varied_not_cats_500_short256.zip",
    "498 different things that are no cat, short side 256 px: 374 to train with, 124 to test with",
)


@dataclass(frozen=True, slots=True)
class LabelledPhoto:
    """A photo's name in its archive, its label and its bytes."""

    name: str
    label: str
    data: bytes


def photos(
    context: Context, archive: Archive, split: Split, most: int | None = None
) -> list[LabelledPhoto]:
    """The photos of a split in the order of their names; `most`: so many, evenly from all labels.

    Raises BenchmarkError if the archive is not there.
    """
    with zipfile.ZipFile(_find(context, archive)) as opened:
        names = sorted(_names(opened, split))
        if most is not None:
            names = _some(names, most)
        return [LabelledPhoto(name, _label(name), opened.read(name)) for name in names]


def write_folder(folder: Path, found: list[LabelledPhoto]) -> Path:
    """Photos as `<label>/<photo>`, as seeding takes them; gives the folder."""
    for photo in found:
        file = folder / photo.label / PurePosixPath(photo.name).name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(photo.data)
    return folder


def _find(context: Context, archive: Archive) -> Path:
    if context.data is None:
        raise BenchmarkError(
            f"it needs the development photos ({archive.about}). Say where {archive.file} is: "
            "make bench BENCH_DATA=<folder>"
        )
    file = context.data / archive.file
    if not file.is_file():
        raise BenchmarkError(f"{context.data} holds no {archive.file} ({archive.about})")
    return file


def _names(opened: zipfile.ZipFile, split: Split) -> Iterator[str]:
    for name in opened.namelist():
        parts = PurePosixPath(name).parts
        if len(parts) == 3 and parts[0] == split and parts[1] in LABELS.all:
            yield name


def _some(names: list[str], most: int) -> list[str]:
    """So many at even distances, so that each label keeps its share."""
    most = min(most, len(names))
    return [names[place * len(names) // most] for place in range(most)]


def _label(name: str) -> str:
    return PurePosixPath(name).parts[1]
