"""From logits to probabilities one can believe, and from those to a threshold and bands.

Everything here is chosen on validation; test is never looked at.
"""

import math

import numpy as np
import numpy.typing as npt

from areyouacat.settings import BOOTSTRAP
from areyouacat.verdicts import Bands
from training_job.settings import BANDS, HEAD, BandSettings

Probabilities = npt.NDArray[np.float64]
Positive = npt.NDArray[np.bool_]

_GOLDEN = (math.sqrt(5) - 1) / 2
_SEARCH_STEPS = 60


def fit_temperature(
    logits: npt.NDArray[np.float64],
    positive: Positive,
    weights: npt.NDArray[np.float64] | None = None,
) -> float:
    """The temperature that makes the labels most likely; 1.0 if only one label is there.

    `weights`: of each photo, those that the head was trained with: a head that was taught that
    both labels are equally common cannot be judged in a world where they are not.
    Dividing by it never changes the order of two photos. The likelihood has one optimum in the
    logarithm of the temperature, found by golden-section search within settings' range.
    """
    if not len(logits) or positive.all() or not positive.any():
        return 1.0
    low, high = (math.log(limit) for limit in HEAD.temperature_range)

    def loss(log_temperature: float) -> float:
        return negative_log_likelihood(logits / math.exp(log_temperature), positive, weights)

    for _ in range(_SEARCH_STEPS):
        left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
        if loss(left) <= loss(right):
            high = right
        else:
            low = left
    return math.exp((low + high) / 2)


def negative_log_likelihood(
    logits: npt.NDArray[np.float64],
    positive: Positive,
    weights: npt.NDArray[np.float64] | None = None,
) -> float:
    """Weighted mean over photos, in nats."""
    losses = np.logaddexp(0.0, np.where(positive, -logits, logits))
    return float(np.average(losses, weights=weights))


def choose_threshold(probabilities: Probabilities, positive: Positive) -> float:
    """Of the thresholds that are as good as the best, the one nearest to 0.5.

    Good means balanced accuracy, because the share of labels among stored photos says little
    about who will ask. As good means within one standard error of the best: calibrated
    probabilities make 0.5 the natural cut, and a few validation photos are no reason to leave it.
    Candidates lie half way between neighbouring probabilities. 0.5 if only one label is there.
    """
    if not len(probabilities) or positive.all() or not positive.any():
        return 0.5
    values = np.unique(probabilities)
    candidates = np.concatenate([[0.5], (values[1:] + values[:-1]) / 2])
    positives, negatives = np.sort(probabilities[positive]), np.sort(probabilities[~positive])
    recall = 1 - np.searchsorted(positives, candidates, side="left") / len(positives)
    specificity = np.searchsorted(negatives, candidates, side="left") / len(negatives)
    balanced = (recall + specificity) / 2
    best = int(np.argmax(balanced))
    variance = _variance(recall[best], len(positives)) + _variance(
        specificity[best], len(negatives)
    )
    as_good = candidates[balanced >= balanced[best] - math.sqrt(variance) / 2]
    return float(as_good[np.argmin(np.abs(as_good - 0.5))])


def choose_bands(
    probabilities: Probabilities,
    positive: Positive,
    threshold: float,
    settings: BandSettings = BANDS,
) -> Bands:
    """The narrowest unsure band outside of which each sure verdict is right often enough.

    The upper limit is the lowest one at or above the threshold such that at least
    `min_precision` of the validation photos from there up are positive; the lower limit mirrors
    it. Each then keeps at least `narrowest` away from the threshold, since a handful of photos
    near it proves little, but stays within `negative_to_at_least` and `positive_from_at_most`,
    which also hold where validation has no such limit: a sure verdict must remain possible.
    """
    upper = _sure_from(probabilities, positive, threshold, settings.min_precision)
    lower = 1 - _sure_from(1 - probabilities, ~positive, 1 - threshold, settings.min_precision)
    upper = max(upper, threshold + settings.narrowest)
    lower = min(lower, threshold - settings.narrowest)
    return Bands(
        negative_to=min(max(lower, settings.negative_to_at_least), threshold),
        positive_from=max(min(upper, settings.positive_from_at_most), threshold),
    )


def bootstrap_bands() -> Bands:
    """The bands while there are too few photos to derive any."""
    return Bands(negative_to=BOOTSTRAP.unsure_from, positive_from=BOOTSTRAP.unsure_to)


def _sure_from(
    probabilities: Probabilities, positive: Positive, threshold: float, min_precision: float
) -> float:
    """The lowest limit at or above the threshold with that precision from there up; 1 if none."""
    limits = np.unique(np.concatenate([[threshold], probabilities[probabilities >= threshold]]))
    hits, others = np.sort(probabilities[positive]), np.sort(probabilities[~positive])
    right = len(hits) - np.searchsorted(hits, limits)
    called = right + len(others) - np.searchsorted(others, limits)
    good = limits[(called > 0) & (right >= min_precision * called)]
    return float(good[0]) if len(good) else 1.0


def _variance(share: float, photos: int) -> float:
    """Of an observed share; one imagined hit and miss keep a perfect share from being certain."""
    smoothed = (share * photos + 1) / (photos + 2)
    return smoothed * (1 - smoothed) / photos
