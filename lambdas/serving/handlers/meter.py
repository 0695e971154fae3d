"""Measures what a request takes of its machine."""

from __future__ import annotations

import resource
import sys
import time
from typing import Final

from lambdas.serving.logic.request_metrics import Usage

_BYTES_PER_MB: Final = 1024 * 1024
_UNIT: Final = 1 if sys.platform == "darwin" else 1024
"""getrusage's, in bytes: macOS counts bytes, Linux kibibytes."""


class Meter:
    """Begins when it is made. One process answers one request at a time, so all of it is its."""

    def __init__(self) -> None:
        """Begin."""
        self._started = time.perf_counter()
        self._cpu_started = time.process_time()

    def read(self) -> Usage:
        """What was used since the beginning."""
        held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _UNIT
        return Usage(
            latency_ms=(time.perf_counter() - self._started) * 1000,
            cpu_ms=(time.process_time() - self._cpu_started) * 1000,
            memory_mb=held / _BYTES_PER_MB,
        )
