from __future__ import annotations

import base64
import io
import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from areyouacat.contract import UPLOAD_KEY_PATTERN
from areyouacat.settings import IMAGES, SERVING
from lambdas.api.dal.upload_issuer import presigning_client
from tests.unit.lambdas.conftest import LAKE, REGION


@pytest.fixture(autouse=True)
def fresh_client() -> Iterator[None]:
    """What one test's environment made of the client is nothing to another."""
    presigning_client.cache_clear()
    yield
    presigning_client.cache_clear()


@pytest.fixture
def ask(request_: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Asks for an upload, with the function's own credentials as Lambda sets them."""
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    monkeypatch.setenv("AWS_SESSION_TOKEN", "token-of-the-function")
    return lambda body: request_("POST", "/uploads", json.dumps(body))


def policy_of(answer: Any) -> dict[str, Any]:
    policy: dict[str, Any] = json.loads(base64.b64decode(answer.body["fields"]["policy"]))
    return policy


@pytest.mark.parametrize("content_type", IMAGES.media_types)
def test_an_upload_is_good_for_one_key_one_type_and_a_size(
    content_type: str, ask: Callable[..., Any]
) -> None:
    answer = ask({"content_type": content_type})

    key = answer.body["upload_key"]
    conditions = policy_of(answer)["conditions"]
    assert answer.status == 200
    assert re.fullmatch(UPLOAD_KEY_PATTERN, key)
    assert {"key": key} in conditions
    assert {"bucket": LAKE} in conditions
    assert {"Content-Type": content_type} in conditions
    assert ["content-length-range", 1, IMAGES.max_bytes] in conditions
    assert answer.body["fields"]["key"] == key
    assert answer.body["fields"]["Content-Type"] == content_type
    assert answer.body["max_bytes"] == IMAGES.max_bytes


def test_an_upload_expires(ask: Callable[..., Any]) -> None:
    before = datetime.now(UTC)

    answer = ask({"content_type": "image/jpeg"})

    limit = timedelta(seconds=SERVING.upload_url_seconds)
    told = datetime.fromisoformat(answer.body["expires_at"])
    signed = datetime.fromisoformat(policy_of(answer)["expiration"])
    assert before + limit <= told <= datetime.now(UTC) + limit
    assert abs(told - signed) < timedelta(seconds=5)


def test_every_upload_has_a_key_of_its_own(ask: Callable[..., Any]) -> None:
    body = {"content_type": "image/png"}

    assert ask(body).body["upload_key"] != ask(body).body["upload_key"]


@pytest.mark.parametrize("region", ["eu-central-1", "us-east-1"])
def test_an_upload_goes_to_the_buckets_own_region_signed_the_present_way(
    region: str, ask: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", region)

    body = ask({"content_type": "image/jpeg"}).body

    # us-east-1's own address is the one without a region.
    host = f"{LAKE}.s3.amazonaws.com" if region == "us-east-1" else f"{LAKE}.s3.{region}.amazonaws"
    assert body["url"].startswith(f"https://{host}")
    assert body["fields"]["x-amz-algorithm"] == "AWS4-HMAC-SHA256"
    assert f"/{region}/s3/" in body["fields"]["x-amz-credential"]


def test_an_upload_to_the_local_cloud_names_the_bucket_in_the_path(
    ask: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "https://localhost:4566")

    assert ask({"content_type": "image/jpeg"}).body["url"] == f"https://localhost:4566/{LAKE}"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"content_type": "image/tiff"},
        {"content_type": "IMAGE/JPEG"},
        {"content_type": "image/jpeg\n"},
        {"content_type": ""},
        {"content_type": None},
        {"content_type": ["image/jpeg"]},
        {"content_type": "image/jpeg", "key": "serving/live.json"},
        [{"content_type": "image/jpeg"}],
        "image/jpeg",
    ],
)
def test_another_type_or_another_shape_is_refused(body: Any, ask: Callable[..., Any]) -> None:
    answer = ask(body)

    assert (answer.status, answer.body["error"]["code"]) == (422, "invalid_request")


def test_no_body_is_a_400(request_: Callable[..., Any]) -> None:
    answer = request_("POST", "/uploads", None)

    assert (answer.status, answer.body["error"]["code"]) == (400, "empty_body")


def test_nothing_that_lets_others_upload_is_logged(
    ask: Callable[..., Any], log: io.StringIO
) -> None:
    fields = ask({"content_type": "image/jpeg"}).body["fields"]

    assert "answered" in log.getvalue()
    for secret in (fields["x-amz-signature"], fields["policy"], "token-of-the-function"):
        assert secret not in log.getvalue()
