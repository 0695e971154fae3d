"""The API's client against real HTTP: what it sends, and what it makes of the answers."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from areyouacat.settings import IMAGES, SERVING
from tests.ui.fake_api import FakeApi, Reply, error, prediction
from ui.answers import Feedback
from ui.api_errors import (
    ApiBrokenError,
    ApiError,
    PhotoRefusedError,
    RequestUsedError,
    UnknownPredictionError,
)
from ui.client import HttpApi

MOMENT = datetime(2026, 11, 23, 10, tzinfo=UTC)


def test_a_photo_is_sent_as_it_is_under_a_key_of_its_own(
    api: FakeApi, http: HttpApi, photo: bytes
) -> None:
    first, second = http.predict(photo), http.predict(photo)

    assert api.bodies("/predict") == [photo, photo]
    assert api.headers("/predict", "content-type") == ["image/jpeg"] * 2
    assert len(set(api.headers("/predict", "idempotency-key"))) == 2
    assert first.prediction_id != second.prediction_id


def test_the_callers_own_key_makes_two_calls_one_prediction(
    api: FakeApi, http: HttpApi, photo: bytes
) -> None:
    first = http.predict(photo, idempotency_key="order-7")
    second = http.predict(photo, idempotency_key="order-7")

    assert first == second
    assert len(api.records) == 1


def test_a_session_is_named_where_there_is_one(api: FakeApi, http: HttpApi, photo: bytes) -> None:
    http.predict(photo, session="visit-1")
    http.predict(photo)

    assert api.headers("/predict", "x-session-id") == ["visit-1", None]


def test_a_key_that_came_with_another_photo_is_refused_and_not_tried_again(
    api: FakeApi, http: HttpApi, photo: bytes
) -> None:
    http.predict(photo, idempotency_key="order-7")

    with pytest.raises(RequestUsedError) as refused:
        http.predict(photo + b"more", idempotency_key="order-7")

    assert (refused.value.code, refused.value.status) == ("idempotency_key_reused", 409)
    assert len(api.calls) == 2


@pytest.mark.parametrize("key", ["", "two words", "line\nbreak", "x" * 256, "Schlüssel"])
def test_a_key_that_no_header_takes_is_told_before_anything_is_sent(
    api: FakeApi, http: HttpApi, photo: bytes, key: str
) -> None:
    with pytest.raises(ValueError, match="Idempotency-Key"):
        http.predict(photo, idempotency_key=key)

    assert not api.calls


def test_a_large_photo_goes_by_an_upload(api: FakeApi, http: HttpApi, large_photo: bytes) -> None:
    answer = http.predict(large_photo)

    (asked,) = api.bodies("/uploads")
    (sent,) = api.bodies("/predict")
    key = json.loads(sent)["upload_key"]
    assert json.loads(asked) == {"content_type": "image/png"}
    assert api.uploads[key] == large_photo
    assert answer.prediction_id == "p-1"


def test_the_apis_key_is_not_shown_to_s3(api: FakeApi, http: HttpApi, large_photo: bytes) -> None:
    http.predict(large_photo)

    assert api.headers("/bucket", "x-api-key") == [None]


def test_a_photo_of_the_largest_body_needs_no_upload(
    api: FakeApi, http: HttpApi, large_photo: bytes
) -> None:
    http.predict(large_photo[: SERVING.max_body_bytes])

    assert [call.path for call in api.calls] == ["/predict"]


def test_a_photo_beyond_every_limit_is_refused_before_anything_is_sent(
    api: FakeApi, http: HttpApi
) -> None:
    with pytest.raises(PhotoRefusedError, match="too large") as refused:
        http.predict(bytes(IMAGES.max_bytes + 1))

    assert refused.value.code == "payload_too_large"
    assert not api.calls


@pytest.mark.parametrize(
    ("status", "code", "kind", "words"),
    [
        (400, "EntityTooLarge", PhotoRefusedError, "too large"),
        (403, "AccessDenied", ApiBrokenError, "could not be uploaded"),
    ],
)
def test_an_upload_that_s3_refuses_is_told_in_plain_words(
    api: FakeApi,
    http: HttpApi,
    large_photo: bytes,
    status: int,
    code: str,
    kind: type[ApiError],
    words: str,
) -> None:
    api.flaky["/bucket"].append(Reply(status, f"<Error><Code>{code}</Code></Error>".encode()))

    with pytest.raises(kind, match=words) as refused:
        http.predict(large_photo)

    assert refused.value.status == status
    assert not api.bodies("/predict")


@pytest.mark.parametrize("content", [b"<html>", [], {}, {"upload_key": "k", "url": 1, "fields": 2}])
def test_a_place_for_an_upload_of_the_wrong_shape_is_told(
    api: FakeApi, http: HttpApi, large_photo: bytes, content: object
) -> None:
    api.answers["/uploads"] = (200, content)

    with pytest.raises(ApiBrokenError, match="makes no sense"):
        http.predict(large_photo)


def test_an_upload_that_is_gone_is_not_called_an_unknown_answer(
    api: FakeApi, http: HttpApi, large_photo: bytes
) -> None:
    api.flaky["/predict"].append(Reply(404, error("not_found")))

    with pytest.raises(ApiBrokenError, match="Send it again") as lost:
        http.predict(large_photo)

    assert lost.value.code == "not_found"


def test_a_prediction_is_read_with_its_feedback(http: HttpApi, photo: bytes) -> None:
    answer = http.predict(photo)

    before = http.get(answer.prediction_id)
    http.feedback(answer.prediction_id, "not_cat")
    after = http.get(answer.prediction_id)

    assert before.prediction == after.prediction == answer
    assert before.predicted_at == MOMENT
    assert before.feedback is None
    assert after.feedback == Feedback("not_cat", MOMENT)


@pytest.mark.parametrize(
    "changes", [{"predicted_at": "yesterday"}, {"predicted_at": "2026-11-23"}, {"feedback": {}}]
)
def test_a_stored_prediction_of_the_wrong_shape_is_told(
    api: FakeApi, http: HttpApi, changes: dict[str, object]
) -> None:
    stored = prediction(**{"predicted_at": "2026-11-23T10:00:00Z", "feedback": None, **changes})
    api.answers["/predictions/p-1"] = (200, stored)

    with pytest.raises(ApiBrokenError, match="makes no sense"):
        http.get("p-1")


@pytest.mark.parametrize("photo_erased", [True, False])
def test_an_erased_prediction_is_gone(
    api: FakeApi, http: HttpApi, photo: bytes, photo_erased: bool
) -> None:
    api.photo_erased = photo_erased
    answer = http.predict(photo)

    assert http.erase(answer.prediction_id) is photo_erased

    with pytest.raises(UnknownPredictionError, match="no longer known"):
        http.erase(answer.prediction_id)


def test_an_id_cannot_name_another_route(api: FakeApi, http: HttpApi) -> None:
    with pytest.raises(UnknownPredictionError):
        http.get("../model?x#y")

    assert api.calls[0].path == "/predictions/..%2Fmodel%3Fx%23y"


def test_the_model_and_the_state_of_the_api_are_told(http: HttpApi) -> None:
    assert http.health().model_version == "3"
    assert http.model().champion.version == "3"


def test_feedback_that_is_taken_back_is_gone_and_may_be_taken_back_again(
    api: FakeApi, http: HttpApi, photo: bytes
) -> None:
    answer = http.predict(photo)
    http.feedback(answer.prediction_id, "cat")

    http.withdraw(answer.prediction_id)
    http.withdraw(answer.prediction_id)

    assert http.get(answer.prediction_id).feedback is None


def test_taking_back_feedback_of_an_erased_prediction_says_that_it_is_gone(
    api: FakeApi, http: HttpApi, photo: bytes
) -> None:
    answer = http.predict(photo)
    http.erase(answer.prediction_id)

    with pytest.raises(UnknownPredictionError):
        http.withdraw(answer.prediction_id)
