"""What a window's predictions cost."""

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from areyouacat.costs import prediction_costs
from areyouacat.metrics import COST_PER_THOUSAND, LATENCY, REQUESTS, Metric
from lambdas.monitoring.logic.window import Window


class Counted(Protocol):
    """What the predict function counts."""

    def total_and_mean(self, metric: Metric, start: datetime, end: datetime) -> tuple[float, float]:
        """Sum and mean of a metric's values in that time; zeros without any."""


def cost_metrics(
    counted: Counted, window: Window, predictions: int, memory_mb: int
) -> Mapping[str, float]:
    """US dollars for 1,000 of a window's predictions, by the metric's name; empty without any.

    `memory_mb`: the predict function's.
    """
    requests, _ = counted.total_and_mean(REQUESTS, window.start, window.end)
    _, latency_ms = counted.total_and_mean(LATENCY, window.start, window.end)
    # Time is requests x mean, since the latency of an answer is counted by its version once more,
    # and not every cloud keeps those apart when it sums.
    costs = prediction_costs(predictions, round(requests), requests * latency_ms, memory_mb)
    return {} if costs is None else {COST_PER_THOUSAND.name: costs}
