"""How good a model is on a split, in plain numpy."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt

from training_job.settings import REPORT

Probabilities = npt.NDArray[np.float64]
Positive = npt.NDArray[np.bool_]

_CLIP = 1e-7


@dataclass(frozen=True, slots=True)
class Confusion:
    """Counts of photos by label and answer."""

    true_positive: int
    false_positive: int
    true_negative: int
    false_negative: int


@dataclass(frozen=True, slots=True)
class Quality:
    """One split's figures; all but `log_loss` (nats) and `photos` in [0, 1].

    `precision` is 0 if nothing was called positive; `roc_auc` is 0.5 if a label is absent.
    """

    photos: int
    accuracy: float
    precision: float
    recall: float
    f1: float
    roc_auc: float
    expected_calibration_error: float
    log_loss: float
    confusion: Confusion

    def figures(self) -> Mapping[str, float]:
        """The numbers alone, by name."""
        return {name: float(value) for name, value in asdict(self).items() if name != "confusion"}


def evaluate(probabilities: Probabilities, positive: Positive, threshold: float) -> Quality:
    """The figures of at least one photo. `positive`: what the labels say."""
    called = probabilities >= threshold
    confusion = Confusion(
        int(np.sum(called & positive)),
        int(np.sum(called & ~positive)),
        int(np.sum(~called & ~positive)),
        int(np.sum(~called & positive)),
    )
    precision = _ratio(confusion.true_positive, int(called.sum()))
    recall = _ratio(confusion.true_positive, int(positive.sum()))
    clipped = np.clip(probabilities, _CLIP, 1 - _CLIP)
    return Quality(
        photos=len(positive),
        accuracy=float(np.mean(called == positive)),
        precision=precision,
        recall=recall,
        f1=_ratio(2 * precision * recall, precision + recall),
        roc_auc=roc_auc(probabilities, positive),
        expected_calibration_error=expected_calibration_error(probabilities, positive),
        log_loss=float(-np.mean(np.log(np.where(positive, clipped, 1 - clipped)))),
        confusion=confusion,
    )


def roc_auc(probabilities: Probabilities, positive: Positive) -> float:
    """How often a positive photo ranks above a negative one; ties count half."""
    negatives = np.sort(probabilities[~positive])
    positives = probabilities[positive]
    if not len(negatives) or not len(positives):
        return 0.5
    below = np.searchsorted(negatives, positives, side="left")
    not_above = np.searchsorted(negatives, positives, side="right")
    return float(((below + not_above) / 2).mean() / len(negatives))


def roc_curve(probabilities: Probabilities, positive: Positive) -> tuple[Probabilities, ...]:
    """False and true positive rates (n + 1,) as the threshold falls from above 1."""
    order = np.argsort(-probabilities, kind="stable")
    hits = positive[order]
    false_rate = np.cumsum(~hits) / max(int((~positive).sum()), 1)
    true_rate = np.cumsum(hits) / max(int(positive.sum()), 1)
    return np.concatenate([[0.0], false_rate]), np.concatenate([[0.0], true_rate])


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """Photos of similar probability: how sure the model was, and how often it was so."""

    photos: int
    mean_probability: float
    share_positive: float


def reliability(
    probabilities: Probabilities, positive: Positive, bins: int = REPORT.calibration_bins
) -> list[ReliabilityBin]:
    """Bins of equal width over [0, 1], empty ones left out."""
    index = np.minimum((probabilities * bins).astype(int), bins - 1)
    return [
        ReliabilityBin(
            int(inside.sum()),
            float(probabilities[inside].mean()),
            float(positive[inside].mean()),
        )
        for inside in (index == number for number in range(bins))
        if inside.any()
    ]


def expected_calibration_error(probabilities: Probabilities, positive: Positive) -> float:
    """Mean distance of the reliability bins from the truth, by their photos."""
    return sum(
        found.photos / len(positive) * abs(found.mean_probability - found.share_positive)
        for found in reliability(probabilities, positive)
    )


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else 0.0
