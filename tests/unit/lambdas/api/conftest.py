"""The api function's parts in moto: a lake, the tables, one stored prediction, a served model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest

from areyouacat.lake import SERVING_POINTER_KEY, photo_key, sha256_hex
from areyouacat.model_spec import ModelSpec, TfliteFile
from areyouacat.predictions import Prediction, prediction_item
from areyouacat.serving_pointer import Variant, first_pointer
from areyouacat.verdicts import Bands
from lambdas.api.handlers import api
from lambdas.shared.predictions_table import PredictionsTable
from tests.unit.lambdas.conftest import CONTROL_TABLE, LAKE, TABLE

NOW = datetime.now(UTC)
PHOTO_BYTES = b"the bytes of a photo"
PHOTO = sha256_hex(PHOTO_BYTES)
SPEC = ModelSpec(
    model_name="are-you-a-cat",
    mode="bootstrap",
    threshold=0.55,
    bands=Bands(negative_to=0.35, positive_from=0.65),
    temperature=1.0,
    dataset_version="0123456789abcdef",
    training_job_name="train-1",
    mlflow_run_id=None,
    tflite=TfliteFile(sha256="00" * 32, variant="int8"),
)


def prediction(prediction_id: str) -> Prediction:
    """Of the photo `PHOTO`."""
    return Prediction(
        prediction_id=prediction_id,
        predicted_at=NOW,
        photo=PHOTO,
        size_bytes=1,
        width=1,
        height=1,
        format="JPEG",
        brightness=0.5,
        contrast=0.5,
        sharpness=0.5,
        perceptual_hash="0" * 16,
        probability=0.9,
        label="cat",
        verdict="cat",
        model_name="are-you-a-cat",
        model_version="1",
        model_role="champion",
        sketch=(0.0,) * 16,
        explanation=((0.5,) * 7,) * 7,
        latency_ms=1.0,
    )


@pytest.fixture
def request_(s3: Any, dynamodb: Any, send: Callable[..., Any]) -> Callable[..., Any]:
    """Sends a request to the api function, as a cold start finds it."""
    api.services.cache_clear()
    return partial(send, api.handler)


@pytest.fixture
def table(dynamodb: Any) -> PredictionsTable:
    """The table with one prediction, `p-1`."""
    predictions = PredictionsTable(dynamodb, TABLE, control_table=CONTROL_TABLE)
    predictions.put(prediction_item(prediction("p-1"), ttl_days=30))
    return predictions


def promote(s3: Any, version: str, spec: ModelSpec = SPEC) -> None:
    data = spec.to_json()
    variant = Variant(
        role="champion",
        name="are-you-a-cat",
        version=version,
        weight=1.0,
        key=f"models/{version}/model.tflite",
        sha256="00" * 32,
        model_json_key=f"models/{version}/model.json",
        model_json_sha256=sha256_hex(data),
    )
    before = first_pointer(replace(variant, version="0"), by="test", reason="first", at=NOW)
    pointer = before.promote(variant, by="test", reason="next", at=NOW)
    s3.put_object(Bucket=LAKE, Key=variant.model_json_key, Body=data)
    s3.put_object(Bucket=LAKE, Key=SERVING_POINTER_KEY, Body=pointer.to_json())


def store_photo(s3: Any, tagging: str) -> None:
    """As predict (`origin=request`) or seeding (no tags) stores it."""
    s3.put_object(Bucket=LAKE, Key=photo_key(PHOTO), Body=PHOTO_BYTES, Tagging=tagging)


def photo_tags(s3: Any) -> dict[str, str]:
    answer = s3.get_object_tagging(Bucket=LAKE, Key=photo_key(PHOTO))
    return {tag["Key"]: tag["Value"] for tag in answer["TagSet"]}


class StumblingClient:
    """A client whose `operation` fails when it is called for the `nth` time; the rest works."""

    def __init__(self, client: Any, operation: str, nth: int = 1) -> None:
        self._client = client
        self._operation = operation
        self._left = nth

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._client, name)
        return self._counted(call) if name == self._operation else call

    def _counted(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def stumble(*arguments: Any, **request: Any) -> Any:
            self._left -= 1
            if self._left == 0:
                raise ConnectionError("the wire was cut")
            return call(*arguments, **request)

        return stumble
