"""How often drift is seen where there is none, and how much of a change it takes to be seen.

Windows are drawn from photos that no baseline holds; a baseline is drawn anew for each window,
since a small one is a matter of luck itself. `areyouacat.drift` judges, with its own rules.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np

from areyouacat.drift import Histogram, drift
from areyouacat.settings import DRIFT
from benchmarks.drift_world import FEATURES, Rows, World, drawn_world, real_world
from benchmarks.figures import Context, Figure
from benchmarks.repetition import repeated_share

NAME: Final = "drift"
DESCRIPTION: Final = "false alarms of the drift monitor, and the changes that it finds"

STARTER_BASELINE, LARGE_BASELINE = 160, 3_000  # photos
WINDOWS: Final = (100, 300, 1_000, 3_000)  # photos
SHARES: Final = (0.1, 0.25, 0.5, 1.0)  # of a window's photos that are changed
SHOWN_SHARE, SHOWN_WINDOW = 0.5, 1_000  # the rest of the table is in the note
TIMES, POWER_TIMES = 1_000, 60  # windows of each kind
QUICK_TIMES, QUICK_POWER_TIMES = 20, 2
MAX_FALSE_ALARMS: Final = 1.0  # per cent
_SEED: Final = 20_261_102


Found = Mapping[float, Mapping[int, float]]
"""Share of the windows in which a change was found, by share of changed photos, by window size."""


def run(context: Context) -> list[Figure]:
    """Windows without a change, then windows with one."""
    world = drawn_world(context) if context.data is None else real_world(context)
    times = QUICK_TIMES if context.quick else TIMES
    figures = []
    for size in (STARTER_BASELINE, LARGE_BASELINE):
        baseline = min(size, len(world.known))
        context.say(f"  {times:,} windows without a change, baseline of {baseline:,} photos")
        figures += [false_alarms(world, baseline, window, times) for window in WINDOWS]
    for size in (STARTER_BASELINE, LARGE_BASELINE):
        baseline = min(size, len(world.known))
        context.say(f"  changes that are found, baseline of {baseline:,} photos")
        drawn = QUICK_POWER_TIMES if context.quick else POWER_TIMES
        found = power(world, baseline, drawn)
        context.say(power_table(found))
        figures += power_figures(found, baseline, drawn)
    return figures


def false_alarms(world: World, baseline: int, window: int, times: int) -> Figure:
    """The share of unchanged windows that would raise the alarm."""
    drawn = np.random.default_rng((_SEED, baseline, window))
    fired = sum(
        fires(
            histograms(sample(drawn, world.known, baseline)), resample(drawn, world.fresh, window)
        )
        for _ in range(times)
    )
    return Figure.at_most(
        f"false alarms: baseline {baseline:,}, window {window:,}",
        repeated_share(fired, times),
        "%",
        MAX_FALSE_ALARMS,
        f"{fired} of {times:,} windows; {world.about}",
    )


def power(world: World, baseline: int, times: int) -> dict[str, Found]:
    """How often each change is found, in `times` windows of each size."""
    drawn = np.random.default_rng((_SEED, baseline))
    # The same for every change, so that changes differ by themselves alone.
    known = [histograms(sample(drawn, world.known, baseline)) for _ in range(times)]

    def found(changed: Rows, share: float, size: int) -> float:
        hits = (fires(one, mixed(drawn, world.fresh, changed, size, share)) for one in known)
        return sum(hits) / times

    return {
        name: {share: {size: found(changed, share, size) for size in WINDOWS} for share in SHARES}
        for name, changed in world.changed.items()
    }


def power_table(found: Mapping[str, Found]) -> str:
    """A line for each change and share, a column for each window size."""
    names = {
        (change, share): f"{change}, {_percent(share)} of photos"
        for change, shares in found.items()
        for share in shares
    }
    width = max(map(len, names.values()))
    lines = [f"{'found in windows of':{width}}" + "".join(f"{size:>8,}" for size in WINDOWS)]
    for (change, share), name in names.items():
        cells = found[change][share].values()
        lines.append(f"{name:{width}}" + "".join(f"{_percent(cell):>8}" for cell in cells))
    return "\n".join(f"    {line}" for line in lines)


def power_figures(found: Mapping[str, Found], baseline: int, times: int) -> list[Figure]:
    """A figure for each change; the note holds its part of the table."""
    sizes = ", ".join(f"{size:,}" for size in WINDOWS)
    figures = []
    for change, shares in found.items():
        notes = [
            f"{_percent(share)} changed: {', '.join(map(_percent, cells.values()))}"
            for share, cells in shares.items()
        ]
        figures.append(
            Figure.told(
                f"baseline {baseline:,}: {change} in {_percent(SHOWN_SHARE)} of photos found",
                repeated_share(round(times * shares[SHOWN_SHARE][SHOWN_WINDOW]), times),
                "%",
                f"in windows of {SHOWN_WINDOW:,}; windows of {sizes}: {'; '.join(notes)}",
            )
        )
    return figures


def histograms(rows: Rows) -> dict[str, Histogram]:
    """The baseline that training makes of such photos."""
    return {name: Histogram.of(rows[:, column], DRIFT.bins) for column, name in enumerate(FEATURES)}


def fires(known: Mapping[str, Histogram], window: Rows) -> bool:
    """Whether the alarm on the window's drift would fire."""
    seen = {name: known[name].count(window[:, column]) for column, name in enumerate(FEATURES)}
    score = drift(known, seen).score
    return score is not None and score >= DRIFT.min_psi


def sample(drawn: np.random.Generator, rows: Rows, count: int) -> Rows:
    """So many different photos."""
    return rows[drawn.choice(len(rows), count, replace=False)]


def resample(drawn: np.random.Generator, rows: Rows, count: int) -> Rows:
    """So many photos, each drawn from all."""
    return rows[drawn.integers(0, len(rows), count)]


def mixed(drawn: np.random.Generator, fresh: Rows, changed: Rows, count: int, share: float) -> Rows:
    """A window of which `share`, [0, 1], is changed."""
    other = round(share * count)
    parts = (resample(drawn, fresh, count - other), resample(drawn, changed, other))
    return np.concatenate(parts)


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"
