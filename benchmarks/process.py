"""What a process of its own has cost."""

import json
import os
import resource
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final


@dataclass(frozen=True, slots=True)
class Cost:
    """What some work cost.

    `seconds`: by the clock; `processor_seconds`: what a busy machine does not change.
    `memory_mb`: the most that its process held.
    """

    seconds: float
    processor_seconds: float
    memory_mb: float


class Meter:
    """Runs from when it is made."""

    def __init__(self) -> None:
        self._started, self._worked = time.perf_counter(), time.process_time()

    def read(self) -> Cost:
        """The cost up to now; of memory, what the process held at any time."""
        seconds, processor = time.perf_counter() - self._started, time.process_time() - self._worked
        return Cost(seconds, processor, peak_memory_mb())


_ENVIRONMENT: Final = {
    # Threads of BLAS spin while they wait for each other: on a busy machine they made 31 s of
    # processor of 1.2 s of work.
    "OPENBLAS_NUM_THREADS": "1",
    "TF_CPP_MIN_LOG_LEVEL": "2",
}


def run_alone(module: str, *arguments: str) -> dict[str, Any]:
    """What a benchmark's module writes when it is run in a process of its own, on one thread."""
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        env={**os.environ, **_ENVIRONMENT},
        check=True,
        capture_output=True,
        text=True,
    )
    written: dict[str, Any] = json.loads(done.stdout)
    return written


def peak_memory_mb() -> float:
    """The most this program held: `ru_maxrss` also counts what the process was before it."""
    known = high_water_mb("self")
    if known is not None:
        return known
    unit = 1024 * 1024 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def high_water_mb(process: int | str) -> float | None:
    """What Linux remembers; None elsewhere, and of a process that has ended."""
    status = Path(f"/proc/{process}/status")
    if not status.exists():
        return None
    lines = status.read_text(encoding="utf-8").splitlines()
    return next((int(one.split()[1]) / 1024 for one in lines if one.startswith("VmHWM")), None)
