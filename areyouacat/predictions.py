"""The predictions table: its keys, its indexes, its items. No boto3 here.

One item is one prediction with its feedback. Two sparse indexes answer "what happened in
these hours" and "what was labelled in these hours" by query: the hour and a shard number
make the partition key, so that no hour is one hot partition.
"""

import hashlib
import math
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Self

from areyouacat.lake import FEEDBACK_SOURCE, IndexRow, parse_utc, utc_text
from areyouacat.settings import FEEDBACK, FeedbackRules

PARTITION_KEY: Final = "prediction_id"
TTL_ATTRIBUTE: Final = "expires_at"
"""Epoch seconds; removed when feedback arrives, so that labelled photos stay."""

PREDICTED_INDEX: Final = "by_predicted_hour"
PREDICTED_BUCKET: Final = "predicted_bucket"
PREDICTED_AT: Final = "predicted_at"

FEEDBACK_INDEX: Final = "by_feedback_hour"
FEEDBACK_BUCKET: Final = "feedback_bucket"
FEEDBACK_AT: Final = "feedback_at"
FEEDBACK_LABEL: Final = "feedback_label"

BUCKET_SHARDS: Final = 4

CONTROL_PARTITION_KEY: Final = "control_id"
TRAINING_LEDGER_ID: Final = "training-ledger"
FEEDBACK_WATERMARK_ID: Final = "feedback-watermark"

CONTROL_TTL_ATTRIBUTE: Final = "expires_at"
"""Epoch seconds; only the control table's counters have it."""

COUNT_ATTRIBUTE: Final = "count"


def time_bucket(at: datetime, prediction_id: str) -> str:
    """Partition of a moment: the hour in UTC and a shard chosen by the prediction's id."""
    shard = zlib.crc32(prediction_id.encode()) % BUCKET_SHARDS
    return f"{at.astimezone(UTC):%Y-%m-%dT%H}#{shard}"


def time_buckets(start: datetime, end: datetime) -> Iterator[str]:
    """All partitions that hold moments from `start` to `end`, both included, in order."""
    hour = start.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    while hour <= end.astimezone(UTC):
        for shard in range(BUCKET_SHARDS):
            yield f"{hour:%Y-%m-%dT%H}#{shard}"
        hour += timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Prediction:
    """One answered request.

    `photo`: SHA-256 of the bytes. `probability`: of the positive label, [0, 1]. Statistics
    as in `image_stats.ImageStats`. `sketch`: 16 floats. `explanation`: 7 rows of 7 contributions
    in logits, rounded to three digits. `latency_ms`: decoding and inference. `upload_key`: of the
    presigned upload, if the photo came by one. `idempotency`: digest of who asked under which
    Idempotency-Key, if any. `failed_version`: the variant that should have answered and failed.
    """

    prediction_id: str
    predicted_at: datetime
    photo: str
    size_bytes: int
    width: int
    height: int
    format: str
    brightness: float
    contrast: float
    sharpness: float
    perceptual_hash: str
    probability: float
    label: str
    verdict: str
    model_name: str
    model_version: str
    model_role: str
    sketch: tuple[float, ...]
    explanation: tuple[tuple[float, ...], ...]
    latency_ms: float
    upload_key: str | None = None
    idempotency: str | None = None
    failed_version: str | None = None


def index_row(prediction: Prediction) -> IndexRow:
    """How the lake knows a photo that came with a prediction."""
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


@dataclass(frozen=True, slots=True)
class Feedback:
    """What a person said about a prediction."""

    label: str
    at: datetime


@dataclass(frozen=True, slots=True)
class FeedbackCap:
    """How much feedback one key or one address may give within one hour, and where it is counted.

    `control_id`: the counter's id in the control table. `limit`: the highest count. `expires_at`:
    epoch seconds from which on nobody needs the counter.
    """

    control_id: str
    limit: int
    expires_at: int


def feedback_caps(
    api_key: str, address: str, at: datetime, rules: FeedbackRules = FEEDBACK
) -> tuple[FeedbackCap, FeedbackCap]:
    """The two caps of a caller, in the hour of `at`. Their ids name neither key nor address."""
    hour = f"{at.astimezone(UTC):%Y-%m-%dT%H}"
    expires_at = int((at + timedelta(hours=2)).timestamp())

    def cap(kind: str, value: str, limit: int) -> FeedbackCap:
        digest = hashlib.sha256(f"{kind}|{hour}|{value}".encode()).hexdigest()[:16]
        return FeedbackCap(f"feedback-cap#{kind}#{digest}#{hour}", limit, expires_at)

    return (
        cap("api-key", api_key, rules.per_api_key_and_hour),
        cap("address", address, rules.per_address_and_hour),
    )


def seconds_to_next_hour(at: datetime) -> int:
    """How long a cap that is reached stays so, [1, 3600]."""
    return 3600 - (at.astimezone(UTC).minute * 60 + at.second)


@dataclass(frozen=True, slots=True)
class PredictionItem:
    """A prediction as it stands in the table, with its feedback if there is any."""

    prediction: Prediction
    feedback: Feedback | None

    @classmethod
    def from_item(cls, item: dict[str, Any]) -> Self:
        """From plain values (numbers as int, float or Decimal)."""
        feedback = None
        if item.get(FEEDBACK_LABEL):
            feedback = Feedback(
                label=str(item[FEEDBACK_LABEL]),
                at=parse_utc(str(item[FEEDBACK_AT])),
            )
        return cls(
            prediction=Prediction(
                prediction_id=str(item[PARTITION_KEY]),
                predicted_at=parse_utc(str(item[PREDICTED_AT])),
                photo=str(item["photo"]),
                size_bytes=int(item["size_bytes"]),
                width=int(item["width"]),
                height=int(item["height"]),
                format=str(item["format"]),
                brightness=float(item["brightness"]),
                contrast=float(item["contrast"]),
                sharpness=float(item["sharpness"]),
                perceptual_hash=str(item["perceptual_hash"]),
                probability=float(item["probability"]),
                label=str(item["label"]),
                verdict=str(item["verdict"]),
                model_name=str(item["model_name"]),
                model_version=str(item["model_version"]),
                model_role=str(item["model_role"]),
                sketch=_unpacked_sketch(item["sketch"]),
                explanation=_unpacked_grid(bytes(item.get("explanation", b""))),
                latency_ms=float(item["latency_ms"]),
                upload_key=_text_or_none(item.get("upload_key")),
                idempotency=_text_or_none(item.get("idempotency")),
                failed_version=_text_or_none(item.get("failed_version")),
            ),
            feedback=feedback,
        )


def expires_at(prediction: Prediction, ttl_days: int) -> int:
    """When a prediction without feedback is forgotten, in epoch seconds."""
    return int((prediction.predicted_at + timedelta(days=ttl_days)).timestamp())


def prediction_item(prediction: Prediction, ttl_days: int) -> dict[str, Any]:
    """The table's item of a fresh prediction, as plain values (floats, str, int, list)."""
    return {
        PARTITION_KEY: prediction.prediction_id,
        PREDICTED_AT: utc_text(prediction.predicted_at),
        PREDICTED_BUCKET: time_bucket(prediction.predicted_at, prediction.prediction_id),
        TTL_ATTRIBUTE: expires_at(prediction, ttl_days),
        "photo": prediction.photo,
        "size_bytes": prediction.size_bytes,
        "width": prediction.width,
        "height": prediction.height,
        "format": prediction.format,
        "brightness": prediction.brightness,
        "contrast": prediction.contrast,
        "sharpness": prediction.sharpness,
        "perceptual_hash": prediction.perceptual_hash,
        "probability": prediction.probability,
        "label": prediction.label,
        "verdict": prediction.verdict,
        "model_name": prediction.model_name,
        "model_version": prediction.model_version,
        "model_role": prediction.model_role,
        "sketch": struct.pack(f"<{len(prediction.sketch)}d", *prediction.sketch),
        "explanation": _packed_grid(prediction.explanation),
        "latency_ms": prediction.latency_ms,
        **_present(
            upload_key=prediction.upload_key,
            idempotency=prediction.idempotency,
            failed_version=prediction.failed_version,
        ),
    }


def _unpacked_sketch(value: Any) -> tuple[float, ...]:
    """Doubles in one value: boto3 parses a list number by number, which costs as much as all other
    attributes together. Older items have such a list.
    """
    if isinstance(value, list):
        return tuple(map(float, value))
    data = bytes(value)
    return struct.unpack(f"<{len(data) // 8}d", data)


def _packed_grid(grid: tuple[tuple[float, ...], ...]) -> bytes:
    """A grid as thousandths in 32 bits each: small, and the same numbers when it is read again."""
    thousandths = [round(cell * 1000) for row in grid for cell in row]
    return struct.pack(f"<{len(thousandths)}i", *thousandths)


def _unpacked_grid(data: bytes) -> tuple[tuple[float, ...], ...]:
    thousandths = struct.unpack(f"<{len(data) // 4}i", data)
    side = math.isqrt(len(thousandths))
    cells = [cell / 1000 for cell in thousandths]
    return tuple(tuple(cells[row * side : (row + 1) * side]) for row in range(side))


def _present(**values: str | None) -> dict[str, str]:
    return {name: value for name, value in values.items() if value is not None}


def _text_or_none(value: object) -> str | None:
    return None if value is None else str(value)
