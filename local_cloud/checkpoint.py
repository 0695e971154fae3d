"""Checkpoints: the emulator's state on disk, whole or not at all.

    <root>/0000000012/            a whole checkpoint; the newest two are kept
        checkpoint.json           what belongs to it, with sizes and hashes
        <service>.json ...        each service's state
        lambda-blobs/<sha256>.zip function code, shared between checkpoints by hard links
    <root>/.writing-*             one that was never finished; removed at the next start

A checkpoint is written under another name, synced, and given its own with one rename. Whoever is
killed at whatever moment leaves the former checkpoint as it was.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

INTERVAL_SECONDS = 10.0
IDLE_INTERVAL_SECONDS = 60.0
"""State can change without a request, too (a schedule, a timeout): look this often anyway."""
KEEP = 2
BLOBS = "lambda-blobs"
_MANIFEST = "checkpoint.json"
_WRITING = ".writing-"
_UNUSABLE = "unusable-"


class CheckpointError(Exception):
    """A checkpoint could not be written; the message says why."""


@dataclass(frozen=True)
class Checkpoint:
    """A whole checkpoint. `state_id` stays the same from the first start, or reset, onwards."""

    path: Path
    sequence: int
    created_at: str
    emulator: str
    state_id: str
    digests: Mapping[str, str]

    def summary(self) -> dict[str, object]:
        """What clients are told about it."""
        return {"sequence": self.sequence, "created_at": self.created_at}


@dataclass(frozen=True)
class Start:
    """What a gateway does with what it finds. `reset`: what is left over must go first."""

    restored: bool
    reset: bool


def plan_start(*, has_checkpoint: bool, has_leftovers: bool) -> Start:
    """Decide how to start: from a whole checkpoint, from nothing, or from nothing after a reset."""
    return Start(restored=has_checkpoint, reset=has_leftovers and not has_checkpoint)


def is_due(*, seconds_since_last: float, changed: bool, busy: bool) -> bool:
    """Whether to write a checkpoint now. `busy`: a stack is between two states."""
    if busy:
        return False
    return seconds_since_last >= (INTERVAL_SECONDS if changed else IDLE_INTERVAL_SECONDS)


_READING = ("Describe", "List", "Get", "BatchGet", "Filter", "Query", "Scan", "Head", "Lookup")
# A training job logs every second; a checkpoint for each batch would cost it a core's tenth. Log
# lines are saved with the next thing that matters, or with the next look.
_TOO_SMALL = ("PutLogEvents",)


def may_change_state(method: str, path: str, target: str) -> bool:
    """Whether a request may change anything worth a checkpoint, seen from outside; in doubt it may.

    `target` is the X-Amz-Target header, or empty.
    """
    if method == "POST":
        if not target and "/operation/" not in path:
            return True
        operation = target.rpartition(".")[2] if target else path.rpartition("/operation/")[2]
        return not operation.startswith((*_READING, *_TOO_SMALL))
    # A GET on a deployed API runs a function.
    return method not in ("GET", "HEAD", "OPTIONS") or "/_user_request_/" in path


class CheckpointStore:
    """The checkpoints of one folder."""

    def __init__(self, root: Path) -> None:
        """`root` is made when it is missing."""
        self._root = root
        root.mkdir(mode=0o700, parents=True, exist_ok=True)

    def newest(self, emulator: str) -> Checkpoint | None:
        """The newest whole checkpoint of that emulator version, if there is any.

        Another version's state is not taken: the emulator would load what it understands of it.
        """
        for folder in sorted(self._published(), reverse=True):
            checkpoint = _read_whole(folder)
            if checkpoint is not None and checkpoint.emulator == emulator:
                return checkpoint
        return None

    def remove_broken(self) -> None:
        """Remove what was never finished, and what is no longer whole."""
        for folder in self._root.glob(f"{_WRITING}*"):
            shutil.rmtree(folder)
        for folder in self._published():
            if _read_whole(folder) is None:
                shutil.rmtree(folder)

    def begin(self) -> Path:
        """An empty folder to write the next checkpoint into."""
        folder = self._root / f"{_WRITING}{uuid.uuid4().hex}"
        folder.mkdir(mode=0o700)
        return folder

    def publish(self, folder: Path) -> Checkpoint:
        """Make a written folder the newest checkpoint, and drop those beyond the last two.

        Raises `CheckpointError` if the folder is not whole.
        """
        numbers = [int(published.name) for published in self._published()]
        final = self._root / f"{max(numbers, default=0) + 1:010d}"
        if _read_whole(folder) is None:
            raise CheckpointError("what was written is not whole; is the disk full?")
        folder.rename(final)
        _sync_folder(self._root)
        for old in sorted(self._published())[:-KEEP]:
            # Renamed first: half a removed checkpoint must not look like a damaged one.
            shutil.rmtree(old.rename(self._root / f"{_WRITING}{old.name}"))
        checkpoint = _read_whole(final)
        if checkpoint is None:
            raise CheckpointError("what was published cannot be read back")
        return checkpoint

    def discard(self, folder: Path) -> None:
        """Forget a folder that `begin` gave."""
        shutil.rmtree(folder, ignore_errors=True)

    def set_aside(self, checkpoint: Checkpoint) -> Path:
        """Keep a checkpoint that would not load, but never offer it again."""
        aside = self._root / f"{_UNUSABLE}{checkpoint.path.name}"
        shutil.rmtree(aside, ignore_errors=True)
        return checkpoint.path.rename(aside)

    def clear(self) -> None:
        """Remove every checkpoint."""
        for folder in self._published():
            shutil.rmtree(folder)

    def _published(self) -> list[Path]:
        return [folder for folder in self._root.iterdir() if folder.name.isdecimal()]


def write(
    folder: Path,
    services: Iterable[tuple[str, bytes]],
    blobs: Path,
    *,
    emulator: str,
    state_id: str,
    previous: Checkpoint | None,
) -> bool:
    """Write and sync a checkpoint into `folder`; False, and nothing of use, if nothing changed.

    `services` gives (name, state). `blobs` holds the function code those states refer to once they
    have all been given. Files that did not change are linked from `previous`.
    """
    digests: dict[str, str] = {}
    for service, state in services:
        name = f"{service}.json"
        digests[name] = hashlib.sha256(state).hexdigest()
        if previous is None or previous.digests.get(name) != digests[name]:
            _write_synced(folder / name, state)
        else:
            os.link(previous.path / name, folder / name)
    if previous is not None and dict(previous.digests) == digests:
        return False
    (folder / BLOBS).mkdir()
    code = sorted(blobs.glob("*.zip")) if blobs.is_dir() else []
    for blob in code:
        os.link(blob, folder / BLOBS / blob.name)
        _sync_file(blob)
    _sync_folder(folder / BLOBS)
    manifest = {
        "created_at": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "emulator": emulator,
        "state_id": state_id,
        "digests": digests,
        "blobs": {blob.name: blob.stat().st_size for blob in code},
    }
    _write_synced(folder / _MANIFEST, json.dumps(manifest, indent=1).encode())
    _sync_folder(folder)
    return True


def link_into(checkpoint: Checkpoint, folder: Path) -> None:
    """Lay a checkpoint's files out in `folder`, without copying them."""
    shutil.copytree(checkpoint.path, folder, copy_function=os.link, dirs_exist_ok=True)


def _read_whole(folder: Path) -> Checkpoint | None:
    """The checkpoint in a folder, or None if anything of it is missing or damaged."""
    try:
        manifest = json.loads((folder / _MANIFEST).read_bytes())
        digests = {str(name): str(digest) for name, digest in manifest["digests"].items()}
        for name, digest in digests.items():
            if hashlib.sha256((folder / name).read_bytes()).hexdigest() != digest:
                return None
        for name, size in manifest["blobs"].items():
            if (folder / BLOBS / name).stat().st_size != size:
                return None
        return Checkpoint(
            path=folder,
            sequence=int(folder.name) if folder.name.isdecimal() else 0,
            created_at=str(manifest["created_at"]),
            emulator=str(manifest["emulator"]),
            state_id=str(manifest["state_id"]),
            digests=digests,
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _write_synced(path: Path, content: bytes) -> None:
    with path.open("xb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())


def _sync_file(path: Path) -> None:
    with path.open("rb") as stream:
        os.fsync(stream.fileno())


def _sync_folder(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
