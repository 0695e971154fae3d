"""Feedback becomes data: what the lake takes over from labelled predictions."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC

from areyouacat.lake import (
    HeldLabel,
    LabelRecord,
    dump_shard,
    held_shard_key,
    index_shard_key,
    label_shard_key,
    utc_text,
)
from areyouacat.predictions import PredictionItem, index_row
from areyouacat.settings import LABELS
from lambdas.pipeline.logic.review import KnownLabels, Labelled, review


@dataclass(frozen=True, slots=True)
class Takeover:
    """New shards by their keys, and what is in them.

    `labels`: the label records among them, of as many photos. `held`: how many photos a person has
    to look at first. `refused`: predictions whose label is none of `settings.LABELS`. `gone`: how
    many photos were labelled that are no longer there to learn from.
    """

    shards: Mapping[str, bytes]
    labels: tuple[LabelRecord, ...]
    held: int
    refused: tuple[str, ...]
    gone: int


def take_over(
    items: Iterable[PredictionItem],
    known: KnownLabels,
    gone: Collection[str] = (),
    *,
    approval: bool = False,
) -> Takeover:
    """Index rows, label records and held labels of labelled predictions, by day.

    `known`: what the lake says already. `approval`: whether a person has to look at every label.
    A photo counts once, however often it was labelled. The same items give the same keys and
    bytes, in whatever order they come. Of the photos in `gone`, expired or erased, nothing comes
    back.
    """
    by_photo: dict[str, list[Labelled]] = defaultdict(list)
    refused: list[str] = []
    labelled_but_gone: set[str] = set()
    for item in items:
        if item.feedback is None:
            continue
        if item.prediction.photo in gone:
            labelled_but_gone.add(item.prediction.photo)
        elif item.feedback.label not in LABELS.all:
            refused.append(item.prediction.prediction_id)
        else:
            by_photo[item.prediction.photo].append(Labelled(item.prediction, item.feedback))

    reviewed = review(by_photo, known, approval=approval)
    shards: dict[str, bytes] = {}
    # A held photo is indexed already: approving it is one label record more.
    for day, photos in _by_day([*reviewed.accepted, *(one.labelled for one in reviewed.held)]):
        shard = dump_shard(index_row(labelled.prediction) for labelled in photos)
        shards[index_shard_key(day, shard)] = shard
    labels = []
    for day, photos in _by_day(reviewed.accepted):
        records = [_label_record(labelled) for labelled in photos]
        labels += records
        shard = dump_shard(records)
        shards[label_shard_key(day, shard)] = shard
    reasons = {one.labelled.prediction.photo: one.reason for one in reviewed.held}
    for day, photos in _by_day([one.labelled for one in reviewed.held]):
        shard = dump_shard(
            _held_label(labelled, reasons[labelled.prediction.photo]) for labelled in photos
        )
        shards[held_shard_key(day, shard)] = shard
    return Takeover(
        shards, tuple(labels), len(reviewed.held), tuple(refused), len(labelled_but_gone)
    )


def _by_day(photos: Iterable[Labelled]) -> Iterator[tuple[str, list[Labelled]]]:
    days: dict[str, list[Labelled]] = defaultdict(list)
    for labelled in sorted(photos, key=lambda one: one.prediction.photo):
        days[f"{labelled.feedback.at.astimezone(UTC):%Y-%m-%d}"].append(labelled)
    yield from days.items()


def _label_record(labelled: Labelled) -> LabelRecord:
    return LabelRecord(
        photo=labelled.prediction.photo,
        label=labelled.feedback.label,
        source="feedback",
        who=f"prediction/{labelled.prediction.prediction_id}",
        labelled_at=utc_text(labelled.feedback.at),
    )


def _held_label(labelled: Labelled, reason: str) -> HeldLabel:
    record = _label_record(labelled)
    return HeldLabel(record.photo, record.label, record.who, record.labelled_at, reason)
