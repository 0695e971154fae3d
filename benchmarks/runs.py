"""Several runs of one benchmark: the figures of the run in the middle, and whether the runs agree.

Two runs of a figure agree if each one's value lies within the spread that the other states
(`repetition`), or within 1 % of the other's value, which nobody would act on. Where a figure states
no spread, its runs may differ by:

    counts                 nothing
    %                      1 point
    MB                     10 % of the value
    nats, no unit          10 %: losses, and exponents of growth
    everything else        25 %: seconds, rates and ratios of a machine that does other things too

A figure agrees if all pairs of its runs do. The spread knows only the luck within a run, so a
machine that is busy in one run and idle in the next makes figures disagree, and they are told.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import Any, Final

from benchmarks.figures import Figure, Spread, from_json, to_json

NEGLIGIBLE: Final = 0.01
_POINTS: Final = 1.0
_SHARES: Final = {"MB": 0.1, "nats": 0.1, "": 0.1}
_OTHER_SHARE: Final = 0.25


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a benchmark: when, for how long, where, with what, and its figures."""

    date: str
    seconds: float
    machine: dict[str, Any]
    versions: dict[str, str]
    figures: tuple[Figure, ...]

    def to_json(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "date": self.date,
            "seconds": round(self.seconds, 1),
            "machine": self.machine,
            "versions": self.versions,
            "figures": to_json(self.figures),
        }

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "Run":
        """The inverse of `to_json`."""
        return cls(**{**value, "figures": tuple(from_json(value["figures"]))})


@dataclass(frozen=True, slots=True)
class Summary:
    """One figure over the runs.

    `figure`: of the run in the middle, the lower one of two. `limits`: the lowest and the highest
    value. `agrees`: None where there is one run only.
    """

    figure: Figure
    runs: int
    limits: Spread
    agrees: bool | None


def summaries(runs: Sequence[Run]) -> list[Summary]:
    """Every figure that some run has, in the order in which they came."""
    found: dict[str, list[Figure]] = {}
    for run in runs:
        for figure in run.figures:
            found.setdefault(figure.name, []).append(figure)
    return [_summary(figures) for figures in found.values()]


def agreement(found: Sequence[Summary]) -> str:
    """One sentence; empty where nothing was run twice."""
    judged = [one for one in found if one.agrees is not None]
    agreeing = sum(bool(one.agrees) for one in judged)
    return f"{agreeing} of {len(judged)} figures agree over their runs." if judged else ""


def tolerance(figure: Figure) -> float:
    """By how much two runs may differ where no spread is stated, in the figure's unit."""
    if is_count(figure):
        return 0.0
    if figure.unit == "%":
        return _POINTS
    return abs(figure.value) * _SHARES.get(figure.unit, _OTHER_SHARE)


def is_count(figure: Figure) -> bool:
    """Whether it says how many: no unit, or `of …`, and a whole number."""
    return (not figure.unit or figure.unit.startswith("of ")) and figure.value == int(figure.value)


def _summary(figures: Sequence[Figure]) -> Summary:
    ordered = sorted(figures, key=lambda figure: figure.value)
    return Summary(
        ordered[(len(ordered) - 1) // 2],
        len(ordered),
        (ordered[0].value, ordered[-1].value),
        all(_explains(*pair) for pair in permutations(figures, 2)) if len(figures) > 1 else None,
    )


def _explains(one: Figure, other: Figure) -> bool:
    if one.spread is None:
        return abs(other.value - one.value) <= tolerance(one)
    low, high = one.spread
    little = NEGLIGIBLE * abs(one.value)
    return min(low, one.value - little) <= other.value <= max(high, one.value + little)
