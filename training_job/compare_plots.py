"""Pictures of a comparison. Each function writes one PNG; a model has one colour in all of them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from areyouacat.comparison import Comparison, ModelFigures
from areyouacat.markdown import TITLES
from areyouacat.quality import FIGURES
from areyouacat.resampling import Estimate, wilson
from areyouacat.settings import LABELS
from training_job.roc_plot import RocLine, draw_roc, frame

_COLUMNS: Final = 4  # of small pictures side by side
_DPI: Final = 110
_LATENCY: Final = "latency p50 (ms)"


def draw_all(folder: Path, comparison: Comparison) -> dict[str, str]:
    """Draws all that there is to draw; file name -> what it shows."""
    pictures = {"figures.png": "Figures with their 95 % intervals"}
    plot_figures(folder / "figures.png", comparison)
    if any(model.roc for model in comparison.models):
        pictures["roc.png"] = "ROC: the dots are the models' own thresholds"
        plot_roc(folder / "roc.png", comparison)
    pictures["reliability.png"] = "Reliability: is a probability worth what it says?"
    plot_reliability(folder / "reliability.png", comparison)
    if comparison.pairs:
        pictures["pairs.png"] = "Photos that the row's version has right and the column's has not"
        plot_pairs(folder / "pairs.png", comparison)
    return pictures


def plot_figures(path: Path, comparison: Comparison) -> None:
    """A small picture of each figure: a dot a model, whiskers of 95 %; latency as the last."""
    models = comparison.models
    names = [name for name in FIGURES if any(name in model.figures for model in models)]
    rows = -(-(len(names) + 1) // _COLUMNS)
    figure = _figure(12, rows * (1.1 + 0.28 * len(models)) + 0.4)
    cells = figure.subplots(rows, _COLUMNS, sharey=True, squeeze=False).ravel()
    for axes, name in zip(cells, names, strict=False):
        _dots(axes, TITLES[name], models, [model.figures.get(name) for model in models])
    speeds = [Estimate(*[model.latency_ms] * 3) for model in models]
    _dots(cells[len(names)], _LATENCY, models, speeds)
    cells[len(names)].set_xlim(0, 1.1 * max(model.latency_ms for model in models))
    for axes in cells[len(names) + 1 :]:
        axes.set_visible(False)
    _save(path, figure)


def plot_roc(path: Path, comparison: Comparison) -> None:
    """True against false positive rate, one line a model; the corner once more, enlarged."""
    figure = _figure(11, 5.2)
    draw_roc(
        figure,
        [
            RocLine(
                (model.roc.false_positive_rate, model.roc.true_positive_rate),
                model.confusion,
                _colour(index),
                f"version {model.version}: area {model.figures['roc_auc'].value:.4f}",
            )
            for index, model in enumerate(comparison.models)
            if model.roc
        ],
    )
    _save(path, figure)


def plot_reliability(path: Path, comparison: Comparison) -> None:
    """How often the positive label was right against how sure a model was; one picture each.

    The bars are Wilson's 95 % limits: a bin of three photos can lie anywhere. A dot's area grows
    with its photos.
    """
    models = comparison.models
    columns = min(_COLUMNS, len(models))
    rows = -(-len(models) // columns)
    figure = _figure(max(4.5, 3.2 * columns), 3.3 * rows)
    cells = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).ravel()
    for index, (axes, model) in enumerate(zip(cells, models, strict=False)):
        bins = model.reliability
        sure = [each.mean_probability for each in bins]
        shares = [each.share_positive for each in bins]
        limits = [wilson(each.share_positive * each.photos, each.photos) for each in bins]
        axes.plot([0, 1], [0, 1], color="grey", linewidth=1, zorder=0)
        axes.vlines(sure, *np.transpose(limits), color="silver", zorder=1)
        sizes = [12 + 240 * each.photos / comparison.photos for each in bins]
        axes.scatter(sure, shares, s=sizes, color=_colour(index), zorder=2)
        error = model.figures["expected_calibration_error"].value
        axes.set_title(f"version {model.version}: error {error:.4f}", fontsize=10)
        frame(axes, (-0.05, 1.05), (-0.05, 1.05))
    for axes in cells[len(models) :]:
        axes.set_visible(False)
    figure.supxlabel(f"probability of {LABELS.positive}, mean of the bin", fontsize=10)
    figure.supylabel(f"share of {LABELS.positive} photos", fontsize=10)
    _save(path, figure)


def plot_pairs(path: Path, comparison: Comparison) -> None:
    """A square of models: photos that only the row's has right; the diagonal is left empty."""
    versions = [model.version for model in comparison.models]
    counts = np.full((len(versions), len(versions)), np.nan)
    for pair in comparison.pairs:
        first, second = versions.index(pair.first), versions.index(pair.second)
        counts[first, second] = pair.only_first_right
        counts[second, first] = pair.only_second_right
    most = max(1.0, float(np.nanmax(counts)))
    side = 2.2 + 0.8 * len(versions)
    figure = _figure(side, side)
    axes = figure.subplots()
    axes.imshow(counts, cmap="Blues", vmin=0, vmax=most)
    for (row, column), count in np.ndenumerate(counts):
        if row != column:
            axes.text(
                column,
                row,
                f"{int(count):,}",
                ha="center",
                va="center",
                fontsize=12,
                color="white" if count > most / 2 else "black",
            )
    axes.set_xticks(range(len(versions)), versions)
    axes.set_yticks(range(len(versions)), versions)
    axes.set_xlabel("this version wrong")
    axes.set_ylabel("this version right")
    axes.set_title(f"of {comparison.photos:,} photos", fontsize=10)
    _save(path, figure)


def _dots(
    axes: Axes, title: str, models: Sequence[ModelFigures], found: Sequence[Estimate | None]
) -> None:
    for row, estimate in enumerate(found):
        if estimate is not None:
            axes.hlines(row, estimate.low, estimate.high, color=_colour(row), alpha=0.5)
            axes.plot(estimate.value, row, "o", color=_colour(row))
    axes.set_yticks(range(len(models)), [f"version {model.version}" for model in models])
    axes.set_ylim(len(models) - 0.5, -0.5)
    axes.set_title(title, fontsize=10)
    axes.tick_params(axis="x", labelsize=8)
    axes.grid(axis="x", alpha=0.3)


def _colour(index: int) -> str:
    return f"C{index}"


def _figure(width: float, height: float) -> Figure:
    return Figure(figsize=(width, height), dpi=_DPI, layout="constrained")


def _save(path: Path, figure: Figure) -> None:
    figure.savefig(path)
