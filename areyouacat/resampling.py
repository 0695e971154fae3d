"""How far a figure could be off by the luck of the draw: bootstrap confidence intervals.

The photos are drawn again with replacement, look-alikes together, since a burst of one scene is
one piece of luck. The interval holds the middle 95 % of the figures of those draws (percentile
bootstrap; Efron and Tibshirani, An Introduction to the Bootstrap, chapter 13).
"""

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from areyouacat.quality import (
    FIGURES,
    Answers,
    Floats,
    confusion,
    evaluate,
    figures,
)
from areyouacat.settings import EVALUATION

SEED: Final = 20_240_229
_CHUNK_CELLS: Final = 1_000_000  # resamples x photos held at once: 8 MB an array
_Z: Final = 1.959964  # the standard normal's 97.5th percentile


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure, and the limits that 95 % of such draws would keep."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Beside:
    """One figure of two models on the same photos; `difference`: the first minus the second."""

    first: Estimate
    second: Estimate
    difference: Estimate


@dataclass(frozen=True, slots=True)
class Among:
    """Figures of several models on the same photos.

    `figures`: each model's. `differences`: of the figures that both of a pair have, by the pair's
    two positions; the second minus the first.
    """

    figures: tuple[Mapping[str, Estimate], ...]
    differences: Mapping[tuple[int, int], Mapping[str, Estimate]]


def estimates(answers: Answers, groups: Sequence[str]) -> dict[str, Estimate]:
    """Every defined figure of at least one photo with its interval.

    `groups`: of look-alikes, by photo.
    """
    (draws,) = _resample([answers], groups)
    return _estimates(answers, draws)


def estimates_beside(first: Answers, second: Answers, groups: Sequence[str]) -> dict[str, Beside]:
    """The figures that both models have on the same photos; differences are of the same draws."""
    found = estimates_among([second, first], groups)
    theirs, ours = found.figures
    return {
        name: Beside(ours[name], theirs[name], difference)
        for name, difference in found.differences[0, 1].items()
    }


def estimates_among(models: Sequence[Answers], groups: Sequence[str]) -> Among:
    """The figures of any number of models on the same photos; differences are of the same draws."""
    draws = _resample(models, groups)
    found = [_estimates(answers, values) for answers, values in zip(models, draws, strict=True)]
    differences = {
        (first, second): {
            name: Estimate(
                found[second][name].value - found[first][name].value,
                *_limits(draws[second][name] - draws[first][name]),
            )
            for name in found[second]
            if name in found[first]
        }
        for first, second in itertools.combinations(range(len(models)), 2)
    }
    return Among(tuple(found), differences)


def wilson(part: float, whole: float) -> tuple[float, float]:
    """95 % limits of a share; of use where a bootstrap says nothing, at 0 and at 1.

    E. B. Wilson, Probable Inference, the Law of Succession, and Statistical Inference, 1927.
    """
    if whole <= 0:
        return (0.0, 1.0)
    share, square = part / whole, _Z**2 / whole
    middle = (share + square / 2) / (1 + square)
    reach = math.sqrt(share * (1 - share) * square + square**2 / 4) / (1 + square)
    return (max(0.0, middle - reach), min(1.0, middle + reach))


def _estimates(answers: Answers, draws: dict[str, Floats]) -> dict[str, Estimate]:
    values = evaluate(answers.probabilities, answers.positive, answers.threshold).figures()
    shares = confusion(answers).shares
    found: dict[str, Estimate] = {}
    for name in answers.defined():
        low, high = _limits(draws[name])
        if low == high and name in shares:
            # No draw has a mistake that the photos do not have; that proves no perfection.
            low, high = wilson(*shares[name])
        found[name] = Estimate(values[name], low, high)
    return found


def _limits(draws: Floats) -> tuple[float, float]:
    """The middle 95 % of the draws in which the figure is defined; at least one."""
    low, high = np.nanpercentile(draws, [2.5, 97.5])
    return (float(low), float(high))


def _resample(models: Sequence[Answers], groups: Sequence[str]) -> list[dict[str, Floats]]:
    """For each model its figures, one value a draw; all models see the same draws."""
    found: list[dict[str, list[Floats]]] = [{name: [] for name in FIGURES} for _ in models]
    for weights in _draws(groups):
        for answers, values in zip(models, found, strict=True):
            for name, value in figures(answers, weights).items():
                values[name].append(value)
    return [{name: np.concatenate(parts) for name, parts in each.items()} for each in found]


def _draws(groups: Sequence[str]) -> Iterator[Floats]:
    """How often each photo is drawn, (draws, photos), a few draws at a time; always the same.

    Many photos get fewer draws: their figures vary less.
    """
    names, member = np.unique(np.asarray(groups, dtype=str), return_inverse=True)
    photos = max(len(member), 1)
    left = max(EVALUATION.min_resamples, min(EVALUATION.resamples, EVALUATION.most_draws // photos))
    random = np.random.default_rng(SEED)
    while left:
        rows = min(left, max(1, _CHUNK_CELLS // photos))
        drawn = random.integers(0, len(names), (rows, len(names)))
        drawn += np.arange(rows)[:, np.newaxis] * len(names)
        counts = np.bincount(drawn.ravel(), minlength=rows * len(names))
        yield counts.reshape(rows, len(names))[:, member].astype(np.float64)
        left -= rows
