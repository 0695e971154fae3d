"""A backup's folder: contents under their hashes, and a manifest that names them all.

    manifest.json           written last; without it there is no backup
    contents/<aa>/<sha256>  objects, tables' parts and the list of objects, each content once
    journal.jsonl           what an unfinished backup has fetched so far

A folder is one backup. To bring it up to date is to fetch what is new, put the new manifest in the
place of the old one and then remove what the new one does not name; so a run that is cut short
leaves the old backup whole.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, Final

SCHEMA: Final = 1
MANIFEST: Final = "manifest.json"
JOURNAL: Final = "journal.jsonl"
_CONTENTS: Final = "contents"
_VERIFIERS: Final = 4  # threads; hashing lets the others run


class BackupError(Exception):
    """A folder is no whole backup, or not the one that is meant; the message names the remedy."""


@dataclass(frozen=True, slots=True)
class Content:
    """Some bytes by their SHA-256 (64 hex digits). `size`: in bytes."""

    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object of the lake. `etag`: S3's, quotes removed. `modified`: ISO 8601."""

    key: str
    etag: str
    content: Content
    content_type: str
    tags: Mapping[str, str]
    modified: str


@dataclass(frozen=True, slots=True)
class StoredTable:
    """A table's items, in parts of gzip-compressed JSON lines."""

    items: int
    parts: tuple[Content, ...]


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup holds.

    `taken_at`: when it began, ISO 8601. `lake_bucket`: whose backup this is. `size`: bytes of all
    objects. `listing`: the content that lists the objects. `registry`: MLflow's database, if any.
    """

    taken_at: str
    lake_bucket: str
    objects: int
    size: int
    listing: Content
    tables: Mapping[str, StoredTable]
    registry: Content | None
    schema: int = field(default=SCHEMA)

    def contents(self) -> Iterator[Content]:
        """Everything it names itself; the listing names the rest."""
        yield self.listing
        for table in self.tables.values():
            yield from table.parts
        if self.registry:
            yield self.registry


class BackupFolder:
    """Reads and writes one folder; threads may share it."""

    def __init__(self, path: Path) -> None:
        """Nothing is touched yet."""
        self.path = path

    def prepare(self) -> None:
        """Make the folder, for its owner alone: it will hold people's photos.

        Raises:
            BackupError: it holds something else.
        """
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        strangers = {found.name for found in self.path.iterdir()} - {MANIFEST, JOURNAL, _CONTENTS}
        if strangers:
            raise BackupError(
                f"{self.path} holds something else than a backup ({min(strangers)}). "
                "Name a new folder."
            )
        (self.path / _CONTENTS).mkdir(exist_ok=True)

    def manifest(self) -> Manifest | None:
        """The manifest, or None if there is none.

        Raises:
            BackupError: it cannot be read, or another version of this program wrote it.
        """
        try:
            found = json.loads((self.path / MANIFEST).read_text(encoding="utf-8"))
            if found["schema"] != SCHEMA:
                raise BackupError(
                    f"{self.path} has schema {found['schema']}; this version reads {SCHEMA}. "
                    "Restore it with the version that wrote it."
                )
            return _manifest(found)
        except FileNotFoundError:
            return None
        except (ValueError, LookupError, TypeError) as error:
            raise BackupError(f"{self.path / MANIFEST} is damaged: {error!r}.") from error

    def objects(self, manifest: Manifest) -> list[StoredObject]:
        """The objects that a manifest lists.

        Raises:
            BackupError: the list is damaged.
        """
        try:
            with self.file(manifest.listing).open("rb") as lines:
                return [object_of(line) for line in lines]
        except (OSError, ValueError, LookupError, TypeError) as error:
            raise BackupError(
                f"{self.path} is damaged: its list of objects cannot be read ({error!r}). "
                "Use another backup."
            ) from error

    def write_manifest(self, manifest: Manifest) -> None:
        """Put the manifest in the place of an earlier one, whole or not at all."""
        with NamedTemporaryFile("w", dir=self.path / _CONTENTS, delete=False) as file:
            json.dump(asdict(manifest), file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        Path(file.name).replace(self.path / MANIFEST)

    def keep(self, chunks: Iterable[bytes]) -> Content:
        """Store some bytes under their hash."""
        digest, size = hashlib.sha256(), 0
        with NamedTemporaryFile(dir=self.path / _CONTENTS, delete=False) as file:
            for chunk in chunks:
                digest.update(chunk)
                size += file.write(chunk)
        content = Content(digest.hexdigest(), size)
        place = self.file(content)
        place.parent.mkdir(exist_ok=True)
        Path(file.name).replace(place)
        return content

    def file(self, content: Content) -> Path:
        """Where a content is."""
        return self.path / _CONTENTS / content.sha256[:2] / content.sha256

    def has(self, content: Content) -> bool:
        """Whether a content is there in its size; `damaged` looks closer."""
        try:
            return self.file(content).stat().st_size == content.size
        except FileNotFoundError:
            return False

    def damaged(self, contents: Iterable[Content]) -> list[Path]:
        """The files whose bytes are not what their names promise, missing ones included."""
        wanted = sorted(set(contents), key=lambda content: content.sha256)
        with ThreadPoolExecutor(_VERIFIERS) as pool:
            sound = pool.map(self._is_sound, wanted)
            return [self.file(content) for content, ok in zip(wanted, sound, strict=True) if not ok]

    def remove_others(self, named: Iterable[Content]) -> None:
        """Remove the contents that are not named, and the journal."""
        kept = {content.sha256 for content in named}
        for file in (self.path / _CONTENTS).rglob("*"):
            if file.is_file() and file.name not in kept:
                file.unlink()
        (self.path / JOURNAL).unlink(missing_ok=True)

    def _is_sound(self, content: Content) -> bool:
        if not self.has(content):
            return False
        with self.file(content).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == content.sha256


def object_line(stored: StoredObject) -> bytes:
    """An object as a line of JSON."""
    return json.dumps(asdict(stored), separators=(",", ":")).encode() + b"\n"


def object_of(line: bytes | str) -> StoredObject:
    """The object that `object_line` wrote.

    Raises:
        ValueError, LookupError, TypeError: it did not.
    """
    found = json.loads(line)
    return StoredObject(**{**found, "content": Content(**found["content"])})


def _manifest(found: dict[str, Any]) -> Manifest:
    tables = {
        name: StoredTable(table["items"], tuple(Content(**part) for part in table["parts"]))
        for name, table in found["tables"].items()
    }
    return Manifest(
        **{
            **found,
            "listing": Content(**found["listing"]),
            "tables": tables,
            "registry": Content(**found["registry"]) if found["registry"] else None,
        }
    )
