"""Pictures of a training run. Each function writes one PNG or JPEG."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from PIL import Image, ImageDraw, ImageFont, ImageOps

from areyouacat.quality import Confusion, Quality, reliability, roc_curve
from areyouacat.resampling import wilson
from areyouacat.settings import LABELS
from areyouacat.splits import Split
from training_job.evaluation import Scored, precision_recall_curve
from training_job.fit import Curve
from training_job.roc_plot import RocLine, corner_size, draw_roc, frame
from training_job.settings import REPORT

Scores = Mapping[Split, Scored]

_COLOURS: Mapping[Split, str] = {
    "train": "tab:gray",
    "validation": "tab:blue",
    "test": "tab:red",
    "recent": "tab:green",
}
"""One colour a split, in every picture."""


def plot_roc(path: Path, scores: Scores) -> None:
    """True against false positive rate, one line a split; the corner once more, enlarged.

    Every split must hold both labels.
    """
    figure = _figure("ROC: the dot is the threshold that ships", wide=True)
    draw_roc(
        figure,
        [
            RocLine(
                roc_curve(found.probabilities, found.positive),
                found.quality.confusion,
                _COLOURS[split],
                f"{split}: area {found.quality.roc_auc:.4f}",
            )
            for split, found in scores.items()
        ],
    )
    _save(path, figure)


def plot_precision_recall(path: Path, scores: Scores) -> None:
    """Precision against recall, one line a split; the corner once more, enlarged.

    Every split must hold both labels.
    """
    figure = _figure("Precision and recall: the dot is the threshold that ships", wide=True)
    axes, corner = figure.subplots(1, 2)
    worst = 0.0
    for split, found in scores.items():
        curve = precision_recall_curve(found.probabilities, found.positive)
        dot = (found.quality.recall, found.quality.precision)
        for each in (axes, corner):
            each.plot(*curve, color=_COLOURS[split], label=split, drawstyle="steps-pre")
            if found.quality.confusion.true_positive:  # else there is no such point
                each.plot(*dot, "o", color=_COLOURS[split])
        worst = max(worst, 1 - dot[0], 1 - dot[1])
    frame(axes, (-0.02, 1.02), (-0.02, 1.02))
    reach = corner_size(worst)
    frame(corner, (1 - reach, 1 + reach / 50), (1 - reach, 1 + reach / 50))
    corner.set_title("the upper right corner", fontsize=10)
    for each in (axes, corner):
        each.set_xlabel(f"recall: share of {LABELS.positive} photos found")
        each.set_ylabel(f"precision: share of calls that are {LABELS.positive}")
    axes.legend(loc="lower left", fontsize=9)
    _save(path, figure)


def plot_reliability(path: Path, split: Split, found: Scored) -> None:
    """How often the positive label was right against how sure the model was, and on how much.

    The bars are Wilson's 95 % limits: a bin of three photos can lie anywhere.
    """
    figure = _figure(
        f"Reliability on {split}: expected calibration error "
        f"{found.quality.expected_calibration_error:.4f}, {found.quality.photos:,} photos",
        tall=True,
    )
    axes, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    bins = reliability(found.probabilities, found.positive)
    sure = [each.mean_probability for each in bins]
    shares = [each.share_positive for each in bins]
    limits = [wilson(each.share_positive * each.photos, each.photos) for each in bins]
    axes.plot([0, 1], [0, 1], color="grey", linewidth=1, zorder=0, label="honest probabilities")
    axes.errorbar(
        sure,
        shares,
        yerr=[
            [max(0.0, share - low) for share, (low, _) in zip(shares, limits, strict=True)],
            [max(0.0, high - share) for share, (_, high) in zip(shares, limits, strict=True)],
        ],
        fmt="o",
        color=_COLOURS[split],
        ecolor="silver",
        capsize=2,
        label="photos of similar probability, 95 % limits",
    )
    axes.legend(loc="lower right", fontsize=8)
    axes.set_ylabel(f"share of {LABELS.positive} photos")
    frame(axes, (-0.03, 1.03), (-0.03, 1.03))
    below.bar(sure, [each.photos for each in bins], width=0.04, color=_COLOURS[split], log=True)
    for each in bins:
        below.annotate(
            f"{each.photos:,}",
            (each.mean_probability, each.photos),
            xytext=(0, 2),
            textcoords="offset points",
            ha="center",
            fontsize=8,
        )
    below.set_ylim(0.7, max(each.photos for each in bins) * 5)
    below.set_ylabel("photos")
    below.set_xlabel(f"probability of {LABELS.positive}, mean of the bin")
    below.grid(axis="x", alpha=0.3)
    _save(path, figure)


def plot_confusion(path: Path, split: Split, quality: Quality) -> None:
    """Counts by label and answer, and each row's shares."""
    counts = _matrix(quality.confusion)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    figure = _figure(f"{split}: {quality.photos:,} photos, accuracy {quality.accuracy:.2%}")
    axes = figure.subplots()
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for (row, column), count in np.ndenumerate(counts):
        axes.text(
            column,
            row,
            f"{count:,}\n{shares[row, column]:.1%}",
            ha="center",
            va="center",
            fontsize=14,
            color="white" if shares[row, column] > 0.5 else "black",
        )
    axes.set_xticks((0, 1), LABELS.all)
    axes.set_yticks((0, 1), LABELS.all, rotation=90, va="center")
    axes.set_xlabel("the model's answer")
    axes.set_ylabel("the label")
    _save(path, figure)


def plot_curves(path: Path, curve: Curve) -> None:
    """Loss by step of the chosen penalty."""
    figure = _figure(f"Training with the penalty l2 = {curve.l2:g}")
    axes = figure.subplots()
    axes.plot(curve.steps, curve.train_loss, color=_COLOURS["train"], label="train")
    axes.plot(curve.steps, curve.validation_loss, color=_COLOURS["validation"], label="validation")
    axes.set_xlabel("batches")
    axes.set_ylabel("negative log-likelihood (nats)")
    axes.grid(alpha=0.3)
    axes.legend()
    _save(path, figure)


def mistakes_sheet(path: Path, mistakes: Sequence[tuple[Image.Image, str]]) -> None:
    """The worst mistakes on one JPEG, each with its caption of two lines. At least one."""
    side, margin, columns = REPORT.thumbnail_px, 6, min(6, len(mistakes))
    font = ImageFont.load_default(REPORT.caption_px)
    caption = 2 * REPORT.caption_px + 3 * margin
    rows = -(-len(mistakes) // columns)
    size = (columns * (side + margin) + margin, rows * (side + caption) + margin)
    sheet = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(sheet)
    for index, (photo, text) in enumerate(mistakes):
        row, column = divmod(index, columns)
        left, top = margin + column * (side + margin), margin + row * (side + caption)
        sheet.paste(ImageOps.pad(photo, (side, side), color="gainsboro"), (left, top))
        draw.multiline_text((left, top + side + 2), text, fill="black", font=font, spacing=3)
    sheet.save(path, quality=85)


def _matrix(confusion: Confusion) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    return np.array(
        [
            [confusion.true_positive, confusion.false_negative],
            [confusion.false_positive, confusion.true_negative],
        ]
    )


def _figure(title: str, *, wide: bool = False, tall: bool = False) -> Figure:
    figure = Figure(
        figsize=(11 if wide else 6, 6.5 if tall else 5.2), dpi=110, layout="constrained"
    )
    figure.suptitle(title, fontsize=12)
    return figure


def _save(path: Path, figure: Figure) -> None:
    figure.savefig(path)
