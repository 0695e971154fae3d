"""What a window of predictions says about the model, in plain statistics."""

from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from areyouacat import metrics
from areyouacat.predictions import PredictionItem
from areyouacat.settings import LABELS, MONITORING, UNSURE, MonitoringRules

_PERCENTILES: Final = (5, 25, 50, 75, 95)


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of time, both ends included."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Served:
    """The predictions of a window, whatever version made them.

    Shares and probabilities are in [0, 1]; they are None, and the percentiles empty, where nothing
    was predicted. `percentiles`: of the probability, by their name (`p50`).
    """

    predictions: int
    mean_probability: float | None
    positive_share: float | None
    unsure_share: float | None
    percentiles: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Judged:
    """The labels given in a window.

    `labels`: for any version's predictions; `serving_labels`: for the serving version's.
    `accuracy`: the serving version's share of right answers, None below the least number of labels.
    """

    labels: int
    serving_labels: int
    accuracy: float | None


def served(items: Iterable[PredictionItem]) -> Served:
    """Statistics of predictions; keeps eight bytes of each."""
    probabilities = array("d")
    positive = unsure = 0
    for item in items:
        probabilities.append(item.prediction.probability)
        positive += item.prediction.label == LABELS.positive
        unsure += item.prediction.verdict == UNSURE
    count = len(probabilities)
    if not count:
        return Served(0, None, None, None, {})
    ordered = sorted(probabilities)
    return Served(
        predictions=count,
        mean_probability=sum(ordered) / count,
        positive_share=positive / count,
        unsure_share=unsure / count,
        percentiles={f"p{rank}": percentile(ordered, rank) for rank in _PERCENTILES},
    )


def judged(
    items: Iterable[PredictionItem],
    serving_version: str | None,
    rules: MonitoringRules = MONITORING,
) -> Judged:
    """Count labels, and how often the serving version was right.

    Another version's mistakes say nothing about the one that serves, and a handful of labels says
    nothing about any: then there is no accuracy.
    """
    labels = serving = right = 0
    for item in items:
        if item.feedback is None:
            continue
        labels += 1
        if item.prediction.model_version == serving_version:
            serving += 1
            right += item.prediction.label == item.feedback.label
    enough = serving >= max(rules.min_feedback_labels, 1)
    return Judged(labels, serving, right / serving if enough else None)


def percentile(ordered: Sequence[float], rank: int) -> float:
    """The `rank`-th percentile (0 to 100) of ascending values, linear between neighbours.

    Raises:
        ValueError: no values.
    """
    if not ordered:
        raise ValueError("no values have no percentile")
    place = (len(ordered) - 1) * rank / 100
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def metric_values(
    served_: Served, judged_: Judged, new_feedback: int | None
) -> dict[metrics.Metric, float]:
    """What to publish. What is not known is left out: nothing is no zero."""
    values: dict[metrics.Metric, float | None] = {
        metrics.WINDOW_REQUESTS: served_.predictions,
        metrics.MEAN_PROBABILITY: served_.mean_probability,
        metrics.POSITIVE_SHARE: served_.positive_share,
        metrics.UNSURE_SHARE: served_.unsure_share,
        metrics.FEEDBACK_LABELS: judged_.labels,
        metrics.FEEDBACK_ACCURACY: judged_.accuracy,
        metrics.NEW_FEEDBACK: new_feedback,
    }
    return {metric: value for metric, value in values.items() if value is not None}
