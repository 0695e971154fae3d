"""A local cloud that is seeded and trained once, and begins each drill as it was then."""

import hashlib
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from benchmarks.figures import Say
from benchmarks.local_cloud import LocalCloud

_NOT_KEPT: Final = ("run", "logs", "tmp")  # of processes that have ended


class Stage:
    """One folder with the cloud that runs, and the copy of its first state."""

    def __init__(self, folder: Path, say: Say) -> None:
        """`folder`: what it leaves stays there, so that the next drill finds it seeded."""
        self._state, self._first = folder / "cloud", folder / "first"
        self._name_file = folder / "seeded.txt"
        self._cloud = LocalCloud(self._state, say)
        self._say = say

    def prepare(self, write_photos: Callable[[Path], None], name: str) -> None:
        """Seed and train, unless that was done before with photos of the same name.

        `write_photos`: puts them into a folder; always called, since it takes them from the supply.
        """
        with tempfile.TemporaryDirectory() as folder:
            photos = Path(folder)
            write_photos(photos)
            digest = hashlib.sha256(name.encode())
            for photo in sorted(photos.rglob("*.jpg")):
                digest.update(f"{photo.relative_to(photos)} {photo.stat().st_size}\n".encode())
            if self._name_file.exists() and self._name_file.read_text() == digest.hexdigest():
                self._say("The stage is set: seeded and trained before.")
                return
            self._say("Setting the stage: a local cloud, seeding, the first training")
            self._name_file.unlink(missing_ok=True)
            self._forget()
            shutil.rmtree(self._first, ignore_errors=True)
            self._state.mkdir(parents=True)
            try:
                self._cloud.up(starter=False)
                self._cloud.seed(photos, "drill")
                self._cloud.train("the drill's first model")
            finally:
                self._cloud.down()
            shutil.copytree(
                self._state, self._first, symlinks=True, ignore=shutil.ignore_patterns(*_NOT_KEPT)
            )
            self._name_file.write_text(digest.hexdigest())

    @contextmanager
    def cloud(self) -> Iterator[LocalCloud]:
        """The cloud as it was after the first training; stopped in the end."""
        self._forget()
        shutil.copytree(self._first, self._state, symlinks=True)
        try:
            self._cloud.up(starter=False)
            yield self._cloud
        finally:
            self._cloud.down()

    def _forget(self) -> None:
        if self._state.exists():
            self._cloud.down()  # an earlier drill was killed
            shutil.rmtree(self._state)
