"""What a window of predictions says about the model, in plain statistics."""

import math
from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from areyouacat import metrics
from areyouacat.drift import Drift
from areyouacat.predictions import Prediction, PredictionItem
from areyouacat.resampling import Estimate
from areyouacat.settings import LABELS, UNSURE
from lambdas.monitoring.logic.judgement import Judged

_PERCENTILES: Final = (5, 25, 50, 75, 95)
_Z: Final = 1.959964  # the standard normal's 97.5th percentile


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of time, both ends included."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Served:
    """The predictions of a window, whatever version made them.

    Shares and probabilities are in [0, 1]; they are None, and the percentiles empty, where nothing
    was predicted. `feedback_rate`: the share that somebody has labelled by now. `percentiles`: of
    the probability, by their name (`p50`). `expected_accuracy`: how often the serving version will
    have been right if its probabilities keep what they promise, with 95 % limits.
    """

    predictions: int
    mean_probability: float | None = None
    positive_share: float | None = None
    unsure_share: float | None = None
    feedback_rate: float | None = None
    percentiles: Mapping[str, float] = field(default_factory=dict)
    expected_accuracy: Estimate | None = None


def served(items: Iterable[PredictionItem], serving_version: str | None) -> Served:
    """Statistics of predictions; keeps eight bytes of each."""
    probabilities, expectation = array("d"), _Expectation()
    positive = unsure = labelled = 0
    for item in items:
        prediction = item.prediction
        probabilities.append(prediction.probability)
        positive += prediction.label == LABELS.positive
        unsure += prediction.verdict == UNSURE
        labelled += item.feedback is not None
        if prediction.model_version == serving_version:
            expectation.add(prediction)
    count = len(probabilities)
    if not count:
        return Served(0)
    ordered = sorted(probabilities)
    return Served(
        predictions=count,
        mean_probability=sum(ordered) / count,
        positive_share=positive / count,
        unsure_share=unsure / count,
        feedback_rate=labelled / count,
        percentiles={f"p{rank}": percentile(ordered, rank) for rank in _PERCENTILES},
        expected_accuracy=expectation.estimate(),
    )


@dataclass(slots=True)
class _Expectation:
    """Accuracy without labels: the mean confidence of answers.

    An answer given with a calibrated probability p of being right is right p of the time, so the
    number of right answers is a sum of Bernoulli variables (Poisson's binomial distribution), whose
    variance is the sum of p (1 - p). Blind to a change that the probabilities do not notice: that
    is what labels are for.
    """

    answers: int = 0
    confidence: float = 0.0
    variance: float = 0.0

    def add(self, prediction: Prediction) -> None:
        chance = prediction.probability
        if prediction.label != LABELS.positive:
            chance = 1 - chance
        self.answers += 1
        self.confidence += chance
        self.variance += chance * (1 - chance)

    def estimate(self) -> Estimate | None:
        if not self.answers:
            return None
        mean = self.confidence / self.answers
        reach = _Z * math.sqrt(self.variance) / self.answers
        return Estimate(mean, max(0.0, mean - reach), min(1.0, mean + reach))


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
    served_: Served, judged_: Judged, drift: Drift, new_feedback: int | None
) -> dict[metrics.Metric, float]:
    """What to publish. What is not known is left out: nothing is no zero."""
    values: dict[metrics.Metric, float | None] = {
        metrics.WINDOW_REQUESTS: served_.predictions,
        metrics.MEAN_PROBABILITY: served_.mean_probability,
        metrics.POSITIVE_SHARE: served_.positive_share,
        metrics.UNSURE_SHARE: served_.unsure_share,
        metrics.FEEDBACK_RATE: served_.feedback_rate,
        **_with_limits(metrics.EXPECTED_ACCURACY, served_.expected_accuracy),
        metrics.FEEDBACK_LABELS: judged_.labels,
        metrics.SATISFACTION: judged_.satisfaction,
        **_with_limits(metrics.ACCURACY, judged_.accuracy),
        metrics.FEEDBACK_PRECISION: judged_.precision,
        metrics.FEEDBACK_RECALL: judged_.recall,
        metrics.FEEDBACK_F1: judged_.f1,
        metrics.NEW_FEEDBACK: new_feedback,
        metrics.DATA_DRIFT: drift.score,
    }
    return {metric: value for metric, value in values.items() if value is not None}


def _with_limits(
    named: metrics.WithLimits, estimate: Estimate | None
) -> dict[metrics.Metric, float | None]:
    if estimate is None:
        return {}
    return {named.value: estimate.value, named.low: estimate.low, named.high: estimate.high}
