"""The memory of a job, seen from outside while it runs."""

import threading
from types import TracebackType
from typing import Final, Self

import psutil

from benchmarks.process import high_water_mb

_LOOK_SECONDS: Final = 0.5


class JobMemory:
    """Looks at a process's descendants whose command names a program, while it is entered.

    `megabytes`: the most that one of them held, 0 if there was none. Linux remembers the most of a
    process itself, so that only what happens between the last look and its end is missed.
    """

    def __init__(self, ancestor: int, program: str) -> None:
        self.megabytes = 0.0
        self._ancestor, self._program = psutil.Process(ancestor), program
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(_LOOK_SECONDS):
            for process in self._ancestor.children(recursive=True):
                self.megabytes = max(self.megabytes, self._held(process))

    def _held(self, process: psutil.Process) -> float:
        try:
            if self._program not in process.cmdline():
                return 0.0
            return high_water_mb(process.pid) or process.memory_info().rss / 2**20
        except (psutil.Error, OSError):  # it has just ended
            return 0.0
