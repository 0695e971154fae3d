"""The same request again is one prediction; an upload is good for one."""

from __future__ import annotations

import io
import json
import uuid
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from botocore.exceptions import ClientError

from areyouacat.lake import ERASED_PHOTO, photo_key, sha256_hex
from areyouacat.settings import IMAGES
from lambdas.serving.dal.upload_store import UploadStore
from lambdas.serving.handlers import predict
from lambdas.serving.logic.request_identity import request_identity
from lambdas.shared.predictions_table import PredictionsTable
from tests.unit.lambdas.serving.conftest import LAKE, Lake, tiny_files

TABLE = "predictions-of-the-test"


@pytest.fixture
def post(
    s3: Any, dynamodb: Any, fresh_process: None, send: Callable[..., Any], lake: Lake
) -> Callable[..., Any]:
    """Posts a photo to /predict, with a champion in a versioned lake."""
    s3.put_bucket_versioning(Bucket=LAKE, VersioningConfiguration={"Status": "Enabled"})
    lake.point(lake.stage("1", tiny_files()))
    return partial(send, predict.handler, "POST", "/predict", content_type="image/jpeg")


@pytest.fixture
def items(dynamodb: Any) -> Callable[[], int]:
    return lambda: int(dynamodb.scan(TableName=TABLE)["Count"])


@pytest.fixture
def upload(s3: Any) -> Callable[..., str]:
    """Puts bytes where a presigned POST would; the key."""

    def put(data: bytes, content_type: str = "image/jpeg") -> str:
        key = f"uploads/{uuid.uuid4()}"
        s3.put_object(Bucket=LAKE, Key=key, Body=data, ContentType=content_type)
        return key

    return put


@pytest.fixture
def ask(post: Callable[..., Any]) -> Callable[..., Any]:
    """Asks about an upload."""

    def about(key: str, idempotency_key: str | None = None) -> Any:
        body = json.dumps({"upload_key": key})
        return post(body, content_type="application/json", idempotency_key=idempotency_key)

    return about


def versions(s3: Any, key: str) -> list[bytes]:
    listed = s3.list_object_versions(Bucket=LAKE, Prefix=key)
    assert not listed.get("DeleteMarkers")
    return [
        s3.get_object(Bucket=LAKE, Key=key, VersionId=found["VersionId"])["Body"].read()
        for found in listed.get("Versions", [])
    ]


def test_the_same_key_again_gives_the_same_answer_and_one_prediction(
    post: Callable[..., Any], bright: bytes, items: Callable[[], int]
) -> None:
    first = post(bright, idempotency_key="photo-17")
    again = post(bright, idempotency_key="photo-17")

    assert (first.status, again.status) == (200, 200)
    assert again.body == first.body
    assert items() == 1


def test_a_repeated_request_is_answered_as_before_though_the_model_has_changed(
    post: Callable[..., Any],
    bright: bytes,
    lake: Lake,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    first = post(bright, idempotency_key="photo-17")
    lake.point(lake.stage("2", tiny_files(inverted=True)))
    monkeypatch.setattr(predict.answering().models, "_max_age_seconds", 0)
    capsys.readouterr()

    again = post(bright, idempotency_key="photo-17")

    assert again.body == first.body
    metrics = json.loads(capsys.readouterr().out)
    assert (metrics["Predictions"], metrics["RepeatedRequests"]) == (0, 1)
    assert "Probability" not in metrics


def test_another_photo_under_the_same_key_is_a_conflict(
    post: Callable[..., Any], bright: bytes, dark: bytes, items: Callable[[], int]
) -> None:
    post(bright, idempotency_key="photo-17")

    answer = post(dark, idempotency_key="photo-17")

    assert (answer.status, answer.body["error"]["code"]) == (409, "idempotency_key_reused")
    assert items() == 1


def test_keys_of_two_callers_have_nothing_to_do_with_each_other(
    post: Callable[..., Any], bright: bytes, dark: bytes
) -> None:
    one = post(bright, idempotency_key="1", api_key="key-1")
    other = post(dark, idempotency_key="1", api_key="key-2")

    assert (one.status, other.status) == (200, 200)
    assert one.body["prediction_id"] != other.body["prediction_id"]


@pytest.mark.parametrize("key", ["", " ", "two words", "ä", "x" * 256, "line\nbreak"])
def test_a_key_that_is_none_is_refused(
    key: str, post: Callable[..., Any], bright: bytes, items: Callable[[], int]
) -> None:
    answer = post(bright, idempotency_key=key)

    assert (answer.status, answer.body["error"]["code"]) == (422, "invalid_request")
    assert items() == 0


def test_a_retry_after_the_photo_could_not_be_stored_completes_the_prediction(
    post: Callable[..., Any],
    bright: bytes,
    lake: Lake,
    items: Callable[[], int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: Any) -> None:
        raise ConnectionError

    with monkeypatch.context() as broken:
        broken.setattr("lambdas.serving.dal.photo_store.PhotoStore.put", fail)
        assert post(bright, idempotency_key="photo-17").status == 500

    again = post(bright, idempotency_key="photo-17")

    assert again.status == 200
    assert lake.keys("photos/") == [photo_key(sha256_hex(bright))]
    assert items() == 1


def test_an_upload_is_judged_like_a_body_and_is_gone_for_good(
    post: Callable[..., Any],
    ask: Callable[..., Any],
    upload: Callable[..., str],
    bright: bytes,
    s3: Any,
    dynamodb: Any,
) -> None:
    key = upload(bright)

    answer = ask(key)

    assert answer.status == 200
    assert answer.body["probability"] == post(bright).body["probability"]
    assert versions(s3, key) == []
    assert versions(s3, photo_key(sha256_hex(bright))) == [bright]
    item = PredictionsTable(dynamodb, TABLE).get(answer.body["prediction_id"])
    assert item is not None
    assert item.prediction.upload_key == key


def test_a_used_upload_is_refused_even_if_somebody_filled_it_anew(
    ask: Callable[..., Any],
    upload: Callable[..., str],
    bright: bytes,
    dark: bytes,
    s3: Any,
    items: Callable[[], int],
) -> None:
    key = upload(bright)
    assert ask(key).status == 200

    used = ask(key)
    s3.put_object(Bucket=LAKE, Key=key, Body=dark, ContentType="image/jpeg")
    refilled = ask(key)

    for answer in (used, refilled):
        assert (answer.status, answer.body["error"]["code"]) == (409, "upload_used")
    assert items() == 1


def test_a_used_upload_answers_its_own_request_again(
    ask: Callable[..., Any], upload: Callable[..., str], bright: bytes, items: Callable[[], int]
) -> None:
    key = upload(bright)
    first = ask(key, idempotency_key="mine")

    assert ask(key, idempotency_key="mine").body == first.body
    assert ask(key, idempotency_key="other").status == 409
    assert items() == 1


def test_an_upload_that_never_came_is_not_found(ask: Callable[..., Any]) -> None:
    answer = ask(f"uploads/{uuid.uuid4()}")

    assert (answer.status, answer.body["error"]["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    ("data", "content_type", "refusal"),
    [
        (b"\xff\xd8" + b"\0" * IMAGES.max_bytes, "image/jpeg", (413, "payload_too_large")),
        (b"\xff\xd8\xff", "text/html", (415, "unsupported_format")),
        (b"", "image/png", (400, "empty_body")),
        (b"no image", "image/png", (400, "unreadable_image")),
    ],
)
def test_a_bad_upload_is_refused_and_leaves_no_prediction(
    data: bytes,
    content_type: str,
    refusal: tuple[int, str],
    ask: Callable[..., Any],
    upload: Callable[..., str],
    items: Callable[[], int],
) -> None:
    answer = ask(upload(data, content_type))

    assert (answer.status, answer.body["error"]["code"]) == refusal
    assert items() == 0


class UnreadBody:
    """Fails whoever reads it."""

    def __enter__(self) -> UnreadBody:
        return self

    def __exit__(self, *_: object) -> None:
        return

    def read(self) -> bytes:
        raise AssertionError("the bytes were read")


@pytest.mark.parametrize(
    ("size", "content_type"), [(IMAGES.max_bytes + 1, "image/jpeg"), (10, "text/html")]
)
def test_size_and_type_are_looked_at_before_the_bytes(size: int, content_type: str) -> None:
    class S3:
        def get_object(self, **_: str) -> dict[str, Any]:
            return {"ContentLength": size, "ContentType": content_type, "Body": UnreadBody()}

    with pytest.raises(Exception, match="upload"):
        UploadStore(S3(), LAKE).read("uploads/x")


def test_an_upload_that_cannot_be_deleted_is_left_to_expire(
    log: io.StringIO, upload: Callable[..., str], bright: bytes, s3: Any
) -> None:
    class NoDeleting:
        get_object = s3.get_object

        def delete_object(self, **_: str) -> None:
            raise ClientError({"Error": {"Code": "AccessDenied"}}, "DeleteObject")

    store = UploadStore(NoDeleting(), LAKE)
    s3.put_bucket_versioning(Bucket=LAKE, VersioningConfiguration={"Status": "Enabled"})
    found = store.read(upload(bright))
    assert found is not None

    store.forget(found)

    assert "left to expire" in log.getvalue()


def test_an_erased_photo_is_answered_and_not_stored_again(
    post: Callable[..., Any], bright: bytes, s3: Any
) -> None:
    key = photo_key(sha256_hex(bright))
    s3.put_object(Bucket=LAKE, Key=key, Body=ERASED_PHOTO)

    assert post(bright).status == 200
    assert versions(s3, key) == [ERASED_PHOTO]


def test_a_photo_that_came_by_a_request_is_marked_to_expire(
    post: Callable[..., Any], bright: bytes, s3: Any
) -> None:
    post(bright)

    tags = s3.get_object_tagging(Bucket=LAKE, Key=photo_key(sha256_hex(bright)))["TagSet"]
    assert tags == [{"Key": "origin", "Value": "request"}]


def test_ids_are_uuids_that_do_not_show_what_they_are_made_of() -> None:
    plain = request_identity("secret", None, None)
    keyed = request_identity("secret", "abc", None)

    assert uuid.UUID(plain.prediction_id).version == 4
    assert uuid.UUID(keyed.prediction_id).version == 5
    assert keyed.prediction_id == request_identity("secret", "abc", None).prediction_id
    assert keyed.prediction_id != request_identity("other", "abc", None).prediction_id
    assert "secret" not in str(keyed)
    assert request_identity("a", "k", "uploads/1").prediction_id == (
        request_identity("b", None, "uploads/1").prediction_id
    )
