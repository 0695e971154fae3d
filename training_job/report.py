"""What people look at: plots, the worst mistakes, the model card."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol

from PIL import Image

from areyouacat.images import Photo
from areyouacat.settings import LABELS
from areyouacat.splits import Split
from training_job import plots
from training_job.evaluation import Assessment, Scored
from training_job.model_card import model_card
from training_job.model_files import Job
from training_job.photos import UnusablePhoto
from training_job.settings import REPORT

MISTAKES_FILE = "worst_mistakes.json"
"""Which photos the sheet shows: who erases a photo finds by it the sheets it must not stay on."""


class Album(Protocol):
    """Where photos can be looked at; `photos.PhotoSource` is one."""

    def decoded(self, photo: str) -> Photo:
        """The photo. Raises UnusablePhoto."""
        ...


def write_report(
    folder: Path, job: Job, assessed: Mapping[Split, Assessment], source: Album
) -> None:
    """Write every file of the report into an existing folder."""
    scored, threshold = job.trained.scored, job.spec.threshold
    ranked = {split: found for split, found in scored.items() if _holds_both_labels(found)}
    if ranked:
        plots.plot_roc(folder / "roc.png", ranked)
        plots.plot_precision_recall(folder / "precision_recall.png", ranked)
    for split, found in scored.items():
        plots.plot_reliability(folder / f"reliability_{split}.png", split, found)
        plots.plot_confusion(folder / f"confusion_{split}.png", split, found.quality)
    if job.trained.decider.fit:
        plots.plot_curves(folder / "training_curve.png", job.trained.decider.fit.chosen)
    write_mistakes(folder, scored, threshold, source)
    _write_json(folder / "summary.json", job.trained.dataset.summary)
    (folder / "model_card.md").write_text(model_card(job, assessed), encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Mistake:
    """A wrong answer. `probability`: of the positive label."""

    photo: str
    split: Split
    label: str
    answer: str
    probability: float

    @property
    def caption(self) -> str:
        """Two lines for the sheet."""
        return f"{self.label} -> {self.answer}\n{self.probability:.3f}  {self.split}"


def worst_mistakes(scored: Mapping[Split, Scored], threshold: float) -> list[Mistake]:
    """Wrong answers, the surest first."""
    wrong = [
        Mistake(
            photo,
            split,
            LABELS.positive if positive else LABELS.negative,
            LABELS.negative if positive else LABELS.positive,
            float(probability),
        )
        for split, found in scored.items()
        for photo, positive, probability in zip(
            found.photos, found.positive, found.probabilities, strict=True
        )
        if (probability >= threshold) != positive
    ]
    return sorted(wrong, key=lambda found: (-abs(found.probability - threshold), found.photo))


def _holds_both_labels(scored: Scored) -> bool:
    return bool(scored.positive.any() and not scored.positive.all())


def write_mistakes(
    folder: Path, scored: Mapping[Split, Scored], threshold: float, source: Album
) -> None:
    """Write the sheet of the worst mistakes, if there are any, and the list of its photos."""
    shown: list[tuple[Image.Image, Mistake]] = []
    for mistake in worst_mistakes(scored, threshold):
        if len(shown) == REPORT.worst_mistakes:
            break
        try:
            shown.append((source.decoded(mistake.photo).image, mistake))
        except UnusablePhoto:
            continue  # gone since its features were computed
    if shown:
        sheet = [(image, mistake.caption) for image, mistake in shown]
        plots.mistakes_sheet(folder / "worst_mistakes.jpg", sheet)
    _write_json(folder / MISTAKES_FILE, [asdict(mistake) for _, mistake in shown])


def _write_json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, indent=2, sort_keys=True) + "\n", encoding="utf-8")
