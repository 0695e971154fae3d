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


def fit_temperature(logits: npt.NDArray[np.float64], positive: Positive) -> float:
    """The temperature that makes the labels most likely; 1.0 if only one label is there.

    Dividing by it never changes the order of two photos. The likelihood has one optimum in the
    logarithm of the temperature, found by golden-section search within settings' range.
    """
    if not len(logits) or positive.all() or not positive.any():
        return 1.0
    low, high = (math.log(limit) for limit in HEAD.temperature_range)

    def loss(log_temperature: float) -> float:
        return negative_log_likelihood(logits / math.exp(log_temperature), positive)

    for _ in range(_SEARCH_STEPS):
        left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
        if loss(left) <= loss(right):
            high = right
        else:
            low = left
    return math.exp((low + high) / 2)


def negative_log_likelihood(logits: npt.NDArray[np.float64], positive: Positive) -> float:
    """Mean over photos, in nats."""
    return float(np.logaddexp(0.0, np.where(positive, -logits, logits)).mean())


def choose_threshold(probabilities: Probabilities, positive: Positive) -> float:
    """The threshold with the best balanced accuracy; of equally good ones the nearest to 0.5.

    Balanced, because the share of labels among stored photos says little about who will ask.
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
    best = candidates[balanced >= balanced.max() - 1e-12]
    return float(best[np.argmin(np.abs(best - 0.5))])


def choose_bands(
    probabilities: Probabilities,
    positive: Positive,
    threshold: float,
    settings: BandSettings = BANDS,
) -> Bands:
    """The narrowest unsure band outside of which each sure verdict is right often enough.

    The upper limit is the lowest probability at or above the threshold such that at least
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
    order = np.argsort(probabilities, kind="stable")
    ranked, hits = probabilities[order], positive[order]
    precision = np.cumsum(hits[::-1])[::-1] / np.arange(len(ranked), 0, -1)
    first_of_equals = np.diff(ranked, prepend=-1.0) > 0
    good = ranked[first_of_equals & (ranked >= threshold) & (precision >= min_precision)]
    return float(good.min()) if len(good) else 1.0
