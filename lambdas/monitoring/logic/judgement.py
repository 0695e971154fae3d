"""What people said about a window's answers."""

from collections.abc import Iterable
from dataclasses import dataclass

from areyouacat.predictions import PredictionItem
from areyouacat.resampling import Estimate, wilson
from areyouacat.settings import LABELS, MONITORING, MonitoringRules


@dataclass(frozen=True, slots=True)
class Judged:
    """The labels given in a window.

    `labels`: for any version's predictions. `satisfaction`: the share of them that confirm the
    answer. `serving_labels`: for the serving version's predictions; the rest is about those:
    `accuracy` with 95 % limits, precision, recall and F1 of the positive label. All are in [0, 1],
    and None where the labels are fewer than the least that count or the figure is not defined.
    """

    labels: int
    serving_labels: int
    satisfaction: float | None = None
    accuracy: Estimate | None = None
    precision: float | None = None
    recall: float | None = None
    f1: float | None = None


@dataclass(slots=True)
class _Counts:
    """Answers by what was answered and what was said."""

    true_positive: int = 0
    false_positive: int = 0
    false_negative: int = 0
    true_negative: int = 0

    def add(self, *, answered_positive: bool, said_positive: bool) -> None:
        if answered_positive:
            self.true_positive += said_positive
            self.false_positive += not said_positive
        else:
            self.false_negative += said_positive
            self.true_negative += not said_positive

    @property
    def right(self) -> int:
        return self.true_positive + self.true_negative

    @property
    def total(self) -> int:
        return self.right + self.false_positive + self.false_negative


def judged(
    items: Iterable[PredictionItem],
    serving_version: str | None,
    rules: MonitoringRules = MONITORING,
) -> Judged:
    """Count labels, and how often the serving version was right.

    Another version's mistakes say nothing about the one that serves, and a handful of labels says
    nothing about any: then there are no figures. The limits are Wilson's, for a share.
    """
    every, serving = _Counts(), _Counts()
    for item in items:
        if item.feedback is None:
            continue
        answered = item.prediction.label == LABELS.positive
        said = item.feedback.label == LABELS.positive
        every.add(answered_positive=answered, said_positive=said)
        if item.prediction.model_version == serving_version:
            serving.add(answered_positive=answered, said_positive=said)
    least = max(rules.min_feedback_labels, 1)
    satisfaction = every.right / every.total if every.total >= least else None
    if serving.total < least:
        return Judged(every.total, serving.total, satisfaction)
    return Judged(
        labels=every.total,
        serving_labels=serving.total,
        satisfaction=satisfaction,
        accuracy=Estimate(serving.right / serving.total, *wilson(serving.right, serving.total)),
        precision=_share(serving.true_positive, serving.false_positive),
        recall=_share(serving.true_positive, serving.false_negative),
        f1=_share(2 * serving.true_positive, serving.false_positive + serving.false_negative),
    )


def _share(part: int, rest: int) -> float | None:
    return part / (part + rest) if part + rest else None
