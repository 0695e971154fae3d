"""SnapshotDataset: an immutable data set version of everything the lake knows right now."""

import contextlib
import json
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

from areyouacat.columns import (
    IndexColumns,
    IndexTable,
    LabelColumns,
    Positions,
    names_at,
    photo_bytes,
    photo_names,
)
from areyouacat.dataset import LISTED, REFERENCE_INPUTS_FILE, Dataset
from areyouacat.dataset_builder import build_dataset
from areyouacat.errors import DatasetError, UnreadableShardError
from areyouacat.lake import (
    DATASET_SUMMARY_JSON,
    FEEDBACK_SOURCE,
    INDEX_PREFIX,
    LABELS_PREFIX,
    TOMBSTONES_PREFIX,
    IndexRow,
    LabelRecord,
    dataset_prefix,
    features_prefix,
    load_shard,
    photo_key,
    tombstone_key,
)
from areyouacat.predictions import PredictionItem
from areyouacat.settings import BACKBONE
from lambdas.pipeline.logic.feedback import Takeover, take_over
from lambdas.pipeline.logic.ports import Lake
from lambdas.pipeline.logic.reading import gone_photos, read_ahead
from lambdas.pipeline.logic.review import KnownLabels

OVERLAP: Final = timedelta(hours=1)
"""Taken over again each time: clocks differ, and an index follows its table a moment later."""

FIRST_LOOK_BACK: Final = timedelta(days=2)
"""How far back feedback is sought when no snapshot has said up to when it was taken over.

The first snapshot comes before the first model, hence before any feedback; should the watermark be
lost later, the daily schedule has taken over what is older.
"""

_GZIP: Final = "application/gzip"
_CSV: Final = "text/csv"
_JSON: Final = "application/json"
_JSON_LINES: Final = "application/jsonl"
_LIST_SUFFIX: Final = ".txt"


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


def snapshot(
    lake: Lake,
    feedback: FeedbackSource,
    watermark: Watermark,
    now: datetime,
    *,
    approval: bool = False,
) -> Snapshot:
    """Take new feedback over into the lake, then write a data set version of all of it.

    `approval`: whether no label of a caller's teaches before a person has approved it.

    Reads index, labels and tombstones, never a photo. Of photos with new feedback it asks whether
    they are still there: unlabelled ones expire, and any may be erased. The same lake gives the
    same version, and the watermark moves last, so any repetition ends the same. Time grows with
    the photos; memory by some 300 bytes for each, and by all of the new feedback.

    Raises:
        DatasetError: the lake cannot make a data set; says why and what to do.
    """
    erased = _erased(lake)
    since = watermark.feedback_watermark()
    start = now - FIRST_LOOK_BACK if since is None else since - OVERLAP
    new = list(feedback.labelled_between(start, now))
    labelled = {item.prediction.photo for item in new} - erased
    labels = _labels(lake)
    taken_over = take_over(
        new,
        KnownLabels(labels.latest()),
        erased | gone_photos(lake, labelled),
        approval=approval,
    )
    for key, shard in taken_over.shards.items():
        lake.write(key, shard, _GZIP)

    labels.extend(taken_over.labels)
    dataset = build_dataset(_index(lake), labels.latest(), erased)
    missing = dataset.missing(_known_features(lake))
    summary = dataset.summary()
    prefix = dataset_prefix(summary["version"])
    lake.write_stream(f"{prefix}manifest.jsonl", dataset.manifest(), _JSON_LINES)
    lake.write(f"{prefix}{DATASET_SUMMARY_JSON}", json.dumps(summary, indent=2).encode(), _JSON)
    lake.write(f"{prefix}{REFERENCE_INPUTS_FILE}", dataset.reference_inputs(), _CSV)
    lake.write_stream(f"{prefix}channel.manifest", _channel(lake, dataset, missing), _JSON)
    watermark.move_feedback_watermark(now)
    return _snapshot(lake, summary, prefix, len(missing), taken_over)


def _erased(lake: Lake) -> frozenset[str]:
    """Photos that must not come back. Only the keys are read."""
    erased = set()
    for key in lake.keys(TOMBSTONES_PREFIX):
        photo = key.removeprefix(TOMBSTONES_PREFIX)
        try:
            photo_bytes(photo)
        except ValueError as error:
            raise DatasetError(
                f"The tombstone {key} names no photo, so what was to be erased might be trained "
                f"on. Put {tombstone_key('<SHA-256 of the photo>')} in its place."
            ) from error
        erased.add(photo)
    return frozenset(erased)


def _index(lake: Lake) -> IndexTable:
    columns = IndexColumns()
    _read_shards(lake, INDEX_PREFIX, lambda shard: columns.extend(load_shard(shard, IndexRow)))
    return columns.first()


def _labels(lake: Lake) -> LabelColumns:
    columns = LabelColumns()
    _read_shards(lake, LABELS_PREFIX, lambda shard: columns.extend(load_shard(shard, LabelRecord)))
    return columns


def _read_shards(lake: Lake, prefix: str, add: Callable[[bytes], None]) -> None:
    """Hand every shard under `prefix` to `add`; a few are in memory at a time."""
    shards, damaged = 0, []
    for key, shard in read_ahead(lake, lake.keys(prefix)):
        shards += 1
        try:
            add(shard)
        except (ValueError, TypeError, EOFError, OSError, zlib.error) as error:
            damaged.append(f"{key} ({error})")
    if damaged:
        more = "" if len(damaged) <= LISTED else ", …"
        raise UnreadableShardError(
            f"{len(damaged):,} of the lake's {shards:,} shards under {prefix} cannot be read: "
            f"{', '.join(damaged[:LISTED])}{more}. Restore their previous versions, or delete "
            "them and seed their photos again."
        )


def _known_features(lake: Lake) -> Iterator[bytes]:
    """Raw hashes of photos whose features are stored, list by list.

    A list that cannot be read is passed over: training computes its photos again.
    """
    keys = (k for k in lake.keys(features_prefix(BACKBONE.hash)) if k.endswith(_LIST_SUFFIX))
    for _, data in read_ahead(lake, keys):
        with contextlib.suppress(ValueError):
            yield b"".join(photo_bytes(line.decode("ascii")) for line in data.split())


def _channel(lake: Lake, dataset: Dataset, missing: Positions) -> Iterator[bytes]:
    """SageMaker's ManifestFile; at least one photo, since an empty channel is refused."""
    photos = names_at(dataset.photos, missing) if len(missing) else photo_names(dataset.photos[:1])
    yield json.dumps([{"prefix": lake.uri("")}])[:-1].encode()
    for photo in photos:
        yield f', "{photo_key(photo)}"'.encode()
    yield b"]"


def _snapshot(
    lake: Lake, summary: Mapping[str, Any], prefix: str, missing: int, taken_over: Takeover
) -> Snapshot:
    return Snapshot(
        version=summary["version"],
        mode=summary["mode"],
        manifest_sha256=summary["manifest_sha256"],
        dataset_s3_uri=lake.uri(prefix),
        channel_manifest_s3_uri=lake.uri(f"{prefix}channel.manifest"),
        summary_key=f"{prefix}{DATASET_SUMMARY_JSON}",
        counts=summary["counts"],
        missing_features=missing,
        feedback_labels=summary["labelled_by"].get(FEEDBACK_SOURCE, 0),
        taken_over=taken_over,
    )
