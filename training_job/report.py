"""What people look at: plots, the worst mistakes, the model card."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from areyouacat.model_spec import ModelSpec
from areyouacat.settings import LABELS
from areyouacat.splits import Split
from training_job import plots
from training_job.evaluation import Quality
from training_job.fit import Curve
from training_job.model_card import model_card
from training_job.photos import PhotoSource, UnusablePhoto
from training_job.settings import REPORT


@dataclass(frozen=True, slots=True)
class Scored:
    """One split's photos, labels and probabilities, and the figures they give."""

    photos: tuple[str, ...]
    positive: npt.NDArray[np.bool_]
    probabilities: npt.NDArray[np.float64]
    quality: Quality


def write_report(
    folder: Path,
    spec: ModelSpec,
    scored: Mapping[Split, Scored],
    curve: Curve | None,
    source: PhotoSource,
    *,
    counts: Mapping[str, Mapping[str, int]],
    unreadable: Sequence[str],
) -> None:
    """Write every file of the report into an existing folder."""
    scores = {split: (found.probabilities, found.positive) for split, found in scored.items()}
    plots.plot_roc(folder / "roc.png", scores)
    plots.plot_reliability(folder / "reliability.png", scores)
    for split, found in scored.items():
        plots.plot_confusion(folder / f"confusion_{split}.png", split, found.quality.confusion)
    if curve:
        plots.plot_curves(folder / "training_curve.png", curve)
    mistakes = _worst_mistakes(scored, spec.threshold, source)
    if mistakes:
        plots.mistakes_sheet(folder / "worst_mistakes.jpg", mistakes)
    quality = {split: found.quality for split, found in scored.items()}
    (folder / "model_card.md").write_text(
        model_card(spec, counts, quality, unreadable), encoding="utf-8"
    )


def _worst_mistakes(
    scored: Mapping[Split, Scored], threshold: float, source: PhotoSource
) -> list[tuple[Image.Image, str]]:
    """Wrong answers, the surest first."""
    wrong = sorted(
        (
            (abs(probability - threshold), photo, bool(positive), split, float(probability))
            for split, found in scored.items()
            for photo, positive, probability in zip(
                found.photos, found.positive, found.probabilities, strict=True
            )
            if (probability >= threshold) != positive
        ),
        reverse=True,
    )
    sheet: list[tuple[Image.Image, str]] = []
    for _, photo, positive, split, probability in wrong[: REPORT.worst_mistakes]:
        try:
            image = source.decoded(photo).image
        except UnusablePhoto:
            continue  # gone since its features were computed
        label = LABELS.positive if positive else LABELS.negative
        sheet.append((image, f"{label} {probability:.3f} {split}"))
    return sheet
