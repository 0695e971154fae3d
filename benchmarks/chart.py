"""All figures as one picture: how many times as good as its target, and how far from its peer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import matplotlib as mpl

mpl.use("Agg")  # no display is needed, and none is asked for
import matplotlib.pyplot as plt
from matplotlib.ticker import FuncFormatter

from benchmarks.figures import Figure, number
from benchmarks.targets import as_margin, margin

_BLUE, _ORANGE, _GREY = "#2b6cb0", "#c05621", "#718096"
_ROW_INCHES: Final = 0.24
_MARGINS_INCHES: Final = 2.4


@dataclass(frozen=True, slots=True)
class Dot:
    """One line of the picture. `met`: None where nothing is asked."""

    name: str
    told: str
    ratio: float
    limits: tuple[float, float]
    met: bool | None


def judged(measured: Mapping[str, Sequence[Figure]]) -> list[Dot]:
    """Figures with a target that is a ratio's: above 1 is better than asked."""
    return [
        Dot(
            f"{benchmark}: {figure.name}",
            f"{_value(figure)} ({figure.target}), {_word(figure.met)}",
            ratio,
            _limits(ratio, [as_margin(figure, limit) for limit in figure.spread or ()]),
            figure.met,
        )
        for benchmark, figures in measured.items()
        for figure in figures
        if (ratio := margin(figure)) is not None
    ]


def compared(measured: Mapping[str, Sequence[Figure]]) -> list[Dot]:
    """Figures that say how many times one thing is another, of which nothing is asked."""
    return [
        Dot(
            f"{benchmark}: {figure.name}",
            _value(figure),
            figure.value,
            _limits(figure.value, list(figure.spread or ())),
            None,
        )
        for benchmark, figures in measured.items()
        for figure in figures
        if figure.unit == "times" and figure.target is None and figure.value > 0
    ]


def draw(measured: Mapping[str, Sequence[Figure]], file: Path) -> None:
    """Write the picture in the format that the file's name says."""
    parts = [
        (judged(measured), "times as good as the target: 1 is just met, to the right is better"),
        (compared(measured), "times its peer or floor: 1 is the same"),
    ]
    shown = [(dots, title) for dots, title in parts if dots] or parts[:1]
    rows = [max(len(dots), 2) for dots, _ in shown]
    figure, all_axes = plt.subplots(
        len(shown),
        1,
        figsize=(12, _MARGINS_INCHES * len(shown) + _ROW_INCHES * sum(rows)),
        height_ratios=rows,
        layout="constrained",
        squeeze=False,
    )
    for axes, (dots, title) in zip(all_axes[:, 0], shown, strict=True):
        _draw(axes, dots, title)
    figure.savefig(file, dpi=110)
    plt.close(figure)


def _draw(axes: Any, dots: Sequence[Dot], title: str) -> None:
    """Missed is a cross, met a filled dot, and the words stand beside it: colour says it twice."""
    axes.axvline(1, color=_GREY, lw=1)
    for place, dot in enumerate(dots):
        colour = _ORANGE if dot.met is False else _BLUE
        marker = {True: "o", False: "X", None: "D"}[dot.met]
        axes.plot(dot.limits, [place, place], color=colour, lw=1.5, alpha=0.6)
        axes.plot([dot.ratio], [place], marker, color=colour, ms=7,
                  mfc="white" if dot.met is None else colour)  # fmt: skip
        axes.annotate(dot.told, (1.01, place), xycoords=("axes fraction", "data"), va="center",
                      fontsize=8, annotation_clip=False)  # fmt: skip
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: number(value)))
    axes.xaxis.set_minor_formatter(FuncFormatter(lambda value, _: _minor(value, dots)))
    axes.tick_params(axis="x", which="both", labelsize=8)
    axes.set_yticks(range(len(dots)), [dot.name for dot in dots], fontsize=8)
    axes.set_ylim(max(len(dots), 1) - 0.5, -0.5)
    axes.grid(axis="x", which="major", alpha=0.3)
    axes.set_title(title, fontsize=10, loc="left")


def _minor(value: float, dots: Sequence[Dot]) -> str:
    """Labels between the powers of ten, where there are few of those."""
    ends = [end for dot in dots for end in dot.limits]
    narrow = bool(ends) and max(ends) / min(ends) < 30
    return number(value) if narrow and str(value)[0] in "235" else ""


def _limits(ratio: float, limits: Sequence[float | None]) -> tuple[float, float]:
    """Those of the spread that a logarithm has, and the ratio itself."""
    ends = [ratio, *(limit for limit in limits if limit is not None and limit > 0)]
    return (min(ends), max(ends))


def _value(figure: Figure) -> str:
    return f"{number(figure.value)} {figure.unit}".strip()


def _word(met: bool | None) -> str:
    return "met" if met else "MISSED"
