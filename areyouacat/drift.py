"""Has the world changed? A window of photos held against those that a model was built on.

Each feature is counted in bins of the baseline's own making. How far two histograms are apart is
the population stability index (Siddiqi, "Credit Risk Scorecards", 2006) beyond what two samples of
one world are apart; whether that can be luck is a chi-squared test of homogeneity, corrected by
Holm's method for the number of features. Only what is both far and no luck is drift.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from areyouacat.settings import DRIFT, DriftRules

Floats = NDArray[np.float64]

_HALF: Final = 0.5
"""Added to every count before shares are compared: an empty bin is no infinite distance."""


@dataclass(frozen=True, slots=True)
class Histogram:
    """Counts in bins that cover every number; `edges`: the inner ones, one fewer than `counts`.

    A value that equals an edge lies above it.
    """

    edges: tuple[float, ...]
    counts: tuple[int, ...]

    def __post_init__(self) -> None:
        """Refuse what is no histogram.

        Raises:
            ValueError: edges do not ascend, or are not one fewer than the counts.
        """
        if len(self.counts) != len(self.edges) + 1 or list(self.edges) != sorted(set(self.edges)):
            raise ValueError(f"not a histogram: {len(self.edges)} edges, {len(self.counts)} bins")

    @classmethod
    def of(cls, values: ArrayLike, bins: int) -> Histogram:
        """At most `bins` bins that share the values equally; fewer where values repeat.

        Edges lie halfway between neighbouring values: many photos have the very same size, and the
        last digit of a number that was stored in another precision must not move them all.

        Raises:
            ValueError: no values, or some that are no numbers.
        """
        found = np.asarray(values, dtype=np.float64)
        if not found.size or not np.isfinite(found).all():
            raise ValueError("a histogram needs values, all of them numbers")
        quantiles = np.quantile(found, np.arange(1, bins) / bins, method="higher")
        # An edge at the smallest value would leave a bin below it that is always empty.
        values_above = np.unique(quantiles[quantiles > found.min()])
        distinct = np.unique(found)
        values_below = distinct[np.searchsorted(distinct, values_above) - 1]
        edges = tuple(map(float, np.unique((values_below + values_above) / 2)))
        return cls(edges, tuple(_counted(edges, found)))

    def count(self, values: ArrayLike) -> Histogram:
        """Other values in the same bins; what is no number is left out."""
        found = np.asarray(values, dtype=np.float64)
        return Histogram(self.edges, tuple(_counted(self.edges, found[np.isfinite(found)])))

    @property
    def total(self) -> int:
        """How many values."""
        return sum(self.counts)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Histogram:
        """Read what `dataclasses.asdict` made of one."""
        return cls(tuple(map(float, values["edges"])), tuple(map(int, values["counts"])))


@dataclass(frozen=True, slots=True)
class FeatureDrift:
    """How one feature has moved. `p_value`: corrected for the number of features, in [0, 1].

    `psi`: beyond chance; 0 is no distance, 0.1 is small, 0.25 large by common practice.
    """

    feature: str
    psi: float
    p_value: float
    drifted: bool


@dataclass(frozen=True, slots=True)
class Drift:
    """All features, the farthest first. `score`: the PSI of the worst that has drifted, else 0.

    `unknown`: why nothing can be said, if so; there are no features and no score then.
    """

    score: float | None
    features: tuple[FeatureDrift, ...]
    unknown: str | None = None

    @property
    def worst(self) -> tuple[str, ...]:
        """The features that have drifted, the farthest first."""
        return tuple(one.feature for one in self.features if one.drifted)


def drift(
    baseline: Mapping[str, Histogram],
    window: Mapping[str, Histogram],
    rules: DriftRules = DRIFT,
) -> Drift:
    """What has moved, of the features that both know.

    `window`: counted in the baseline's bins (`Histogram.count`). A feature with too few values on
    either side says nothing; if none is left, nothing is known.

    Raises:
        ValueError: a feature was counted in other bins than the baseline's.
    """
    pairs = {
        name: (known, window[name])
        for name, known in baseline.items()
        if name in window
        and known.total >= rules.min_baseline
        and window[name].total >= rules.min_window
    }
    if not pairs:
        return Drift(None, (), _too_few(baseline, window, rules))
    for name, (known, seen) in pairs.items():
        if known.edges != seen.edges:
            raise ValueError(f"{name} was counted in other bins than the baseline's")
    corrected = holm({name: homogeneity(*pair) for name, pair in pairs.items()})
    features = []
    for name, (known, seen) in pairs.items():
        distance = psi_beyond_chance(known, seen)
        moved = distance >= rules.min_psi and corrected[name] < rules.significance
        features.append(FeatureDrift(name, distance, corrected[name], moved))
    features.sort(key=lambda one: (not one.drifted, -one.psi, one.feature))
    return Drift(features[0].psi if features[0].drifted else 0.0, tuple(features))


def psi(first: Sequence[int], second: Sequence[int]) -> float:
    """The population stability index of two histograms with the same bins; 0 or more."""
    one, other = (np.asarray(counts, dtype=np.float64) + _HALF for counts in (first, second))
    shares, others = one / one.sum(), other / other.sum()
    return float(((shares - others) * np.log(shares / others)).sum())


def psi_beyond_chance(first: Histogram, second: Histogram) -> float:
    """The index less its mean for two samples of one distribution; 0 or more.

    That mean is (bins - 1) (1/n + 1/m) for samples of n and m (Yurdakul and Naranjo, "Statistical
    properties of the population stability index", 2020): 0.06 for a baseline of 160 photos however
    large the window. The test alone does not make up for it: the bins are the baseline's own, so
    its counts are equal by construction, and the p-values of a small one are smaller than true.
    """
    by_chance = (len(first.counts) - 1) * (1 / first.total + 1 / second.total)
    return max(0.0, psi(first.counts, second.counts) - by_chance)


def homogeneity(first: Histogram, second: Histogram) -> float:
    """The p-value of "both histograms are of one distribution": Pearson's chi-squared test."""
    counts = np.array([first.counts, second.counts], dtype=np.float64)
    counts = counts[:, counts.sum(axis=0) > 0]
    expected = counts.sum(axis=1, keepdims=True) * counts.sum(axis=0) / counts.sum()
    statistic = float(((counts - expected) ** 2 / expected).sum())
    return chi_squared_above(statistic, counts.shape[1] - 1)


def chi_squared_above(statistic: float, freedom: int) -> float:
    """The chance that a chi-squared variable of `freedom` degrees exceeds `statistic`.

    Source: Abramowitz and Stegun, 26.4.4 and 26.4.5; 1 without a degree of freedom.
    """
    if freedom < 1:
        return 1.0
    half = statistic / 2
    if freedom % 2:
        total, term, first = math.erfc(math.sqrt(half)), 1 / math.gamma(1.5), 0.5
    else:
        total, term, first = 0.0, 1.0, 0.0
    power = first
    while power < freedom / 2:
        total += math.exp(power * math.log(half) - half) * term if half > 0 else float(power == 0)
        power += 1
        term /= power
    return min(max(total, 0.0), 1.0)


def holm(p_values: Mapping[str, float]) -> dict[str, float]:
    """P-values corrected for their number by Holm's step-down method (1979)."""
    corrected: dict[str, float] = {}
    reached = 0.0
    for rank, (name, p_value) in enumerate(sorted(p_values.items(), key=lambda each: each[1])):
        reached = max(reached, min(1.0, p_value * (len(p_values) - rank)))
        corrected[name] = reached
    return corrected


def _counted(edges: Sequence[float], values: Floats) -> list[int]:
    places = np.searchsorted(np.asarray(edges, dtype=np.float64), values, side="right")
    return [int(count) for count in np.bincount(places, minlength=len(edges) + 1)]


def _too_few(
    baseline: Mapping[str, Histogram], window: Mapping[str, Histogram], rules: DriftRules
) -> str:
    if not baseline:
        return "the model carries no baseline; the next training stores one"
    known = max(one.total for one in baseline.values())
    if known < rules.min_baseline:
        return f"the baseline has {known} photos, {rules.min_baseline} are the least that count"
    seen = max((one.total for one in window.values()), default=0)
    return f"the window has {seen} photos, {rules.min_window} are the least that count"
