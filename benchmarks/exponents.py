"""How a cost grows: exponents fitted to measurements, with the interval that they leave open."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import stats

CONFIDENCE: Final = 0.95
FLAT: Final = 2.0
"""A largest value below so many times the smallest leaves no growth to tell from a fixed cost."""

_EXPONENTS: Final = np.arange(0.01, 3.0, 0.001)

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Exponent:
    """A fitted exponent and its 95 % interval; infinite where there are too few measurements."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        """As a person reads it."""
        value, low, high = (f"{one:z.2f}" for one in (self.value, self.low, self.high))
        return f"{value} ({low} to {high})"


@dataclass(frozen=True, slots=True)
class Growth:
    """`fixed + factor * size ** exponent`."""

    fixed: float
    factor: float
    exponent: Exponent

    def at(self, size: float) -> float:
        """The value at some size, which may lie beyond what was measured."""
        return self.fixed + self.factor * math.pow(size, self.exponent.value)


def power_law(sizes: Sequence[float], values: Sequence[float]) -> Growth:
    """`factor * size ** exponent`, least squares in logarithms. At least two different sizes."""
    x, y = np.log(np.asarray(sizes, float)), np.log(np.asarray(values, float))
    slope, start = (float(one) for one in np.polyfit(x, y, 1))
    free = len(x) - 2
    spread = float(((x - x.mean()) ** 2).sum())
    error = float(np.sqrt(((y - slope * x - start) ** 2).sum() / free / spread)) if free else np.inf
    reach = float(_quantile(free) * error)
    return Growth(0.0, float(np.exp(start)), Exponent(slope, slope - reach, slope + reach))


def above_fixed_cost(sizes: Sequence[float], values: Sequence[float]) -> Growth:
    """`fixed + factor * size ** exponent`, both parts >= 0; at least three different sizes.

    What is least is the sum of squares of relative errors, so that small sizes count as large ones
    do. The interval holds the exponents that fit nearly as well (profile likelihood). Values that
    hardly differ (`FLAT`) get the power law's exponent: any would fit what is left of them.
    """
    if max(values) < FLAT * min(values):
        return power_law(sizes, values)
    x, y = np.asarray(sizes, float), np.asarray(values, float)
    fits = [_parts(x**exponent, y) for exponent in _EXPONENTS]
    errors = np.array([error for _, _, error in fits])
    best = int(errors.argmin())
    free = len(x) - 3
    limit = errors[best] * (1 + _quantile(free) ** 2 / free) if free else np.inf
    as_good = _EXPONENTS[errors <= limit]
    fixed, factor, _ = fits[best]
    found = Exponent(float(_EXPONENTS[best]), float(as_good.min()), float(as_good.max()))
    return Growth(fixed, factor, found)


def last_decades(sizes: Sequence[float], values: Sequence[float], decades: float = 2.0) -> Exponent:
    """The power law's exponent over the largest sizes alone, where a fixed cost weighs least."""
    least = max(sizes) / 10**decades
    kept = [(size, value) for size, value in zip(sizes, values, strict=True) if size >= least]
    return power_law(*zip(*kept, strict=True)).exponent


def _parts(growing: Array, y: Array) -> tuple[float, float, float]:
    """The fixed part and the factor, none below zero, and the sum of squared relative errors."""
    columns = np.column_stack([np.ones_like(growing), growing]) / y[:, np.newaxis]
    wanted = np.ones_like(y)
    scale = np.sqrt((columns**2).sum(axis=0))
    both: Array = np.linalg.lstsq(columns / scale, wanted)[0] / scale
    if (both >= 0).all():
        candidates = [both]
    else:
        alone = (columns * wanted[:, np.newaxis]).sum(axis=0) / scale**2
        candidates = [np.array([alone[0], 0.0]), np.array([0.0, alone[1]])]
    errors = [float(((columns @ one - wanted) ** 2).sum()) for one in candidates]
    fixed, factor = candidates[int(np.argmin(errors))]
    return float(fixed), float(factor), min(errors)


def _quantile(free: int) -> float:
    return float(stats.t.ppf((1 + CONFIDENCE) / 2, free)) if free else np.inf
