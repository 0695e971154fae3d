"""SnapshotDataset: an immutable data set version of everything the lake knows right now."""

import gzip
import json
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Protocol, TypeVar

from areyouacat.dataset import Dataset, build_dataset
from areyouacat.errors import DatasetError
from areyouacat.lake import (
    FEEDBACK_SOURCE,
    INDEX_PREFIX,
    LABELS_PREFIX,
    IndexRow,
    LabelRecord,
    dataset_prefix,
    features_prefix,
    load_shard,
    photo_key,
)
from areyouacat.predictions import PredictionItem
from areyouacat.settings import BACKBONE
from lambdas.pipeline.logic.feedback import Takeover, take_over
from lambdas.pipeline.logic.ports import Lake

OVERLAP: Final = timedelta(hours=1)
"""Taken over again each time: clocks differ, and an index follows its table a moment later."""

FIRST_LOOK_BACK: Final = timedelta(days=2)
"""How far back feedback is sought when no snapshot has said up to when it was taken over.

The first snapshot comes before the first model, hence before any feedback; should the watermark be
lost later, the daily schedule has taken over what is older.
"""

_GZIP: Final = "application/gzip"
_JSON: Final = "application/json"
_JSON_LINES: Final = "application/jsonl"

R = TypeVar("R", IndexRow, LabelRecord)


class FeedbackSource(Protocol):
    """Where feedback is until the lake has it."""

    def labelled_between(self, start: datetime, end: datetime) -> Iterable[PredictionItem]:
        """Predictions whose feedback came in that time."""


class Watermark(Protocol):
    """Up to when feedback is in the lake."""

    def feedback_watermark(self) -> datetime | None:
        """The moment, or None before the first snapshot."""

    def move_feedback_watermark(self, up_to: datetime) -> None:
        """Remember a moment."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A data set version and where it is.

    `missing_features`: photos whose features have yet to be computed. `feedback_labels`: photos
    of the data set whose label came from feedback. `taken_over`: what this snapshot moved.
    """

    version: str
    mode: str
    manifest_sha256: str
    dataset_s3_uri: str
    channel_manifest_s3_uri: str
    summary_key: str
    counts: Mapping[str, Mapping[str, int]]
    missing_features: int
    feedback_labels: int
    taken_over: Takeover


def snapshot(lake: Lake, feedback: FeedbackSource, watermark: Watermark, now: datetime) -> Snapshot:
    """Take new feedback over into the lake, then write a data set version of all of it.

    Reads index and labels, never a photo. The same lake gives the same version, and the watermark
    moves last, so any repetition ends the same.

    Raises:
        DatasetError: the lake cannot make a data set; says why and what to do.
    """
    since = watermark.feedback_watermark()
    start = now - FIRST_LOOK_BACK if since is None else since - OVERLAP
    taken_over = take_over(feedback.labelled_between(start, now))
    for key, shard in taken_over.shards.items():
        lake.write(key, shard, _GZIP)

    dataset = build_dataset(
        _records(lake, INDEX_PREFIX, IndexRow), _records(lake, LABELS_PREFIX, LabelRecord)
    )
    missing = _photos_without_features(lake, dataset)
    summary = dataset.summary()
    prefix = dataset_prefix(summary["version"])
    lake.write(f"{prefix}manifest.jsonl", dataset.manifest(), _JSON_LINES)
    lake.write(f"{prefix}summary.json", json.dumps(summary, indent=2).encode(), _JSON)
    lake.write(f"{prefix}channel.manifest", _channel_manifest(lake, dataset, missing), _JSON)
    watermark.move_feedback_watermark(now)
    return _snapshot(lake, summary, prefix, len(missing), taken_over)


def _records(lake: Lake, prefix: str, record: type[R]) -> Iterator[R]:
    """All records under `prefix`, one shard in memory at a time."""
    for key in lake.keys(prefix):
        data = lake.read(key)
        if data is None:  # deleted since it was listed
            continue
        try:
            yield from load_shard(data, record)
        except (ValueError, EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise DatasetError(
                f"The lake's {key} cannot be read ({error}). Restore its previous version, "
                "or delete it and seed its photos again."
            ) from error


def _photos_without_features(lake: Lake, dataset: Dataset) -> list[str]:
    known: set[str] = set()
    for key in lake.keys(features_prefix(BACKBONE.hash)):
        if key.endswith(".txt"):
            known.update((lake.read(key) or b"").decode().split())
    return [entry.photo for entry in dataset.entries if entry.photo not in known]


def _channel_manifest(lake: Lake, dataset: Dataset, photos: list[str]) -> bytes:
    """SageMaker's ManifestFile; at least one photo, since an empty channel is refused."""
    named = photos or [dataset.entries[0].photo]
    return json.dumps([{"prefix": lake.uri("")}, *map(photo_key, named)]).encode()


def _snapshot(
    lake: Lake, summary: Mapping[str, Any], prefix: str, missing: int, taken_over: Takeover
) -> Snapshot:
    return Snapshot(
        version=summary["version"],
        mode=summary["mode"],
        manifest_sha256=summary["manifest_sha256"],
        dataset_s3_uri=lake.uri(prefix),
        channel_manifest_s3_uri=lake.uri(f"{prefix}channel.manifest"),
        summary_key=f"{prefix}summary.json",
        counts=summary["counts"],
        missing_features=missing,
        feedback_labels=summary["labelled_by"].get(FEEDBACK_SOURCE, 0),
        taken_over=taken_over,
    )
