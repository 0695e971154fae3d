"""The ROC picture that a training's report and a comparison of models share."""

from collections.abc import Iterable
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from areyouacat.quality import Confusion
from areyouacat.settings import LABELS


@dataclass(frozen=True)
class RocLine:
    """One curve. `rates`: false and true positive rates; `confusion`: at the threshold."""

    rates: tuple[ArrayLike, ArrayLike]
    confusion: Confusion
    colour: str
    label: str


def draw_roc(figure: Figure, lines: Iterable[RocLine]) -> None:
    """True against false positive rate, one curve a line; the corner once more, enlarged."""
    axes, corner = figure.subplots(1, 2)
    worst = 0.0
    for line in lines:
        dot = _operating_point(line.confusion)
        worst = max(worst, dot[0], 1 - dot[1])
        for each in (axes, corner):
            each.plot(*line.rates, color=line.colour, label=line.label)
            each.plot(*dot, "o", color=line.colour)
    axes.plot([0, 1], [0, 1], color="lightgrey", linewidth=1, zorder=0)
    frame(axes, (-0.02, 1.02), (-0.02, 1.02))
    reach = corner_size(worst)
    frame(corner, (-reach / 50, reach), (1 - reach, 1 + reach / 50))
    corner.set_title("the upper left corner", fontsize=10)
    for each in (axes, corner):
        each.set_xlabel(f"share of {LABELS.negative} photos called {LABELS.positive}")
        each.set_ylabel(f"share of {LABELS.positive} photos found")
    axes.legend(loc="lower right", fontsize=9)


def corner_size(worst: float) -> float:
    """How much of the unit square's side to enlarge, so that every dot is well inside."""
    return min(1.0, max(0.02, 3 * worst))


def frame(axes: Axes, x: tuple[float, float], y: tuple[float, float]) -> None:
    """The limits of both axes, and a grid."""
    axes.set_xlim(*x)
    axes.set_ylim(*y)
    axes.grid(alpha=0.3)


def _operating_point(confusion: Confusion) -> tuple[float, float]:
    """False and true positive rate at the threshold; 0 where a label is absent."""
    negatives = confusion.false_positive + confusion.true_negative
    positives = confusion.true_positive + confusion.false_negative
    return confusion.false_positive / max(negatives, 1), confusion.true_positive / max(positives, 1)
