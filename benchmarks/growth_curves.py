"""Measured curves, what was fitted to them, and the figures that say so."""

import statistics
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from benchmarks.exponents import Growth, above_fixed_cost, last_decades, power_law
from benchmarks.figures import Figure
from benchmarks.process import Cost

MAX_EXPONENT: Final = 1.15
MAX_PAGE_EXPONENT: Final = 0.1  # a hundred times the predictions take 1.6 times as long
BEYOND: Final = 10_000_000  # items, to which the fits are extended


@dataclass(frozen=True, slots=True)
class Point:
    """One measurement. `size`: items."""

    size: int
    cost: Cost


@dataclass(frozen=True, slots=True)
class Limit:
    """The memory that a part is given, and what it runs on."""

    where: str
    memory_mb: float


@dataclass(frozen=True, slots=True)
class Curve:
    """One part of the system, measured at some sizes, small ones several times."""

    part: str
    items: str
    points: tuple[Point, ...]
    limit: Limit | None = None

    @property
    def sizes(self) -> list[int]:
        """The different ones, in order."""
        return sorted({point.size for point in self.points})

    def of(self, size: int) -> list[Cost]:
        """The measurements at one size."""
        return [point.cost for point in self.points if point.size == size]

    def seconds(self, size: int) -> float:
        """Of processor, the median."""
        return statistics.median(cost.processor_seconds for cost in self.of(size))

    def memory_mb(self, size: int) -> float:
        """The median of the peaks."""
        return statistics.median(cost.memory_mb for cost in self.of(size))

    def fitted(self, value: Callable[[Cost], float]) -> Growth:
        """A fixed cost and a power law above it."""
        return above_fixed_cost(*self._columns(value))

    def reckoned(self, value: Callable[[Cost], float], size: float) -> float:
        """The value at a size beyond the measured ones: the fit's, and no less than a straight
        line's through the two largest. A part that stops growing makes a fit too flat.
        """
        earlier, last = (
            (n, statistics.median(value(cost) for cost in self.of(n))) for n in self.sizes[-2:]
        )
        slope = (last[1] - earlier[1]) / (last[0] - earlier[0])
        return max(self.fitted(value).at(size), last[1] + slope * (size - last[0]))

    def plainly(self, value: Callable[[Cost], float]) -> str:
        """The exponents with the fixed cost left in: over all sizes, and over the last decades."""
        columns = self._columns(value)
        overall, last = power_law(*columns).exponent, last_decades(*columns)
        return f"{overall.value:.2f} over all sizes, {last.value:.2f} over the last two decades"

    def _columns(self, value: Callable[[Cost], float]) -> tuple[list[int], list[float]]:
        return [p.size for p in self.points], [value(p.cost) for p in self.points]


@dataclass(frozen=True, slots=True)
class PageCurve:
    """The first views of one page, in seconds, by how many predictions are stored.

    `floor`: an empty page's, in turns with them.
    """

    page: str
    seconds: dict[int, tuple[float, ...]]
    floor: dict[int, tuple[float, ...]]

    @property
    def fitted(self) -> Growth:
        """A power law through every visit."""
        return _through_all(self.seconds)


def processor(cost: Cost) -> float:
    """Of a cost, what a busy machine does not change."""
    return cost.processor_seconds


def clock(cost: Cost) -> float:
    """Of a cost, the seconds that went by."""
    return cost.seconds


def memory(cost: Cost) -> float:
    """Of a cost, the peak of memory in MB."""
    return cost.memory_mb


def figures(curves: Sequence[Curve], pages: Sequence[PageCurve]) -> list[Figure]:
    """Each part at each size, its exponents, and what they say of more than was measured."""
    return [
        *(figure for curve in curves for figure in _of_curve(curve)),
        *(_of_page(page) for page in pages),
    ]


def _of_curve(curve: Curve) -> Iterator[Figure]:
    for size in curve.sizes:
        name = f"{curve.part}: {size:,} {curve.items}"
        yield Figure.told(name, curve.seconds(size), "s of CPU", _note(curve, size))
    time, held = curve.fitted(processor), curve.fitted(memory)
    yield Figure.at_most(
        f"{curve.part}: exponent of time", time.exponent.value, "", MAX_EXPONENT,
        f"{time.exponent} above a fixed {time.fixed:.2g} s; {curve.plainly(processor)}; "
        f"by the clock {curve.fitted(clock).exponent}",
    )  # fmt: skip
    yield Figure.at_most(
        f"{curve.part}: exponent of memory", held.exponent.value, "", MAX_EXPONENT,
        f"{held.exponent} above a fixed {held.fixed:.0f} MB; {curve.plainly(memory)}",
    )  # fmt: skip
    largest, limit = curve.sizes[-1], curve.limit
    if limit:
        yield Figure.at_most(
            f"{curve.part}: memory at {largest:,}", curve.memory_mb(largest), "MB",
            limit.memory_mb, f"what {limit.where} is given",
        )  # fmt: skip
    yield Figure.told(
        f"{curve.part}: {BEYOND:,} {curve.items}, reckoned",
        curve.reckoned(processor, BEYOND), "s of CPU",
        f"not measured; {curve.reckoned(memory, BEYOND):,.0f} MB",
    )  # fmt: skip


def _note(curve: Curve, size: int) -> str:
    costs = curve.of(size)
    wall = statistics.median(cost.seconds for cost in costs)
    told = f"{wall:.3g} s by the clock, {curve.memory_mb(size):,.0f} MB"
    if len(costs) == 1:
        return f"once; {told}"
    worked = [cost.processor_seconds for cost in costs]
    return f"median of {len(costs)}, {min(worked):.3g} to {max(worked):.3g}; {told}"


def _of_page(page: PageCurve) -> Figure:
    medians = ", ".join(
        f"{statistics.median(seconds):.2f} s at {size:,}" for size, seconds in page.seconds.items()
    )
    visits = min(len(seconds) for seconds in page.seconds.values())
    return Figure.at_most(
        f"{page.page}: exponent of its first view",
        page.fitted.exponent.value,
        "",
        MAX_PAGE_EXPONENT,
        f"{page.fitted.exponent}; {medians} predictions, medians of {visits} visits; an empty page "
        f"beside them {_through_all(page.floor).exponent}",
    )


def _through_all(seconds: dict[int, tuple[float, ...]]) -> Growth:
    every = [(size, second) for size, found in seconds.items() for second in found]
    return power_law(*zip(*every, strict=True))
