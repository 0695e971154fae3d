from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

from tests.unit.lambdas.api.conftest import NOW, SPEC, promote
from tests.unit.lambdas.conftest import LAKE


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
