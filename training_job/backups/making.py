"""Making a backup, or bringing one up to date.

The pointer is read first and the lake last: models and photos are only ever added, so whatever
pointer and items name is in the backup, though the system is at work meanwhile.
"""

from __future__ import annotations

import fcntl
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from threading import Lock
from typing import BinaryIO, Final

from areyouacat.lake import SERVING_POINTER_KEY, utc_text
from training_job.backups.folder import (
    JOURNAL,
    BackupError,
    BackupFolder,
    Content,
    Manifest,
    StoredObject,
    StoredTable,
    object_line,
    object_of,
)
from training_job.backups.lake import LakeCopier, ListedObject
from training_job.backups.progress import Progress, megabytes
from training_job.backups.registry import database_of
from training_job.backups.tables import PARTS, Packed, TableCopier
from training_job.endpoints import Endpoints

_FETCHERS: Final = 16  # threads
_READ_AT_ONCE: Final = 1 << 20  # bytes
_ENOUGH: Final = 0.5
"""Of what the backup held: with less, the lake is more likely lost than tidied."""

Known = Mapping[str, StoredObject]


class Backup:
    """One run."""

    def __init__(
        self,
        endpoints: Endpoints,
        folder: BackupFolder,
        may_shrink: bool,
        say: Callable[[str], object] = print,
    ) -> None:
        """Makes the folder. `may_shrink`: most of what it holds may leave it.

        Raises:
            BackupError: the folder holds something else, or the backup of another lake.
            UnknownEndpointError: nothing names lake or tables.
        """
        self._bucket = endpoints.require_lake_bucket()
        self._lake = LakeCopier(endpoints.client("s3"), self._bucket)
        dynamodb = endpoints.client("dynamodb")
        self._tables = {
            name: TableCopier(dynamodb, table) for name, table in endpoints.require_tables().items()
        }
        self._registry = database_of(endpoints)
        self._folder, self._may_shrink, self._say = folder, may_shrink, say
        folder.prepare()
        self._before = folder.manifest()
        if self._before and self._before.lake_bucket != self._bucket:
            raise BackupError(
                f"{folder.path} is the backup of another lake, {self._before.lake_bucket}. "
                "Name another folder."
            )

    def run(self) -> Manifest:
        """Fetch what is missing, then write the manifest, then remove what it does not name.

        Raises:
            BackupError: another run is at work on the folder, or too much would leave it.
            RegistryCopyError: MLflow's database cannot be read.
        """
        began = datetime.now(UTC)
        with self._journal() as journal:
            pointer = self._lake.fetch(SERVING_POINTER_KEY, self._folder)
            registry = self._registry_copy()
            tables = {name: self._table(name, table) for name, table in self._tables.items()}
            objects = [*self._objects(journal), *([pointer] if pointer else [])]
            manifest = Manifest(
                taken_at=utc_text(began),
                lake_bucket=self._bucket,
                objects=len(objects),
                size=sum(stored.content.size for stored in objects),
                listing=self._folder.keep(map(object_line, objects)),
                tables=tables,
                registry=registry,
            )
            self._refuse_to_shrink(manifest)
            self._folder.write_manifest(manifest)
            self._folder.remove_others(
                [*manifest.contents(), *(stored.content for stored in objects)]
            )
        seconds = (datetime.now(UTC) - began).total_seconds()
        self._say(
            f"Backed up to {self._folder.path} in {seconds:.1f} s: {manifest.objects:,} objects "
            f"({megabytes(manifest.size)}), "
            + ", ".join(f"{table.items:,} items of {name}" for name, table in tables.items())
            + (" and MLflow's database." if registry else ", without the model registry.")
        )
        return manifest

    @contextmanager
    def _journal(self) -> Iterator[BinaryIO]:
        with (self._folder.path / JOURNAL).open("ab") as journal:
            try:
                fcntl.flock(journal, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise BackupError(
                    "Another backup is at work on this folder. Wait for it."
                ) from None
            yield journal

    def _registry_copy(self) -> Content | None:
        if self._registry is None:
            return None
        with self._registry.snapshot() as copy, copy.open("rb") as file:
            return self._folder.keep(iter(partial(file.read, _READ_AT_ONCE), b""))

    def _table(self, name: str, table: TableCopier) -> StoredTable:
        packed = [Packed(table.scan(part)) for part in range(PARTS)]
        with ThreadPoolExecutor(PARTS) as pool:
            parts = tuple(pool.map(self._folder.keep, packed))
        items = sum(part.count for part in packed)
        self._say(f"  {items:,} items of {name}")
        return StoredTable(items, parts)

    def _objects(self, journal: BinaryIO) -> list[StoredObject]:
        known = self._known()
        listed = [one for one in self._lake.list() if one.key != SERVING_POINTER_KEY]
        progress = Progress("looked at", len(listed), self._say)
        lock = Lock()

        def fetch(one: ListedObject) -> StoredObject | None:
            stored = known.get(one.key)
            if stored is None or stored.etag != one.etag or not self._folder.has(stored.content):
                stored = self._lake.fetch(one.key, self._folder)
                if stored is None:  # deleted since it was listed
                    return None
                with lock:
                    journal.write(object_line(stored))
                    journal.flush()
            progress.add(one.size)
            return replace(stored, tags=self._lake.tags(one.key))

        with ThreadPoolExecutor(_FETCHERS) as pool:
            return [stored for stored in pool.map(fetch, listed) if stored]

    def _known(self) -> Known:
        """What the folder has: by its manifest, and by the journal of a run that was cut short."""
        known: dict[str, StoredObject] = {}
        with suppress(BackupError):  # a list that is damaged: everything is fetched again
            if self._before:
                known.update((stored.key, stored) for stored in self._folder.objects(self._before))
        with (self._folder.path / JOURNAL).open("rb") as journal:
            for line in journal:
                with suppress(ValueError, LookupError, TypeError):  # the last one may be half
                    stored = object_of(line)
                    known[stored.key] = stored
        return known

    def _refuse_to_shrink(self, now: Manifest) -> None:
        if self._before is None or self._may_shrink:
            return
        before = _counts(self._before)
        for what, count in _counts(now).items():
            if count < _ENOUGH * before.get(what, 0):
                raise BackupError(
                    f"The backup holds {before[what]:,} {what}, there are {count:,} now. It stays "
                    "as it was: is something lost? Back up to another folder, or say "
                    "--even-if-smaller (make backup … SMALLER=1)."
                )


def _counts(manifest: Manifest) -> dict[str, int]:
    return {
        "objects": manifest.objects,
        **{f"items of {name}": table.items for name, table in manifest.tables.items()},
    }
