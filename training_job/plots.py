"""Pictures of a training run. Each function writes one PNG."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image, ImageDraw, ImageOps

from areyouacat.settings import LABELS
from areyouacat.splits import Split
from training_job.evaluation import (
    Confusion,
    Positive,
    Probabilities,
    reliability,
    roc_auc,
    roc_curve,
)
from training_job.fit import Curve
from training_job.settings import REPORT

Scores = Mapping[Split, tuple[Probabilities, Positive]]
"""Probabilities and labels by split."""


def plot_roc(path: Path, scores: Scores) -> None:
    """True against false positive rate, one line a split."""
    figure, axes = _square("false positive rate", "true positive rate")
    for split, (probabilities, positive) in scores.items():
        area = roc_auc(probabilities, positive)
        axes.plot(*roc_curve(probabilities, positive), label=f"{split}: AUC {area:.4f}")
    _save(path, figure, axes)


def plot_reliability(path: Path, scores: Scores) -> None:
    """How often the positive label was right against how sure the model was."""
    figure, axes = _square("probability", f"share of {LABELS.positive}")
    axes.plot([0, 1], [0, 1], color="grey", linewidth=1)
    for split, (probabilities, positive) in scores.items():
        bins = reliability(probabilities, positive)
        axes.plot(
            [found.mean_probability for found in bins],
            [found.share_positive for found in bins],
            marker="o",
            label=split,
        )
    _save(path, figure, axes)


def plot_confusion(path: Path, split: str, confusion: Confusion) -> None:
    """Counts by label and answer."""
    counts = np.array(
        [
            [confusion.true_positive, confusion.false_negative],
            [confusion.false_positive, confusion.true_negative],
        ]
    )
    figure, axes = _square("answer", "label")
    axes.imshow(counts, cmap="Blues")
    for (row, column), count in np.ndenumerate(counts):
        axes.text(column, row, f"{count:,}", ha="center", va="center", color="tab:orange")
    axes.set_xticks((0, 1), LABELS.all)
    axes.set_yticks((0, 1), LABELS.all)
    axes.set_title(split)
    _save(path, figure, axes)


def plot_curves(path: Path, curve: Curve) -> None:
    """Loss by epoch of the chosen penalty."""
    figure, axes = _square("epoch", "negative log-likelihood (nats)")
    epochs = range(1, len(curve.train_loss) + 1)
    axes.plot(epochs, curve.train_loss, label="train")
    axes.plot(epochs, curve.validation_loss, label="validation")
    axes.set_title(f"l2 = {curve.l2:g}")
    _save(path, figure, axes)


def mistakes_sheet(path: Path, mistakes: Sequence[tuple[Image.Image, str]]) -> None:
    """The worst mistakes on one JPEG, each with its caption. At least one."""
    side, columns, caption = REPORT.thumbnail_px, 6, 16
    rows = -(-len(mistakes) // columns)
    sheet = Image.new("RGB", (columns * side, rows * (side + caption)), "white")
    draw = ImageDraw.Draw(sheet)
    for index, (photo, text) in enumerate(mistakes):
        row, column = divmod(index, columns)
        corner = (column * side, row * (side + caption))
        sheet.paste(ImageOps.pad(photo, (side, side), color="white"), corner)
        draw.text((corner[0] + 3, corner[1] + side + 2), text, fill="black")
    sheet.save(path, quality=85)


def _square(x: str, y: str) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(5, 5), dpi=100)
    axes = figure.add_subplot()
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    return figure, axes


def _save(path: Path, figure: Figure, axes: Axes) -> None:
    if axes.get_legend_handles_labels()[0]:
        axes.legend()
    figure.savefig(path, bbox_inches="tight")
