"""Writes checkpoints while the gateway serves.

A checkpoint must show one moment, and taking it must not hold up requests. So the process is
forked: the child has the state as it was at that moment, frozen, and writes it on another core,
while the parent goes on. (A thread would see the state change under its hands.) Only the parent
gives a checkpoint its name: the child of a killed gateway leaves nothing but an unfinished folder.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import time
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from local_cloud import checkpoint
from local_cloud.checkpoint import Checkpoint, CheckpointError, CheckpointStore

WRITE_SECONDS = 60.0
"""A child that takes longer is given up: at the fork, a thread may have held a lock it needs."""
_LOOK_SECONDS = 1.0
_WRITTEN, _UNCHANGED, _FAILED = 0, 3, 1

logger = logging.getLogger("local_cloud.checkpointer")


@dataclass(frozen=True)
class EmulatorState:
    """The state to save. `busy`: a stack is between two states, so nothing whole can be saved."""

    emulator: str
    services: Callable[[], Iterable[tuple[str, bytes]]]
    blobs: Path
    busy: Callable[[], bool]


class BusyError(CheckpointError):
    """A stack operation is in progress."""


class Checkpointer:
    """Saves the emulator's state from time to time, on demand and at the end."""

    def __init__(
        self,
        store: CheckpointStore,
        state: EmulatorState,
        state_id: str,
        latest: Checkpoint | None,
    ) -> None:
        """`latest`: the checkpoint that the state was loaded from, if any."""
        self._store = store
        self._state = state
        self._state_id = state_id
        self._lock = asyncio.Lock()
        self._changed = latest is None
        self._last_look = time.monotonic()
        self.latest = latest

    def note_change(self) -> None:
        """Something may have changed since the last checkpoint."""
        self._changed = True

    async def run(self) -> None:
        """Save when due, until cancelled."""
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            since = time.monotonic() - self._last_look
            if checkpoint.is_due(
                seconds_since_last=since, changed=self._changed, busy=self._state.busy()
            ):
                try:
                    await self.save()
                except CheckpointError as error:
                    logger.warning("No checkpoint: %s", error)

    async def save(self) -> Checkpoint:
        """Save now, if anything changed; the newest checkpoint.

        Raises `BusyError` while a stack operation is in progress, else `CheckpointError` if the
        state could not be written.
        """
        async with self._lock:
            self._last_look = time.monotonic()
            if self._state.busy():
                raise BusyError("a CloudFormation stack operation is in progress")
            folder = self._store.begin()
            self._changed = False
            try:
                code = await self._write(folder)
                if code == _WRITTEN:
                    self.latest = await asyncio.to_thread(self._store.publish, folder)
                elif code != _UNCHANGED:
                    raise CheckpointError("the state could not be written; the log says more")
            except BaseException:
                self._changed = True
                raise
            finally:
                self._store.discard(folder)
            if self.latest is None:
                raise CheckpointError("there is nothing to save")
            return self.latest

    async def _write(self, folder: Path) -> int:
        started = time.perf_counter()
        child = _fork(lambda: self._write_state(folder))
        logger.debug("Forked in %.1f ms", (time.perf_counter() - started) * 1000)
        waiting = asyncio.create_task(asyncio.to_thread(os.waitpid, child, 0))
        try:
            await asyncio.wait_for(asyncio.shield(waiting), WRITE_SECONDS)
        except TimeoutError:
            os.kill(child, signal.SIGKILL)
            logger.warning("Gave up writing a checkpoint after %.0f s", WRITE_SECONDS)
        _, status = await waiting
        logger.debug("Checkpoint took %.0f ms", (time.perf_counter() - started) * 1000)
        return os.waitstatus_to_exitcode(status)

    def _write_state(self, folder: Path) -> bool:
        return checkpoint.write(
            folder,
            self._state.services(),
            self._state.blobs,
            emulator=self._state.emulator,
            state_id=self._state_id,
            previous=self.latest,
        )


def _fork(write: Callable[[], bool]) -> int:
    """The process id of a child that calls `write` and ends with what it says."""
    child = os.fork()
    if child:
        return child
    code = _FAILED
    try:
        gc.disable()  # a collection would touch, and so copy, every page
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)
        # The sockets and the pipes to functions are the parent's: they must close when it ends.
        os.closerange(3, min(os.sysconf("SC_OPEN_MAX"), 1 << 16))
        code = _WRITTEN if write() else _UNCHANGED
    except BaseException:  # whatever it is, it must not run the parent's code
        traceback.print_exc()
    finally:
        os._exit(code)
