from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from areyouacat.lake import SERVING_POINTER_KEY, sha256_hex
from areyouacat.model_spec import ModelSpec, TfliteFile
from areyouacat.predictions import Prediction, prediction_item
from areyouacat.serving_pointer import Variant, first_pointer
from areyouacat.verdicts import Bands
from lambdas.api.handlers import api
from lambdas.shared.predictions_table import PredictionsTable
from tests.unit.lambdas.conftest import LAKE, TABLE

NOW = datetime.now(UTC)
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
    return Prediction(
        prediction_id=prediction_id,
        predicted_at=NOW,
        photo="ab" * 32,
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
    predictions = PredictionsTable(dynamodb, TABLE)
    predictions.put(prediction_item(prediction("p-1"), ttl_days=30))
    return predictions


@pytest.fixture
def feedback(request_: Callable[..., Any], table: PredictionsTable) -> Callable[..., Any]:
    """Posts `{"prediction_id", "label"}`."""

    def post(prediction_id: Any, label: Any) -> Any:
        body = json.dumps({"prediction_id": prediction_id, "label": label})
        return request_("POST", "/feedback", body)

    return post


def labels_in_window(table: PredictionsTable) -> list[str]:
    found = table.labelled_between(NOW - timedelta(hours=1), NOW + timedelta(hours=1))
    return [item.feedback.label for item in found if item.feedback]


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


def test_feedback_is_kept_with_the_prediction(
    feedback: Callable[..., Any], table: PredictionsTable
) -> None:
    answer = feedback("p-1", "not_cat")

    assert (answer.status, answer.body) == (200, {"prediction_id": "p-1", "label": "not_cat"})
    assert labels_in_window(table) == ["not_cat"]


def test_the_same_feedback_twice_is_one_record(
    feedback: Callable[..., Any], table: PredictionsTable
) -> None:
    first, second = feedback("p-1", "not_cat"), feedback("p-1", "not_cat")

    assert first == second
    assert labels_in_window(table) == ["not_cat"]


def test_a_changed_mind_replaces_and_is_counted_once(
    feedback: Callable[..., Any], table: PredictionsTable
) -> None:
    feedback("p-1", "not_cat")

    assert feedback("p-1", "cat").status == 200
    assert labels_in_window(table) == ["cat"]


@pytest.mark.parametrize("prediction_id", ["nobody", "p-2", "not an id!", "../p-1", "é"])
def test_feedback_on_an_unknown_prediction_is_a_404(
    prediction_id: str, feedback: Callable[..., Any], dynamodb: Any
) -> None:
    answer = feedback(prediction_id, "cat")

    assert (answer.status, answer.body["error"]["code"]) == (404, "not_found")
    assert dynamodb.scan(TableName=TABLE)["Count"] == 1


@pytest.mark.parametrize("label", ["dog", "unsure", "Cat", "", 1, None, ["cat"], True])
def test_a_label_that_settings_do_not_know_is_refused(
    label: Any, feedback: Callable[..., Any], table: PredictionsTable
) -> None:
    answer = feedback("p-1", label)

    assert (answer.status, answer.body["error"]["code"]) == (422, "invalid_request")
    assert "label" in answer.body["error"]["message"]
    assert labels_in_window(table) == []


def test_a_wrong_label_is_answered_with_the_allowed_ones(feedback: Callable[..., Any]) -> None:
    assert "must be one of cat, not_cat" in feedback("p-1", "dog").body["error"]["message"]


@pytest.mark.parametrize(
    "body",
    [
        "{",
        "[]",
        "null",
        "feedback",
        "{}",
        '{"prediction_id": "p-1"}',
        '{"label": "cat"}',
        '{"prediction_id": 1, "label": "cat"}',
        '{"prediction_id": "", "label": "cat"}',
        '{"prediction_id": "\\ud800", "label": "cat"}',
        '{"prediction_id": "p-1", "label": "cat", "who": "me"}',
        b"\xff\xfe not text",
        "[" * 100_000,
    ],
)
def test_a_body_of_another_shape_is_a_422(
    body: str | bytes, request_: Callable[..., Any], table: PredictionsTable
) -> None:
    answer = request_("POST", "/feedback", body)

    assert (answer.status, answer.body["error"]["code"]) == (422, "invalid_request")
    assert labels_in_window(table) == []


@pytest.mark.parametrize("body", [None, ""])
def test_no_body_is_a_400(body: str | None, request_: Callable[..., Any]) -> None:
    answer = request_("POST", "/feedback", body)

    assert (answer.status, answer.body["error"]["code"]) == (400, "empty_body")


def test_a_body_that_the_gateway_took_for_binary_is_read(
    request_: Callable[..., Any], table: PredictionsTable
) -> None:
    answer = request_("POST", "/feedback", b'{"prediction_id": "p-1", "label": "cat"}')

    assert answer.status == 200


def test_the_model_is_described(request_: Callable[..., Any], s3: Any) -> None:
    promote(s3, "3")

    answer = request_("GET", "/model")

    assert answer.status == 200
    assert answer.body["model"] == {
        "name": "are-you-a-cat",
        "version": "3",
        "role": "champion",
        "mode": "bootstrap",
        "dataset_version": "0123456789abcdef",
        "threshold": 0.55,
        "bands": {"negative_to": 0.35, "positive_from": 0.65},
    }
    assert answer.body["previous_version"] == "0"
    assert datetime.fromisoformat(answer.body["updated_at"]) == NOW


def test_a_promotion_is_seen_at_once(request_: Callable[..., Any], s3: Any) -> None:
    promote(s3, "3")
    assert request_("GET", "/model").body["model"]["version"] == "3"

    promote(s3, "4", replace(SPEC, mode="trained"))

    model = request_("GET", "/model").body["model"]
    assert (model["version"], model["mode"]) == ("4", "trained")
    assert request_("GET", "/health").body == {"status": "ok", "model_version": "4"}


def test_without_a_model_there_is_nothing_to_describe(request_: Callable[..., Any]) -> None:
    answer = request_("GET", "/model")

    assert (answer.status, answer.body["error"]["code"]) == (503, "no_model_yet")


def test_health_is_good_even_without_a_model(request_: Callable[..., Any]) -> None:
    answer = request_("GET", "/health")

    assert (answer.status, answer.body) == (200, {"status": "no_model", "model_version": None})


def test_a_model_json_that_was_not_promoted_is_not_believed(
    request_: Callable[..., Any], s3: Any
) -> None:
    promote(s3, "3")
    s3.put_object(
        Bucket=LAKE, Key="models/3/model.json", Body=replace(SPEC, threshold=0.1).to_json()
    )

    answer = request_("GET", "/model")

    assert (answer.status, answer.body["error"]["code"]) == (500, "internal_error")


def test_the_bundle_imports_without_numpy_pillow_or_litert() -> None:
    script = (
        "import sys, lambdas.api.handlers.api; "
        "print(sorted({'numpy', 'PIL', 'ai_edge_litert', 'mlflow'} & set(sys.modules)))"
    )
    found = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )

    assert found.stdout.strip() == "[]"
