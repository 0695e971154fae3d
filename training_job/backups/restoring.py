"""Putting a backup back: all of it is verified first, and the serving pointer is written last."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from itertools import chain
from typing import Final

from areyouacat.lake import SERVING_POINTER_KEY
from training_job.backups.folder import (
    BackupError,
    BackupFolder,
    Content,
    Manifest,
    StoredObject,
    StoredTable,
)
from training_job.backups.lake import LakeCopier
from training_job.backups.planning import Photos, Plan, Write, make_plan, to_keep
from training_job.backups.progress import Progress, megabytes
from training_job.backups.registry import database_of
from training_job.backups.tables import PARTS, TableCopier, item_line, unpacked
from training_job.endpoints import Endpoints

_WRITERS: Final = 16  # threads
_WORKFLOWS: Final = ("train", "deploy")


class NotReadyError(Exception):
    """The target is not one to restore into; nothing was written. The message names the remedy."""


class Restore:
    """One run."""

    def __init__(
        self, endpoints: Endpoints, folder: BackupFolder, say: Callable[[str], object] = print
    ) -> None:
        """Reads the manifest.

        Raises:
            BackupError: the folder holds no whole backup.
            UnknownEndpointError: nothing names lake or tables.
        """
        self._endpoints = endpoints
        self._lake = LakeCopier(endpoints.client("s3"), endpoints.require_lake_bucket())
        dynamodb = endpoints.client("dynamodb")
        self._tables = {
            name: TableCopier(dynamodb, table) for name, table in endpoints.require_tables().items()
        }
        self._registry = database_of(endpoints)
        self._folder, self._say = folder, say
        self._manifest = _whole(folder)

    def check(self, now: datetime, *, force: bool) -> Plan:
        """Verify the backup and look at the target; nothing is written.

        Raises:
            BackupError: files of the backup are damaged or missing.
            NotReadyError: the target holds something else and `force` was not said, or is at work.
            RegistryCopyError: MLflow's database is of another version.
        """
        manifest = self._manifest
        self._say(
            f"The backup of {manifest.taken_at[:19]}: {manifest.objects:,} objects "
            f"({megabytes(manifest.size)}), "
            + ", ".join(f"{table.items:,} items of {n}" for n, table in manifest.tables.items())
        )
        backup = {stored.key: stored for stored in self._folder.objects(manifest)}
        self._verify(backup)
        self._refuse_while_at_work()
        plan = self._plan(backup, now)
        foreign = [
            f"{len(plan.foreign):,} objects such as {plan.foreign[0]}" if plan.foreign else "",
            *(f"items of {name}" for name, table in self._tables.items() if self._strange(name)),
        ]
        if self._registry and manifest.registry:
            copy = self._folder.file(manifest.registry)
            self._registry.check(copy)
            foreign += ["runs in MLflow"] if self._registry.has_more_than(copy) else []
        if (found := ", ".join(filter(None, foreign))) and not force:
            raise NotReadyError(
                f"The target holds what the backup does not: {found}. Nothing was written. To "
                "replace what has the same keys and leave the rest, say --force "
                "(make restore … FORCE=1)."
            )
        return plan

    def write(self, plan: Plan, now: datetime) -> None:
        """Write what is missing: objects, items, MLflow's database, and then the pointer.

        Raises:
            BackupError: somebody moved the serving pointer meanwhile.
            NotWrittenError: DynamoDB took some items again and again not.
            RegistryCopyError: MLflow's database is in use.
        """
        pointer = [one for one in plan.writes if one.stored.key == SERVING_POINTER_KEY]
        objects = [one for one in plan.writes if one.stored.key != SERVING_POINTER_KEY]
        progress = Progress("put back", len(objects), self._say)

        def put(one: Write) -> bool:
            is_ours = self._lake.put(one.stored, self._folder, one.replaces)
            progress.add(one.stored.content.size)
            return is_ours

        with ThreadPoolExecutor(_WRITERS) as pool:
            written = sum(pool.map(put, objects))
        self._say(
            f"  {written:,} objects put back, {plan.there:,} were there, {plan.expired:,} have "
            f"expired, {len(plan.erased):,} photos were erased since and stay so"
        )
        for name, stored in self._manifest.tables.items():
            self._put_items(name, stored, plan.erased, now)
        if self._registry and self._manifest.registry:
            self._registry.replace_with(self._folder.file(self._manifest.registry))
            self._say("  MLflow's database")
        if not all(self._lake.put(one.stored, self._folder, one.replaces) for one in pointer):
            raise BackupError(
                "Everything is back but the serving pointer, which somebody moved meanwhile. "
                "Look who serves; then run the same command again."
            )
        if pointer:
            self._say("  the serving pointer")

    def _verify(self, backup: Mapping[str, StoredObject]) -> None:
        contents = chain(self._manifest.contents(), (stored.content for stored in backup.values()))
        if damaged := self._folder.damaged(contents):
            raise BackupError(
                f"The backup is damaged: {len(damaged):,} files, the first of them {damaged[0]}. "
                "Nothing was written. If the lake still has them, delete these files and run make "
                "backup again; else use another backup."
            )

    def _refuse_while_at_work(self) -> None:
        client = self._endpoints.client("stepfunctions")
        for name in _WORKFLOWS:
            if machine := self._endpoints.state_machines.get(name):
                found = client.list_executions(stateMachineArn=machine, statusFilter="RUNNING")
                if found["executions"]:
                    raise NotReadyError(
                        f"The {name} workflow is at work: {found['executions'][0]['name']}. "
                        "Wait for its end, or stop it; then run the same command again."
                    )

    def _plan(self, backup: Mapping[str, StoredObject], now: datetime) -> Plan:
        target = {listed.key: listed for listed in self._lake.list()}
        both = sorted(backup.keys() & target.keys())

        def holds(key: str) -> bool:
            return self._lake.holds(backup[key], target[key])

        with ThreadPoolExecutor(_WRITERS) as pool:
            same = {key for key, held in zip(both, pool.map(holds, both), strict=True) if held}
        return make_plan(backup, target, same, now)

    def _strange(self, name: str) -> bool:
        """Whether a table has an item that the backup does not have as it is."""
        known = {
            _digest(item_line(item))
            for part in self._manifest.tables[name].parts
            for item in unpacked(self._folder.file(part))
        }
        table = self._tables[name]
        return any(
            _digest(item_line(item)) not in known
            for part in range(PARTS)
            for item in table.scan(part)
        )

    def _put_items(self, name: str, stored: StoredTable, erased: Photos, now: datetime) -> None:
        def put(part: Content) -> int:
            items = to_keep(unpacked(self._folder.file(part)), name, erased, now)
            return self._tables[name].put(items)

        with ThreadPoolExecutor(PARTS) as pool:
            written = sum(pool.map(put, stored.parts))
        self._say(f"  {written:,} items of {name}, {stored.items - written:,} stay out")


def _whole(folder: BackupFolder) -> Manifest:
    manifest = folder.manifest()
    if manifest is None:
        raise BackupError(
            f"{folder.path} holds no whole backup: it has no manifest. Finish it with make backup "
            f"TO={folder.path}, or name another one."
        )
    return manifest


def _digest(line: bytes) -> bytes:
    return hashlib.blake2b(line, digest_size=16).digest()
