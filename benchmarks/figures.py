"""What a benchmark is given, and what it gives back."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Final, Protocol, Self

Say = Callable[[str], None]
"""Tells progress, line by line."""

Spread = tuple[float, float]
"""Where a further run would find a figure (`repetition`)."""

AT_MOST: Final = "≤"
AT_LEAST: Final = "≥"


@dataclass(frozen=True, slots=True)
class Repeated:
    """A value of several repetitions, and its spread; None where they are too few to tell."""

    value: float
    repetitions: int
    spread: Spread | None


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured number.

    `target`: what it should be, in words, or None where it is only told; `limit`: the number in it.
    `met`: whether it is; None where nothing is asked of it or where it cannot be judged.
    `repetitions`: how many measurements it was made of; `spread`: None where it is not known.
    """

    name: str
    value: float
    unit: str
    target: str | None = None
    met: bool | None = None
    note: str = ""
    limit: float | None = None
    repetitions: int = 1
    spread: Spread | None = None

    @classmethod
    def told(cls, name: str, value: float | Repeated, unit: str, note: str = "") -> Self:
        """A number of which nothing is asked."""
        one = _repeated(value)
        return cls(name, one.value, unit, note=note, repetitions=one.repetitions, spread=one.spread)

    @classmethod
    def at_most(
        cls, name: str, value: float | Repeated, unit: str, limit: float, note: str = ""
    ) -> Self:
        """A number that must not be above its limit."""
        met = _repeated(value).value <= limit
        told = cls.told(name, value, unit, note)
        return replace(told, target=f"{AT_MOST} {limit:g}", met=met, limit=limit)

    @classmethod
    def at_least(
        cls, name: str, value: float | Repeated, unit: str, limit: float, note: str = ""
    ) -> Self:
        """A number that must not be below its limit."""
        met = _repeated(value).value >= limit
        told = cls.told(name, value, unit, note)
        return replace(told, target=f"{AT_LEAST} {limit:g}", met=met, limit=limit)

    @property
    def by(self) -> float | None:
        """How far from its limit it is, >= 0, in `unit`; None where it has none."""
        return None if self.limit is None else abs(self.value - self.limit)

    def verdict(self) -> str:
        """`met`, `missed by …`, or nothing."""
        if self.met is None:
            return ""
        word = "met" if self.met else "**missed**"
        return word if self.by is None else f"{word} by {number(self.by)}"


def _repeated(value: float | Repeated) -> Repeated:
    return value if isinstance(value, Repeated) else Repeated(value, 1, None)


def number(value: float) -> str:
    """Four digits that mean something; no fraction where there is none."""
    if value == int(value) or abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.4g}"


def interval(limits: Spread | None) -> str:
    """`from … to …`, or nothing."""
    return "" if limits is None else f"{number(limits[0])} to {number(limits[1])}"


@dataclass(frozen=True, slots=True)
class Context:
    """How a benchmark is run.

    `data`: folder with the development photos, or None. `quick`: a small part only, to see that
    the benchmark works; its figures are no results. `state`: folder for what the benchmark leaves.
    `say`: progress, line by line. `earlier`: figures of this and former calls, by benchmark.
    """

    data: Path | None
    quick: bool
    state: Path
    say: Say
    earlier: Mapping[str, Sequence[Figure]] = field(default_factory=dict)

    def earlier_value(self, benchmark: str, figure: str) -> float | None:
        """A number that another benchmark measured, if it has."""
        found = (f.value for f in self.earlier.get(benchmark, ()) if f.name == figure)
        return next(found, None)


class Benchmark(Protocol):
    """A benchmark's module."""

    NAME: str
    DESCRIPTION: str

    def run(self, context: Context) -> list[Figure]:
        """Measure. Raises BenchmarkError for what its caller can mend."""
        ...


class BenchmarkError(Exception):
    """A benchmark cannot be run; the message says what is missing."""


def to_json(figures: Sequence[Figure]) -> list[dict[str, Any]]:
    """Figures as JSON values."""
    return [asdict(figure) for figure in figures]


def from_json(values: Sequence[Mapping[str, Any]]) -> list[Figure]:
    """The inverse of `to_json`."""
    return [
        Figure(**{**value, "spread": None if value["spread"] is None else tuple(value["spread"])})
        for value in values
    ]
