"""CollectWindow: one look at the last hours."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

from areyouacat.predictions import PredictionItem
from areyouacat.serving_pointer import ServingPointer
from lambdas.monitoring.logic.window import Judged, Served, Window, judged, metric_values, served

NEW_FEEDBACK_LOOK_BACK: Final = timedelta(days=30)
"""A champion older than this has its new feedback counted over these days only, so that the cost of
a run stays bounded."""


class Predictions(Protocol):
    """Predictions by time."""

    def predicted_between(self, start: datetime, end: datetime) -> Iterable[PredictionItem]:
        """Predictions made in that time."""

    def labelled_between(self, start: datetime, end: datetime) -> Iterable[PredictionItem]:
        """Predictions whose feedback came in that time."""


@dataclass(frozen=True, slots=True)
class Collected:
    """A window's statistics; `metrics` holds metric name -> value, absent where unknown."""

    window: Window
    serving_version: str | None
    served: Served
    judged: Judged
    metrics: Mapping[str, float]


def collect(
    predictions: Predictions, pointer: ServingPointer | None, hours: float, now: datetime
) -> Collected:
    """Statistics of the `hours` before `now`.

    Feedback is new when it came after the champion took over: its data set is a little older than
    that, so feedback that came while it was trained is not counted.
    """
    window = Window(now - timedelta(hours=hours), now)
    serving_version = pointer.champion.version if pointer else None
    window_served = served(predictions.predicted_between(window.start, window.end))
    window_judged = judged(predictions.labelled_between(window.start, window.end), serving_version)
    new_feedback = None
    if pointer:
        since = max(pointer.champion_since, now - NEW_FEEDBACK_LOOK_BACK)
        new_feedback = sum(1 for _ in predictions.labelled_between(since, now))
    values = metric_values(window_served, window_judged, new_feedback)
    return Collected(
        window=window,
        serving_version=serving_version,
        served=window_served,
        judged=window_judged,
        metrics={metric.name: value for metric, value in values.items()},
    )
