from __future__ import annotations

from lambdas.api.handlers.json_body import with_json_body


def test_a_body_in_base64_becomes_text() -> None:
    event = with_json_body({"body": "eyJhIjogMX0=", "isBase64Encoded": True, "headers": None})

    assert event["body"] == '{"a": 1}'
    assert event["isBase64Encoded"] is False


def test_a_body_that_is_not_the_base64_it_is_said_to_be_stays_as_it_is() -> None:
    event = with_json_body({"body": "{}=", "isBase64Encoded": True, "headers": {}})

    assert event["body"] == "{}="


def test_the_content_type_is_said_once_however_it_was_spelled() -> None:
    event = with_json_body(
        {
            "body": "{}",
            "headers": {"CONTENT-type": "text/plain", "X-Session-Id": "s"},
            "multiValueHeaders": {"content-Type": ["text/plain"]},
        }
    )

    assert event["headers"] == {"X-Session-Id": "s", "Content-Type": "application/json"}
    assert event["multiValueHeaders"] == {"Content-Type": ["application/json"]}


def test_a_request_without_a_body_is_left_alone() -> None:
    event = {"body": None, "headers": {"Content-Type": "text/plain"}}

    assert with_json_body(event) == event
