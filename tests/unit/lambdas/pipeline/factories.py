"""Small valid things of the domain; each test changes only what it is about."""

import hashlib
import io
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from areyouacat.lake import IndexRow, LabelRecord, sha256_hex, utc_text
from areyouacat.model_spec import KERAS_FILE, MODEL_FILE, SPEC_FILE, ModelSpec, TfliteFile
from areyouacat.predictions import Feedback, Prediction, PredictionItem
from areyouacat.verdicts import Bands

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
TFLITE = b"the network"


@dataclass(frozen=True)
class FunctionContext:
    """What the logger reads from a Lambda context."""

    function_name: str = "under-test"
    memory_limit_in_mb: int = 512
    invoked_function_arn: str = "arn:aws:lambda:eu-west-1:123456789012:function:under-test"
    aws_request_id: str = "request-1"


def photo_hash(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()


def labelled_item(
    name: str,
    *,
    said: str | None = "cat",
    said_at: datetime = NOON,
    prediction_id: str = "",
    **changes: Any,
) -> PredictionItem:
    prediction = Prediction(
        prediction_id=prediction_id or f"prediction-of-{name}",
        predicted_at=NOON,
        photo=photo_hash(name),
        size_bytes=1000,
        width=320,
        height=240,
        format="JPEG",
        brightness=0.5,
        contrast=0.25,
        sharpness=0.01,
        perceptual_hash=photo_hash(name)[:16],
        probability=0.9,
        label="cat",
        verdict="cat",
        model_name="are-you-a-cat",
        model_version="1",
        model_role="champion",
        sketch=(0.0,) * 16,
        explanation=((0.0,) * 7,) * 7,
        latency_ms=20.0,
    )
    feedback = Feedback(said, said_at) if said else None
    return PredictionItem(replace(prediction, **changes), feedback)


def index_row(name: str, source: str = "starter") -> IndexRow:
    return IndexRow(
        photo=photo_hash(name),
        size_bytes=1000,
        width=320,
        height=240,
        format="JPEG",
        brightness=0.5,
        contrast=0.25,
        sharpness=0.01,
        perceptual_hash=photo_hash(name)[:16],
        source=source,
        ingested_at=utc_text(NOON),
    )


def label_record(name: str, label: str) -> LabelRecord:
    return LabelRecord(
        photo=photo_hash(name),
        label=label,
        source="seed",
        who="starter",
        labelled_at=utc_text(NOON),
    )


def model_spec(**changes: Any) -> ModelSpec:
    spec = ModelSpec(
        model_name="are-you-a-cat",
        mode="bootstrap",
        threshold=0.5,
        bands=Bands(0.35, 0.65),
        temperature=1.0,
        dataset_version="0123456789abcdef",
        training_job_name="areyouacat-job-1",
        mlflow_run_id="run-of-the-spec",
        tflite=TfliteFile(sha256=sha256_hex(TFLITE), variant="float32"),
    )
    return replace(spec, **changes)


def model_files(spec: ModelSpec | None = None) -> dict[str, bytes]:
    return {
        MODEL_FILE: TFLITE,
        SPEC_FILE: (spec or model_spec()).to_json(),
        KERAS_FILE: b"the same network, for Keras",
        "scores.jsonl": b"{}\n",
    }


def model_archive(files: Mapping[str, bytes] | None = None) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name, content in (model_files() if files is None else files).items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return packed.getvalue()
