"""Finds the values of MetricDefinitions in a job's log."""

import re
from collections.abc import Mapping

from local_cloud.sagemaker.records.jobs import FinalMetric


class MetricScanner:
    """Keeps the last value of each metric. `patterns`: metric name -> regular expression."""

    def __init__(self, patterns: Mapping[str, str]) -> None:
        self._patterns = {name: re.compile(pattern) for name, pattern in patterns.items()}
        self._last: dict[str, FinalMetric] = {}

    def scan(self, line: str, at: float) -> list[FinalMetric]:
        """Look at one line, logged at epoch second `at`; returns each value that is in it."""
        found = [
            FinalMetric(name, value, at)
            for name, pattern in self._patterns.items()
            for match in pattern.finditer(line)
            if (value := _number(match.group(1))) is not None
        ]
        self._last |= {metric.name: metric for metric in found}
        return found

    @property
    def final(self) -> tuple[FinalMetric, ...]:
        """The last values, in the order of the definitions."""
        return tuple(self._last[name] for name in self._patterns if name in self._last)


def _number(text: str | None) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    # JSON has no infinity and no NaN.
    return value if abs(value) < float("inf") else None
