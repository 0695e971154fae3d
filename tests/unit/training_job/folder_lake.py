"""The lake's protocol on a folder; remembers what was read."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

from areyouacat.lake import photo_key
from training_job.lake_store import ObjectMissingError


class FolderLake:
    """Objects are files; `reads` are the keys in the order in which they were read."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.reads: list[str] = []

    def list_keys(self, prefix: str) -> Iterator[str]:
        found = (path for path in self.root.rglob("*") if path.is_file())
        keys = sorted(path.relative_to(self.root).as_posix() for path in found)
        yield from (key for key in keys if key.startswith(prefix))

    def read(self, key: str) -> bytes:
        self.reads.append(key)
        try:
            return (self.root / key).read_bytes()
        except FileNotFoundError as error:
            raise ObjectMissingError(key) from error

    def write(self, key: str, data: bytes) -> None:
        path = self.root / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)

    def add_photo(self, data: bytes) -> str:
        photo = hashlib.sha256(data).hexdigest()
        self.write(photo_key(photo), data)
        return photo
