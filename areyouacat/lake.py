"""The lake's layout: every key, and the records that index and label shards hold.

Everything is content-addressed and append-only: writing the same thing twice writes the
same key with the same bytes.
"""

import gzip
import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final, Self, TypeVar

SERVING_POINTER_KEY: Final = "serving/live.json"
PHOTOS_PREFIX: Final = "photos/"
INDEX_PREFIX: Final = "index/"
LABELS_PREFIX: Final = "labels/"
TRAINING_PREFIX: Final = "training/"
TOMBSTONES_PREFIX: Final = "tombstones/"
HELD_PREFIX: Final = "reviews/held/"
REJECTED_PREFIX: Final = "reviews/rejected/"
UPLOADS_PREFIX: Final = "uploads/"
MLFLOW_PREFIX: Final = "mlflow/"
"""Artifacts of runs, unless the MLflow server that was named keeps them elsewhere."""

ORIGIN_TAG: Final = "origin"
"""The object tag of photos that says how they came."""

ORIGIN_REQUEST: Final = "request"
"""Sent to the API and not labelled yet: such photos expire, and their sender may erase them."""

ORIGIN_FEEDBACK: Final = "feedback"
"""Sent to the API and labelled: such photos stay, and their sender may erase them."""

ERASED_PHOTO: Final = b""
"""What stands at an erased photo's key, so that the same bytes are never stored there again."""

DATASET_SUMMARY_JSON: Final = "summary.json"
"""What SnapshotDataset says of a data set version, under `dataset_prefix`."""

EVALUATION_JSON: Final = "evaluation.json"
EVALUATION_MARKDOWN: Final = "evaluation.md"
"""What EvaluateCandidate leaves under `evaluation_prefix`, for programs and for people."""

COMPARISON_JSON: Final = "comparison.json"
COMPARISON_MARKDOWN: Final = "comparison.md"
"""What CompareModels leaves under `comparison_prefix`, for programs and for people."""

DRIFT_REPORTS_PREFIX: Final = "reports/drift/"
DRIFT_WINDOW_CSV: Final = "window.csv"
DRIFT_REPORT_HTML: Final = "report.html"
DRIFT_REPORT_JSON: Final = "report.json"
"""What stands under `drift_report_prefix`: the window's photos, and what the job made of them."""

ORIGINAL_VIEW: Final = "original"
"""The view of a photo as it is, in the feature cache; augmentations have names of their own."""

_REPORT_TIME: Final = "%Y-%m-%dT%H-%M-%SZ"

FEEDBACK_SOURCE: Final = "feedback"
"""`IndexRow.source` of a photo that reached the lake through a prediction."""

SEED_SOURCE: Final = "seed"
"""`LabelRecord.source` of what the operator put there."""


def sha256_hex(data: bytes) -> str:
    """The content address of some bytes: 64 hex digits."""
    return hashlib.sha256(data).hexdigest()


def photo_key(photo: str) -> str:
    """Key of a photo's bytes by their SHA-256."""
    return f"{PHOTOS_PREFIX}{photo[:2]}/{photo}"


def index_shard_key(day: str, shard: bytes) -> str:
    """Key of an index shard: `day` as yyyy-mm-dd, named by its content."""
    return f"{INDEX_PREFIX}{day}/{sha256_hex(shard)[:16]}.jsonl.gz"


def label_shard_key(day: str, shard: bytes) -> str:
    """Key of a label shard: `day` as yyyy-mm-dd, named by its content."""
    return f"{LABELS_PREFIX}{day}/{sha256_hex(shard)[:16]}.jsonl.gz"


def held_shard_key(day: str, shard: bytes) -> str:
    """Key of a shard of held labels, named by its content."""
    return f"{HELD_PREFIX}{day}/{sha256_hex(shard)[:16]}.jsonl.gz"


def rejected_key(photo: str) -> str:
    """Key of the mark that a person has refused a photo's held label."""
    return f"{REJECTED_PREFIX}{photo}"


def dataset_prefix(version: str) -> str:
    """Prefix of a data set version, with the closing slash."""
    return f"datasets/{version}/"


def features_prefix(backbone_hash: str, view: str = ORIGINAL_VIEW) -> str:
    """Prefix of a backbone's feature cache of one view of the photos, with the closing slash."""
    return f"features/{backbone_hash}/{view}/"


def tombstone_key(photo: str) -> str:
    """Key that says: this photo was erased and must not come back. Its object may be empty."""
    return f"{TOMBSTONES_PREFIX}{photo}"


def evaluation_prefix(training_job_name: str) -> str:
    """Prefix of what EvaluateCandidate found of a job's model, with the closing slash."""
    return f"{TRAINING_PREFIX}{training_job_name}/evaluation/"


def comparison_prefix(identifier: str) -> str:
    """Prefix of a comparison of model versions, with the closing slash."""
    return f"reports/comparisons/{identifier}/"


def drift_report_prefix(window_end: datetime) -> str:
    """Prefix of the drift report of a window, with the closing slash; sorts by time."""
    return f"{DRIFT_REPORTS_PREFIX}{window_end.astimezone(UTC):{_REPORT_TIME}}/"


def drift_report_window_end(key: str) -> datetime | None:
    """The window's end, to the second, of a key below a `drift_report_prefix`; None of another."""
    stamp = key.removeprefix(DRIFT_REPORTS_PREFIX).partition("/")[0]
    try:
        return datetime.strptime(stamp, _REPORT_TIME).replace(tzinfo=UTC)
    except ValueError:
        return None


def model_prefix(version: str) -> str:
    """Prefix of a registered model version's files, with the closing slash."""
    return f"models/{version}/"


def utc_text(moment: datetime) -> str:
    """An aware moment as ISO 8601 in UTC with microseconds and `Z`; sorts as text.

    Raises:
        ValueError: for a naive datetime.
    """
    if moment.tzinfo is None:
        raise ValueError("a naive datetime has no place in the lake; pass an aware one")
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def parse_utc(text: str) -> datetime:
    """The aware moment that `utc_text` wrote."""
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


@cache
def _field_names(record: type[Any]) -> frozenset[str]:
    return frozenset(field.name for field in fields(record))


class _Record:
    """JSON of a frozen dataclass; unknown keys are refused, so that a typo never passes."""

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """Build the record from what `to_dict` gave.

        Raises:
            ValueError: a field is missing or unknown.
        """
        names = _field_names(cls)  # type: ignore[arg-type]
        if not isinstance(values, dict) or values.keys() != names:
            raise ValueError(
                f"{cls.__name__}: expected the fields {sorted(names)}, got {sorted(values)}"
            )
        return cls(**values)

    def to_dict(self) -> dict[str, Any]:
        """All fields, ready for JSON."""
        return asdict(self)  # type: ignore[call-overload, no-any-return]


@dataclass(frozen=True, slots=True)
class IndexRow(_Record):
    """One photo of the lake; statistics as in `image_stats.ImageStats`.

    `photo`: SHA-256 of its bytes. `size_bytes`: > 0. `source`: where it came from, for
    slices. `ingested_at`: `utc_text`.
    """

    photo: str
    size_bytes: int
    width: int
    height: int
    format: str
    brightness: float
    contrast: float
    sharpness: float
    perceptual_hash: str
    source: str
    ingested_at: str


@dataclass(frozen=True, slots=True)
class LabelRecord(_Record):
    """One statement about one photo. The latest one counts.

    `source`: `seed`, `feedback` or `review`. `who`: which person or run.
    """

    photo: str
    label: str
    source: str
    who: str
    labelled_at: str


@dataclass(frozen=True, slots=True)
class HeldLabel(_Record):
    """A label of a caller's that does not teach before a person has looked at it.

    `who`: which prediction. `reason`: why it is held, for that person.
    """

    photo: str
    label: str
    who: str
    labelled_at: str
    reason: str


def dump_shard(records: Iterable[IndexRow | LabelRecord | HeldLabel]) -> bytes:
    """Records as gzip-compressed JSON lines; the same records give the same bytes."""
    lines = "".join(
        json.dumps(record.to_dict(), sort_keys=True, separators=(",", ":")) + "\n"
        for record in records
    )
    return gzip.compress(lines.encode(), compresslevel=6, mtime=0)


R = TypeVar("R", IndexRow, LabelRecord, HeldLabel)


def load_shard(data: bytes, record: type[R]) -> Iterator[R]:
    """The records of a shard, one by one.

    Raises:
        ValueError: a line is not such a record.
        gzip.BadGzipFile, EOFError: the shard is damaged.
    """
    if not data:  # no bytes are no gzip, though gzip takes them
        raise EOFError("it holds no bytes")
    # Decoded at once: json.loads would look for the encoding of every line.
    for line in gzip.decompress(data).decode().split("\n"):
        if line:
            yield record.from_dict(json.loads(line))
