"""Which files of a folder are new or have changed, while others write to it."""

import os
import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from local_cloud.sagemaker.disk import words

# File systems count time in ticks of some milliseconds: what changed less than this ago may change
# again and look the same.
_TICK_NS = 50_000_000

_Version = tuple[int, int, int, int]


@dataclass(frozen=True)
class ChangedFile:
    """A file, and its path in the folder, with slashes. `version` changes with its content."""

    file: Path
    path: str
    version: _Version | None


@dataclass
class Changes:
    """What a look at the folder finds.

    `unread`: what the system does not let be read, in its words. `left_out`: paths of links that
    lead to no file in the folder, and of pipes, sockets and devices.
    """

    files: list[ChangedFile] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)


class WatchedFolder:
    """A folder, and what is known of its files. `done` may be called from any thread."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._root = folder.resolve()
        self._done: dict[str, _Version | None] = {}

    def changes(self) -> Changes:
        """The files that are not `done`, or have changed since they were."""
        changes = Changes()
        for file in self._entries(changes):
            try:
                self._look(file, changes)
            except OSError as error:
                if file.is_symlink():
                    # It leads nowhere, or in circles.
                    changes.left_out.append(self._path(file))
                elif not isinstance(error, FileNotFoundError):
                    changes.unread.append(words(error))
        return changes

    def done(self, changed: ChangedFile) -> None:
        """Do not return this file again unless it changes."""
        if changed.version:
            self._done[changed.path] = changed.version

    def _entries(self, changes: Changes) -> Iterator[Path]:
        def unread(error: OSError) -> None:
            if not isinstance(error, FileNotFoundError):
                changes.unread.append(words(error))

        for parent, folders, names in os.walk(self._folder, onerror=unread):
            yield from (Path(parent, name) for name in names)
            # Links to folders are among the folders, though `walk` does not enter them.
            yield from (path for name in folders if (path := Path(parent, name)).is_symlink())

    def _look(self, file: Path, changes: Changes) -> None:
        path = self._path(file)
        now = time.time_ns()
        found = file.stat()
        if not stat.S_ISREG(found.st_mode) or not self._holds(file):
            changes.left_out.append(path)
            return
        version = (found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino)
        if self._done.get(path) != version:
            settled = now - found.st_ctime_ns > _TICK_NS
            changes.files.append(ChangedFile(file, path, version if settled else None))

    def _path(self, file: Path) -> str:
        return file.relative_to(self._folder).as_posix()

    def _holds(self, file: Path) -> bool:
        return Path(os.path.realpath(file)).is_relative_to(self._root)
