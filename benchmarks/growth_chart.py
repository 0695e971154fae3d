"""The curves as one picture: time and memory of each part, and the pages."""

import statistics
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import matplotlib as mpl

mpl.use("Agg")  # no display is needed, and none is asked for
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.ticker import FuncFormatter, NullFormatter

from benchmarks.growth_curves import BEYOND, Curve, PageCurve, memory, processor
from benchmarks.process import Cost

_COLOURS: Final = ("#2b6cb0", "#c05621", "#2f855a", "#805ad5", "#b83280", "#4a5568", "#b7791f")
_GREY: Final = "#718096"


def draw(curves: Sequence[Curve], pages: Sequence[PageCurve], file: Path) -> None:
    """Write the picture in the format that the file's name says."""
    figure, (time, held, views) = plt.subplots(1, 3, figsize=(17, 7), layout="constrained")
    for colour, curve in zip(_COLOURS, curves, strict=False):
        _curve(time, curve, processor, colour)
        _curve(held, curve, memory, colour)
    _limits(held, curves)
    _axes(time, "processor time", "seconds of CPU")
    _axes(held, "peak memory of the process", "MB")
    for place, (colour, page) in enumerate(zip(_COLOURS, pages, strict=False)):
        _page(views, page, colour, aside=1 + 0.05 * (place - len(pages) // 2))
    _axes(views, "first view of each page", "seconds", what="predictions stored")
    views.set_ylim(0.1, 100)
    figure.suptitle(
        "How each part grows: points are medians with all measurements, lines a fixed cost and a "
        "power law above it, dotted beyond what was measured;\nin brackets the exponents' 95 % "
        "intervals",
        fontsize=12,
    )
    figure.savefig(file, dpi=120)
    plt.close(figure)


def _curve(axes: Any, curve: Curve, value: Callable[[Cost], float], colour: str) -> None:
    fitted = curve.fitted(value)
    label = f"{curve.part}: {fitted.exponent}"
    _points(axes, {n: [value(cost) for cost in curve.of(n)] for n in curve.sizes}, colour, label)
    inside = np.geomspace(curve.sizes[0], curve.sizes[-1])
    beyond = np.geomspace(curve.sizes[-1], BEYOND)
    axes.plot(inside, [fitted.at(size) for size in inside], "-", color=colour, lw=1.3)
    axes.plot(beyond, [curve.reckoned(value, size) for size in beyond], ":", color=colour, lw=1.3)


def _page(axes: Any, page: PageCurve, colour: str, aside: float) -> None:
    """`aside`: factor by which points are moved, so that those of all pages can be told apart."""
    fitted = page.fitted
    moved = {size * aside: seconds for size, seconds in page.seconds.items()}
    _points(axes, moved, colour, f"{page.page}: {fitted.exponent}")
    inside = np.geomspace(min(page.seconds), max(page.seconds))
    axes.plot(inside, [fitted.at(size) for size in inside], "-", color=colour, lw=1.3)


def _points(axes: Any, values: Any, colour: str, label: str) -> None:
    medians = np.array([statistics.median(found) for found in values.values()])
    low = medians - np.array([min(found) for found in values.values()])
    high = np.array([max(found) for found in values.values()]) - medians
    axes.errorbar(
        list(values), medians, yerr=(low, high), fmt="o", ms=5, capsize=3, lw=1, color=colour,
        label=label,
    )  # fmt: skip


def _limits(axes: Any, curves: Sequence[Curve]) -> None:
    known: dict[float, list[str]] = {}
    for curve in curves:
        if curve.limit and curve.limit.where not in known.setdefault(curve.limit.memory_mb, []):
            known[curve.limit.memory_mb].append(curve.limit.where)
    for limit, where in known.items():
        axes.axhline(limit, color=_GREY, lw=0.9, ls="--", zorder=0)
        axes.annotate(
            f"{limit:,.0f} MB: {', '.join(where)}", (0.02, limit),
            xycoords=("axes fraction", "data"), xytext=(0, 3), textcoords="offset points",
            fontsize=9, color=_GREY,
        )  # fmt: skip


def _axes(axes: Any, title: str, unit: str, what: str = "items") -> None:
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_title(title, fontsize=11, loc="left")
    axes.set_xlabel(what)
    axes.set_ylabel(unit)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))
        axis.set_minor_formatter(NullFormatter())
    axes.grid(which="major", color="#e2e8f0", lw=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.11), ncols=2, fontsize=9, frameon=False)
