"""What a process of its own has cost."""

import resource
import sys
from pathlib import Path


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
