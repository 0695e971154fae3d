"""CollectWindow: one look at the last hours."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

from areyouacat.drift import Drift, Histogram, drift
from areyouacat.predictions import PredictionItem
from areyouacat.serving_pointer import ServingPointer
from lambdas.monitoring.logic.judgement import Judged, judged
from lambdas.monitoring.logic.window import Served, Window, metric_values, served
from lambdas.monitoring.logic.window_features import WindowFeatures
from lambdas.monitoring.logic.window_sample import WindowSample

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
    """A window's statistics; `metrics` holds metric name -> value, absent where unknown.

    `drift`: against the champion's baseline.
    """

    window: Window
    serving_version: str | None
    served: Served
    judged: Judged
    drift: Drift
    metrics: Mapping[str, float]


def collect(
    predictions: Predictions,
    pointer: ServingPointer | None,
    baseline: Mapping[str, Histogram],
    hours: float,
    now: datetime,
    *,
    sample: WindowSample | None = None,
) -> Collected:
    """Statistics of the `hours` before `now`; `baseline` is the champion's.

    `sample`: sees the predictions, too.

    Feedback is new when it came after the champion took over: its data set is a little older than
    that, so feedback that came while it was trained is not counted.
    """
    window = Window(now - timedelta(hours=hours), now)
    serving_version = pointer.champion.version if pointer else None
    features = WindowFeatures(baseline, serving_version)
    predicted = features.watching(predictions.predicted_between(window.start, window.end))
    window_served = served(sample.watching(predicted) if sample else predicted, serving_version)
    window_judged = judged(
        features.watching_labels(predictions.labelled_between(window.start, window.end)),
        serving_version,
    )
    window_drift = drift(baseline, features.histograms())
    new_feedback = None
    if pointer:
        since = max(pointer.champion_since, now - NEW_FEEDBACK_LOOK_BACK)
        new_feedback = sum(1 for _ in predictions.labelled_between(since, now))
    values = metric_values(window_served, window_judged, window_drift, new_feedback)
    return Collected(
        window=window,
        serving_version=serving_version,
        served=window_served,
        judged=window_judged,
        drift=window_drift,
        metrics={metric.name: value for metric, value in values.items()},
    )
