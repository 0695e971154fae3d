"""What training costs: the first one, then one after 200 new photos in a small and a large lake."""

import io
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from PIL import Image, ImageOps

from benchmarks.bare import bare_seconds
from benchmarks.figures import Context, Figure
from benchmarks.lake_growth import grow
from benchmarks.local_cloud import LocalCloud, Training, local_cloud
from benchmarks.photos import CATS_AND_DOGS, VARIED, LabelledPhoto, photos, write_folder
from benchmarks.scoring import score
from training_job.backbone import load_backbone
from training_job.export import export_float32
from training_job.model import embedding_model

NAME = "training"
DESCRIPTION = "seconds of a first training and of retraining, with few and with many photos stored"
RETRAIN: Final = "retrain: execution"
FIRST: Final = "first training: execution"
MEMORY: Final = "retrain: memory of the job"
ACCURACY: Final = "retrain: accuracy on the Kaggle test split"
NEW, COPIES = 200, 9
QUICK_PHOTOS, QUICK_NEW, QUICK_COPIES, QUICK_TEST = 400, 20, 2, 60


def run(context: Context) -> list[Figure]:
    """Train three times: all photos new, some new among few, some new among many."""
    quick = context.quick
    first = photos(context, CATS_AND_DOGS, "train", QUICK_PHOTOS if quick else None)
    new = photos(context, VARIED, "train", QUICK_NEW if quick else NEW)
    test = photos(context, CATS_AND_DOGS, "test", QUICK_TEST if quick else None)
    context.say("  making the network that computes features")
    tflite = export_float32(embedding_model(load_backbone()))
    with local_cloud(context, NAME, starter=False) as cloud, TemporaryDirectory() as folder:
        _seed(cloud, Path(folder) / "first", first)
        context.say("  bare decode and LiteRT")
        before = bare_seconds(first, tflite)
        trained = cloud.train(f"{len(first):,} photos, all new")
        context.say("  bare decode and LiteRT, once more")
        bare = (before + bare_seconds(first, tflite)) / 2

        _seed(cloud, Path(folder) / "new", new)
        small = cloud.train(f"{len(new)} new photos, {len(first):,} stored")
        context.say("  scoring its model")
        accuracy = score(small.model, test).accuracy

        context.say("  growing the lake")
        stored = len(first) + grow(cloud, first, QUICK_COPIES if quick else COPIES, context.say)
        # The same pictures turned left to right: new to the lake, and no other work than before.
        _seed(cloud, Path(folder) / "mirrored", [_mirrored(photo) for photo in new])
        large = cloud.train(f"{len(new)} new photos, {stored:,} stored")
    return [
        *_first(trained, bare, before, len(first)),
        *_retrain(small, large, len(first), stored),
        Figure.told(ACCURACY, round(100 * accuracy, 3), "%", "its TFLite model, served or not"),
    ]


def _first(trained: Training, bare: float, before: float, count: int) -> list[Figure]:
    features = trained.stages["features"]
    rest = trained.job_seconds - features
    others = {k: v for k, v in trained.stages.items() if k != "features"}
    return [
        Figure.told(FIRST, trained.execution_seconds, "s", _named(trained.states)),
        Figure.told("first training: features", features, "s", f"{count:,} photos"),
        Figure.told(
            "bare decode and LiteRT",
            bare,
            "s",
            f"mean of {before:.1f} s before the training and {2 * bare - before:.1f} s after it",
        ),
        Figure.at_most("first training: features / bare", features / bare, "times", 1.1),
        Figure.at_most("first training: the rest of the job", rest, "s", 90, _named(others)),
        Figure.told("first training: memory of the job", trained.memory_mb, "MB", "at most"),
        Figure.told("first training: photos a second", count / trained.execution_seconds, "1/s",
                    f"{count:,} photos over the whole execution"),
    ]  # fmt: skip


def _retrain(small: Training, large: Training, few: int, many: int) -> list[Figure]:
    alike = small.passed == large.passed
    caution = "" if alike else "not alike: only one of the candidates passed the gate"
    return [
        Figure.told(RETRAIN, small.execution_seconds, "s", _named(small.states)),
        Figure.told("retrain: job", small.job_seconds, "s", _named(small.stages)),
        Figure.told(MEMORY, small.memory_mb, "MB", "at most"),
        Figure.told("retrain of the large lake: execution", large.execution_seconds, "s",
                    _named(large.states)),
        Figure.told("retrain of the large lake: job", large.job_seconds, "s",
                    _named(large.stages)),
        Figure.at_most(f"retrain: execution, {many:,} / {few:,} stored",
                       large.execution_seconds / small.execution_seconds, "times", 1.2, caution),
        Figure.at_most(f"retrain: job, {many:,} / {few:,} stored",
                       large.job_seconds / small.job_seconds, "times", 1.2),
    ]  # fmt: skip


def _seed(cloud: LocalCloud, folder: Path, found: list[LabelledPhoto]) -> None:
    cloud.seed(write_folder(folder, found), folder.name)


def _mirrored(photo: LabelledPhoto) -> LabelledPhoto:
    buffer = io.BytesIO()
    with Image.open(io.BytesIO(photo.data)) as image:
        ImageOps.mirror(image.convert("RGB")).save(buffer, "JPEG", quality=92)
    return replace(photo, data=buffer.getvalue())


def _named(seconds: dict[str, float]) -> str:
    """The long ones among some seconds, longest first."""
    longest = sorted(seconds.items(), key=lambda item: -item[1])
    return ", ".join(f"{name} {value:.1f}" for name, value in longest if value >= 0.5)
