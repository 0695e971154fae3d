"""What a process of its own has cost."""

import resource
import sys
from pathlib import Path


def peak_memory_mb() -> float:
    """The most this program held: `ru_maxrss` also counts what the process was before it."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    unit = 1024 * 1024 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
