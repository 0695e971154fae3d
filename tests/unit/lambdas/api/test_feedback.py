from __future__ import annotations

import io
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from areyouacat.lake import photo_key
from areyouacat.predictions import Feedback
from lambdas.api.dal.photo_store import PhotoStore
from lambdas.api.logic.feedback import Caller, give_feedback
from lambdas.shared.predictions_table import PredictionsTable
from tests.unit.lambdas.api.conftest import (
    NOW,
    PHOTO,
    StumblingClient,
    photo_tags,
    store_photo,
)
from tests.unit.lambdas.conftest import CONTROL_TABLE, LAKE, TABLE


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


@pytest.mark.parametrize(
    "prediction_id", ["nobody", "p-2", "not an id!", "../p-1", "é", "p-1\n", "p" * 65, " "]
)
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
        '[{"prediction_id": "p-1", "label": "cat"}]',
        '{"prediction_id": ' + "1" * 5000 + ', "label": "cat"}',
        '{"prediction_id": NaN, "label": "cat"}',
        b'{"prediction_id": "p-1\xff", "label": "cat"}',
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


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "application/x-www-form-urlencoded",  # what curl -d says
        "multipart/form-data",
        "image/jpeg",
        "",
    ],
)
def test_a_body_is_json_whatever_its_header_says(
    content_type: str, request_: Callable[..., Any], table: PredictionsTable
) -> None:
    body = '{"prediction_id": "p-1", "label": "cat"}'

    answer = request_("POST", "/feedback", body, content_type=content_type)

    assert answer.status == 200
    assert labels_in_window(table) == ["cat"]


def test_a_form_is_not_taken_for_json(
    request_: Callable[..., Any], table: PredictionsTable
) -> None:
    form = (
        b'--b\r\nContent-Disposition: form-data; name="prediction_id"\r\n\r\np-1\r\n'
        b'--b\r\nContent-Disposition: form-data; name="label"\r\n\r\ncat\r\n--b--\r\n'
    )

    answer = request_("POST", "/feedback", form, content_type="multipart/form-data; boundary=b")

    assert (answer.status, answer.body["error"]["code"]) == (422, "invalid_request")
    assert labels_in_window(table) == []


def test_every_fault_is_named_and_no_value_is_repeated(request_: Callable[..., Any]) -> None:
    body = json.dumps({"prediction_id": 4711, "label": "secret", "who": "me and you"})

    message = request_("POST", "/feedback", body).body["error"]["message"]

    assert all(name in message for name in ("prediction_id", "label", "who"))
    assert not any(value in message for value in ("4711", "secret", "me and you"))


def test_feedback_takes_the_photo_out_of_retention(
    feedback: Callable[..., Any], s3: Any, table: PredictionsTable
) -> None:
    store_photo(s3, "origin=request")

    assert feedback("p-1", "not_cat").status == 200

    assert photo_tags(s3) == {"origin": "feedback"}


@pytest.mark.parametrize("tagging", ["", "origin=feedback", "owner=somebody"])
def test_feedback_leaves_other_photos_as_they_are(
    tagging: str, feedback: Callable[..., Any], s3: Any, table: PredictionsTable
) -> None:
    store_photo(s3, tagging)
    before = photo_tags(s3)

    assert feedback("p-1", "not_cat").status == 200

    assert photo_tags(s3) == before


def test_feedback_on_an_erased_photo_does_not_mark_it(
    feedback: Callable[..., Any], s3: Any, table: PredictionsTable
) -> None:
    s3.put_object(Bucket=LAKE, Key=photo_key(PHOTO), Body=b"")

    assert feedback("p-1", "not_cat").status == 200

    assert photo_tags(s3) == {}


def test_a_label_is_not_recorded_unless_its_photo_is_kept(s3: Any, table: PredictionsTable) -> None:
    store_photo(s3, "origin=request")
    photos = PhotoStore(StumblingClient(s3, "put_object_tagging"), LAKE)

    with pytest.raises(ConnectionError):
        give_feedback(table, photos, "p-1", Feedback("cat", NOW), Caller("key", "address"))

    assert labels_in_window(table) == []


def test_the_log_holds_neither_the_key_nor_the_address(
    request_: Callable[..., Any], table: PredictionsTable, log: io.StringIO
) -> None:
    body = '{"prediction_id": "p-1", "label": "cat"}'

    request_("POST", "/feedback", body, api_key="secret-key", address="192.0.2.7")

    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    assert lines[-1]["message"] == "answered"
    assert lines[-1]["correlation_id"] == "gateway-request-1"
    assert lines[-1]["function_request_id"] == "request-1"
    assert "secret-key" not in log.getvalue()
    assert "192.0.2.7" not in log.getvalue()


def test_feedback_that_is_taken_back_is_as_if_never_given(
    feedback: Callable[..., Any], request_: Callable[..., Any], table: PredictionsTable
) -> None:
    before = request_("GET", "/predictions/p-1").body
    feedback("p-1", "not_cat")

    first = request_("DELETE", "/predictions/p-1/feedback")
    second = request_("DELETE", "/predictions/p-1/feedback")

    assert first.status == second.status == 200
    assert first.body == second.body == before
    assert labels_in_window(table) == []


def test_taking_back_does_not_give_the_caps_back(
    feedback: Callable[..., Any], request_: Callable[..., Any], dynamodb: Any
) -> None:
    feedback("p-1", "cat")
    request_("DELETE", "/predictions/p-1/feedback")
    feedback("p-1", "cat")

    counters = dynamodb.scan(TableName=CONTROL_TABLE)["Items"]
    assert [int(each["count"]["N"]) for each in counters] == [2, 2]


@pytest.mark.parametrize("prediction_id", ["nobody", "p" * 65, "not%20an%20id"])
def test_taking_back_feedback_of_an_unknown_prediction_is_a_404(
    prediction_id: str, request_: Callable[..., Any]
) -> None:
    answer = request_("DELETE", f"/predictions/{prediction_id}/feedback")

    assert (answer.status, answer.body["error"]["code"]) == (404, "not_found")
