"""Checkpoints taken from a live process."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from local_cloud.checkpoint import CheckpointError, CheckpointStore
from local_cloud.checkpointer import BusyError, Checkpointer, EmulatorState


class Emulator:
    """State that a test changes; `gate` holds the writing child until the file is there."""

    def __init__(self, folder: Path) -> None:
        self.value = b"first"
        self.busy = False
        self.broken = False
        self.gate: Path | None = None
        self.started = folder / "started"

    def services(self) -> Iterator[tuple[str, bytes]]:
        if self.gate is not None:
            self.started.touch()
            deadline = time.monotonic() + 10
            while not self.gate.exists() and time.monotonic() < deadline:
                pass
        yield "iam", self.value
        if self.broken:
            raise RuntimeError("no state of lambda")


@pytest.fixture
def emulator(tmp_path: Path) -> Emulator:
    return Emulator(tmp_path)


@pytest.fixture
def store(tmp_path: Path) -> CheckpointStore:
    return CheckpointStore(tmp_path / "checkpoints")


@pytest.fixture
def checkpointer(emulator: Emulator, store: CheckpointStore, tmp_path: Path) -> Checkpointer:
    state = EmulatorState("1.0", emulator.services, tmp_path / "blobs", lambda: emulator.busy)
    return Checkpointer(store, state, "first", None)


def saved_value(store: CheckpointStore) -> bytes:
    newest = store.newest("1.0")
    assert newest is not None
    return (newest.path / "iam.json").read_bytes()


def test_a_change_is_saved_and_no_change_is_not(
    checkpointer: Checkpointer, emulator: Emulator, store: CheckpointStore
) -> None:
    first = asyncio.run(checkpointer.save())
    again = asyncio.run(checkpointer.save())
    emulator.value = b"second"
    second = asyncio.run(checkpointer.save())

    assert again == first
    assert second.sequence == first.sequence + 1
    assert saved_value(store) == b"second"


def test_a_checkpoint_shows_the_moment_it_was_asked_for(
    checkpointer: Checkpointer, emulator: Emulator, store: CheckpointStore, tmp_path: Path
) -> None:
    emulator.gate = tmp_path / "gate"

    async def change_while_it_is_written() -> None:
        saving = asyncio.create_task(checkpointer.save())
        async with asyncio.timeout(10):
            while not emulator.started.exists():
                await asyncio.sleep(0)
        emulator.value = b"later"
        (tmp_path / "gate").touch()
        await saving

    asyncio.run(change_while_it_is_written())

    assert saved_value(store) == b"first"


def test_nothing_is_saved_during_a_stack_operation(
    checkpointer: Checkpointer, emulator: Emulator, store: CheckpointStore
) -> None:
    emulator.busy = True

    with pytest.raises(BusyError):
        asyncio.run(checkpointer.save())

    assert store.newest("1.0") is None


def test_a_service_that_cannot_be_saved_leaves_the_former_checkpoint(
    checkpointer: Checkpointer, emulator: Emulator, store: CheckpointStore, tmp_path: Path
) -> None:
    first = asyncio.run(checkpointer.save())
    emulator.value, emulator.broken = b"second", True

    with pytest.raises(CheckpointError):
        asyncio.run(checkpointer.save())

    assert checkpointer.latest == store.newest("1.0") == first
    assert [folder.name for folder in (tmp_path / "checkpoints").iterdir()] == [first.path.name]
