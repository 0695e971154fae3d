"""How good answers are, in plain numpy.

Every figure is a ratio of weighted sums over photos, so that one piece of arithmetic serves the
photos as they are (each weighs one) and their resamples (`resampling`), all of them at once.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from areyouacat.settings import EVALUATION

Floats = npt.NDArray[np.float64]
Probabilities = Floats
Positive = npt.NDArray[np.bool_]

SHARES: Final = ("accuracy", "precision", "recall")
FIGURES: Final = (*SHARES, "f1", "roc_auc", "expected_calibration_error", "log_loss")
"""Names of the figures; `log_loss` in nats, all others in [0, 1]."""

_CLIP = 1e-7


@dataclass(frozen=True, slots=True)
class Answers:
    """A model's answers to some photos.

    `probabilities`: of the positive label, (photos,). `positive`: what the labels say, (photos,).
    """

    probabilities: Probabilities
    positive: Positive
    threshold: float

    @property
    def called(self) -> Positive:
        """Which photos the model calls positive."""
        return np.asarray(self.probabilities >= self.threshold)

    @property
    def right(self) -> Positive:
        """Which photos it answers as their labels do."""
        return np.asarray(self.called == self.positive)

    def defined(self) -> tuple[str, ...]:
        """The figures that have something to divide by: no recall without a positive photo."""
        called, positive = self.called, self.positive
        missing = {
            "precision": not called.any(),
            "recall": not positive.any(),
            "f1": not (called | positive).any(),
            "roc_auc": not positive.any() or bool(positive.all()),
        }
        return tuple(name for name in FIGURES if not missing.get(name, False))

    def some(self, photos: npt.NDArray[np.intp]) -> "Answers":
        """The answers to some of the photos, by position."""
        return Answers(self.probabilities[photos], self.positive[photos], self.threshold)


@dataclass(frozen=True, slots=True)
class Confusion:
    """Counts of photos by label and answer."""

    true_positive: int
    false_positive: int
    true_negative: int
    false_negative: int

    @property
    def shares(self) -> dict[str, tuple[float, float]]:
        """Part and whole of the figures that are shares of photos.

        F1 counts each kind of mistake half: TP / (TP + (FP + FN) / 2).
        """
        right = self.true_positive + self.true_negative
        wrong = self.false_positive + self.false_negative
        return {
            "accuracy": (right, right + wrong),
            "precision": (self.true_positive, self.true_positive + self.false_positive),
            "recall": (self.true_positive, self.true_positive + self.false_negative),
            "f1": (self.true_positive, self.true_positive + wrong / 2),
        }


@dataclass(frozen=True, slots=True)
class Quality:
    """The figures of some photos, by the names of `FIGURES`.

    `precision`, `recall` and `f1` are 0 where there is nothing to divide by, `roc_auc` is 0.5 if
    a label is absent.
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
    answers = Answers(probabilities, positive, threshold)
    found = {
        name: float(values[0])
        for name, values in figures(answers, np.ones((1, len(positive)))).items()
    }
    undefined: dict[str, Any] = {"roc_auc": 0.5}
    return Quality(
        photos=len(positive),
        confusion=confusion(answers),
        **{
            name: undefined.get(name, 0.0) if np.isnan(value) else value
            for name, value in found.items()
        },
    )


def confusion(answers: Answers) -> Confusion:
    """Photos by label and answer."""
    called, positive = answers.called, answers.positive
    return Confusion(
        int(np.sum(called & positive)),
        int(np.sum(called & ~positive)),
        int(np.sum(~called & ~positive)),
        int(np.sum(~called & positive)),
    )


def figures(answers: Answers, weights: Floats) -> dict[str, Floats]:
    """`FIGURES` of weighted photos, one value a row of `weights` (rows, photos).

    NaN where there is nothing to divide by.
    """
    positive, called = answers.positive, answers.called
    clipped = np.clip(answers.probabilities, _CLIP, 1 - _CLIP)
    columns = np.column_stack(
        [
            np.ones(len(positive)),
            called == positive,
            called & positive,
            called,
            positive,
            -np.log(np.where(positive, clipped, 1 - clipped)),
            _gaps(answers.probabilities, positive),
        ]
    )
    sums = weights @ columns
    total, right, hits, calls, positives, loss = sums[:, :6].T
    gaps = sums[:, 6:]
    return {
        "accuracy": _ratio(right, total),
        "precision": _ratio(hits, calls),
        "recall": _ratio(hits, positives),
        "f1": _ratio(2 * hits, calls + positives),
        "roc_auc": _roc_auc(answers.probabilities, positive, weights),
        "expected_calibration_error": _ratio(np.abs(gaps).sum(axis=1), total),
        "log_loss": _ratio(loss, total),
    }


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """Photos of similar probability: how sure the model was, and how often it was so."""

    photos: int
    mean_probability: float
    share_positive: float


def reliability(probabilities: Probabilities, positive: Positive) -> list[ReliabilityBin]:
    """Bins of equal width over [0, 1], empty ones left out."""
    index = _bins(probabilities)
    return [
        ReliabilityBin(
            int(inside.sum()),
            float(probabilities[inside].mean()),
            float(positive[inside].mean()),
        )
        for inside in (index == number for number in range(EVALUATION.calibration_bins))
        if inside.any()
    ]


def roc_curve(probabilities: Probabilities, positive: Positive) -> tuple[Floats, Floats]:
    """False and true positive rates as the threshold falls from above 1: the curve's corners.

    Photos of equal probability are one step of it, slanted where they have both labels.
    """
    order = np.argsort(-probabilities, kind="stable")
    ranked, hits = probabilities[order], positive[order]
    last = np.flatnonzero(np.concatenate([ranked[1:] != ranked[:-1], [True]]))
    found = np.concatenate([[0], np.cumsum(hits)[last]])
    false = np.concatenate([[0], last + 1]) - found
    turns = np.diff(false)[:-1] * np.diff(found)[1:] != np.diff(found)[:-1] * np.diff(false)[1:]
    corners = np.concatenate([[True], turns, [True]])
    return false[corners] / max(int(false[-1]), 1), found[corners] / max(int(found[-1]), 1)


def _bins(probabilities: Probabilities) -> npt.NDArray[np.intp]:
    bins = EVALUATION.calibration_bins
    return np.minimum((probabilities * bins).astype(np.intp), bins - 1)


def _gaps(probabilities: Probabilities, positive: Positive) -> Floats:
    """(photos, bins): probability minus label in the photo's own bin, 0 elsewhere.

    A bin's |mean probability - share of positives|, weighted by its photos, is the size of its
    column's sum; so the calibration error is the mean of those.
    """
    gaps = np.zeros((len(positive), EVALUATION.calibration_bins))
    gaps[np.arange(len(positive)), _bins(probabilities)] = probabilities - positive
    return gaps


def _roc_auc(probabilities: Probabilities, positive: Positive, weights: Floats) -> Floats:
    """How often a positive photo ranks above a negative one; ties count half."""
    order = np.argsort(probabilities, kind="stable")
    ranked = probabilities[order]
    ties = np.flatnonzero(np.concatenate([[True], ranked[1:] != ranked[:-1]]))
    ordered, hits = weights[:, order], positive[order]
    positives = np.add.reduceat(ordered * hits, ties, axis=1)
    negatives = np.add.reduceat(ordered * ~hits, ties, axis=1)
    below = np.cumsum(negatives, axis=1) - negatives
    ahead = (positives * (below + negatives / 2)).sum(axis=1)
    return _ratio(ahead, positives.sum(axis=1) * negatives.sum(axis=1))


def _ratio(part: Floats, whole: Floats) -> Floats:
    return np.asarray(np.divide(part, whole, out=np.full(len(whole), np.nan), where=whole > 0))
