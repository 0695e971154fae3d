"""How right the served model is: starter photos alone, then with photos to train on."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.figures import Context, Figure
from benchmarks.local_cloud import local_cloud
from benchmarks.photos import CATS_AND_DOGS, VARIED, LabelledPhoto, photos, write_folder
from benchmarks.scoring import Scored, score

NAME = "quality"
DESCRIPTION = "the served model's accuracy and calibration on photos it has never seen"
QUICK_TRAIN, QUICK_TEST = 200, 60


def run(context: Context) -> list[Figure]:
    """Train through the whole system, fetch what serves, score it on the test splits."""
    train = QUICK_TRAIN if context.quick else None
    test = QUICK_TEST if context.quick else None
    seeded = {
        "cats-and-dogs": photos(context, CATS_AND_DOGS, "train", train),
        "varied": photos(context, VARIED, "train", train),
    }
    cats_and_dogs = photos(context, CATS_AND_DOGS, "test", test)
    varied = photos(context, VARIED, "test", test)
    with local_cloud(context, NAME, starter=True) as cloud, TemporaryDirectory() as folder:
        context.say("  scoring the model of the starter photos")
        alone = score(cloud.served(), cats_and_dogs)
        for source, found in seeded.items():
            cloud.seed(write_folder(Path(folder) / source, found), source)
        cloud.train("starter, cats and dogs, varied")
        context.say("  scoring the model of all photos")
        served = cloud.served()
        return [
            *_starter(alone),
            *_trained(score(served, cats_and_dogs)),
            *_varied(score(served, varied), varied),
        ]


def _starter(scored: Scored) -> list[Figure]:
    return [
        Figure.at_least(
            "starter alone: accuracy", _percent(scored.accuracy), "%", 97, "Kaggle test split"
        )
    ]


def _trained(scored: Scored) -> list[Figure]:
    note = f"Kaggle test split, {len(scored.labels):,} photos"
    return [
        Figure.at_least("accuracy", _percent(scored.accuracy), "%", 98.8, f"{note}; aim: 99.2"),
        Figure.at_most(
            "expected calibration error", scored.calibration_error, "", 0.01, "15 bins of one width"
        ),
        Figure.at_most("log-loss", scored.log_loss, "nats", 0.05),
        Figure.told("verdicts hard to tell", _percent(scored.unsure), "%"),
        Figure.told("sure verdicts that are right", _percent(scored.sure_precision), "%"),
    ]


def _varied(scored: Scored, shown: Sequence[LabelledPhoto]) -> list[Figure]:
    wrong = [
        Path(photo.name).stem.partition("_")[2]
        for photo, called in zip(shown, scored.called, strict=True)
        if called != photo.label
    ]
    return [
        Figure.at_most(
            "varied non-cats called cats",
            scored.called_positive,
            f"of {len(shown)}",
            3,
            ", ".join(wrong),
        ),
        Figure.told("varied: verdicts hard to tell", _percent(scored.unsure), "%"),
        Figure.told("varied: sure verdicts that are right", _percent(scored.sure_precision), "%"),
    ]


def _percent(share: float) -> float:
    return round(100 * share, 3)
