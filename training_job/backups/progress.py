"""Lines that say how far it is."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import Final

_LINES: Final = 10


class Progress:
    """Counts objects and bytes, and says so about ten times; threads may share it."""

    def __init__(self, what: str, total: int, say: Callable[[str], object] = print) -> None:
        """`what` is done to `total` objects."""
        self._what, self._total, self._say = what, total, say
        self._lock, self._done, self._bytes = Lock(), 0, 0

    def add(self, size: int) -> None:
        """One more object, of so many bytes."""
        with self._lock:
            before, self._done = self._done, self._done + 1
            self._bytes += size
            if self._done * _LINES // self._total > before * _LINES // self._total:
                self._say(
                    f"  {self._what} {self._done:,} of {self._total:,} objects, "
                    f"{megabytes(self._bytes)}"
                )


def megabytes(size: int) -> str:
    """Bytes for people."""
    return f"{size / 1e6:,.1f} MB"
