"""Feedback becomes data: what the lake takes over from labelled predictions."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC

from areyouacat.lake import (
    FEEDBACK_SOURCE,
    IndexRow,
    LabelRecord,
    dump_shard,
    index_shard_key,
    label_shard_key,
    utc_text,
)
from areyouacat.predictions import Feedback, Prediction, PredictionItem
from areyouacat.settings import LABELS


@dataclass(frozen=True, slots=True)
class Labelled:
    """A prediction somebody said something about."""

    prediction: Prediction
    feedback: Feedback


@dataclass(frozen=True, slots=True)
class Takeover:
    """New shards by their keys, and how many photos they label.

    `refused`: predictions whose label is none of `settings.LABELS`. `gone`: how many photos were
    labelled that are no longer there to learn from.
    """

    shards: Mapping[str, bytes]
    photos: int
    refused: tuple[str, ...]
    gone: int


def take_over(items: Iterable[PredictionItem], gone: Collection[str] = ()) -> Takeover:
    """Index rows and label records of labelled predictions, one pair of shards a day.

    A photo that was labelled several times counts once, by its latest feedback. The same items
    give the same keys and bytes, in whatever order they come. Of the photos in `gone`, expired or
    erased, nothing comes back.
    """
    latest: dict[str, Labelled] = {}
    refused: list[str] = []
    labelled_but_gone: set[str] = set()
    for item in items:
        if item.feedback is None:
            continue
        if item.prediction.photo in gone:
            labelled_but_gone.add(item.prediction.photo)
            continue
        if item.feedback.label not in LABELS.all:
            refused.append(item.prediction.prediction_id)
            continue
        labelled = Labelled(item.prediction, item.feedback)
        known = latest.get(item.prediction.photo)
        if known is None or _order(known) < _order(labelled):
            latest[item.prediction.photo] = labelled

    by_day: dict[str, list[Labelled]] = defaultdict(list)
    for photo in sorted(latest):
        by_day[f"{latest[photo].feedback.at.astimezone(UTC):%Y-%m-%d}"].append(latest[photo])

    shards: dict[str, bytes] = {}
    for day, labelled_photos in by_day.items():
        index = dump_shard(_index_row(labelled) for labelled in labelled_photos)
        labels = dump_shard(_label_record(labelled) for labelled in labelled_photos)
        shards[index_shard_key(day, index)] = index
        shards[label_shard_key(day, labels)] = labels
    return Takeover(shards, len(latest), tuple(refused), len(labelled_but_gone))


def _order(labelled: Labelled) -> tuple[str, str]:
    return utc_text(labelled.feedback.at), labelled.prediction.prediction_id


def _index_row(labelled: Labelled) -> IndexRow:
    prediction = labelled.prediction
    return IndexRow(
        photo=prediction.photo,
        size_bytes=prediction.size_bytes,
        width=prediction.width,
        height=prediction.height,
        format=prediction.format,
        brightness=prediction.brightness,
        contrast=prediction.contrast,
        sharpness=prediction.sharpness,
        perceptual_hash=prediction.perceptual_hash,
        source=FEEDBACK_SOURCE,
        ingested_at=utc_text(prediction.predicted_at),
    )


def _label_record(labelled: Labelled) -> LabelRecord:
    return LabelRecord(
        photo=labelled.prediction.photo,
        label=labelled.feedback.label,
        source="feedback",
        who=f"prediction/{labelled.prediction.prediction_id}",
        labelled_at=utc_text(labelled.feedback.at),
    )
