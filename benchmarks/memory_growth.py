"""Whether processes grow with the requests that they answer: their own memory against requests.

Own is what no file backs: of mapped files the system takes pages back whenever it likes, so that
resident memory would tell of the machine.
"""

import math
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Final

import numpy as np
import psutil

BLOCKS: Final = 10
_T_QUANTILE: Final = 2.306  # Student's, 97.5 %, BLOCKS - 2 degrees of freedom
_WARM_UP_SHARE: Final = 0.25
_EVERY_SECONDS: Final = 0.5


@dataclass(frozen=True, slots=True)
class Sample:
    """What processes held together, in megabytes, when so many requests had been sent."""

    requests: int
    megabytes: float


@dataclass(frozen=True, slots=True)
class Growth:
    """Megabytes per 1,000 requests, with a 95 % interval."""

    per_thousand: float
    low: float
    high: float

    def line(self) -> str:
        """The interval in words."""
        return f"95 % interval {self.low:+.2f} to {self.high:+.2f}"


class Memory:
    """Processes whose own memory is looked at; those that end stay what they were last."""

    def __init__(self, processes: Sequence[psutil.Process]) -> None:
        self._last = dict.fromkeys(processes, 0.0)

    def megabytes(self) -> float:
        """What they hold now, together."""
        for process in self._last:
            with suppress(psutil.NoSuchProcess):
                found = process.memory_info()
                own = found.rss - getattr(found, "shared", 0)  # macOS does not tell it
                # A process that has ended and that nobody has waited for holds nothing.
                self._last[process] = own / 2**20 or self._last[process]
        return sum(self._last.values())


@contextmanager
def sampled(look: Callable[[], None]) -> Iterator[None]:
    """Looks twice a second while the block runs."""
    over = threading.Event()

    def keep_looking() -> None:
        while not over.wait(_EVERY_SECONDS):
            look()

    looking = threading.Thread(target=keep_looking)
    looking.start()
    try:
        yield
    finally:
        over.set()
        looking.join()


def growth(samples: Sequence[Sample]) -> Growth:
    """The slope of memory over requests, the first quarter of the requests left out as warm-up.

    Memory comes in jumps, so neighbouring samples know of each other: the line goes through the
    means of ten blocks in a row, and the interval is theirs.

    Raises:
        ValueError: fewer samples than blocks, or no requests between them.
    """
    warm = _WARM_UP_SHARE * max((sample.requests for sample in samples), default=0)
    kept = [sample for sample in samples if sample.requests >= warm]
    if len(kept) < BLOCKS or kept[0].requests == kept[-1].requests:
        raise ValueError(f"{len(kept)} samples of memory are too few")
    blocks = np.array_split(np.array([(s.requests / 1000, s.megabytes) for s in kept]), BLOCKS)
    requests, megabytes = np.array([block.mean(axis=0) for block in blocks]).T
    spread = float(((requests - requests.mean()) ** 2).sum())
    slope = float(((requests - requests.mean()) * (megabytes - megabytes.mean())).sum()) / spread
    residuals = megabytes - megabytes.mean() - slope * (requests - requests.mean())
    error = math.sqrt(float((residuals**2).sum()) / (BLOCKS - 2) / spread)
    return Growth(slope, slope - _T_QUANTILE * error, slope + _T_QUANTILE * error)
