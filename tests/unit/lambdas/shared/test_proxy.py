from __future__ import annotations

import io
import json
from dataclasses import dataclass
from typing import Any

import pytest

from areyouacat.errors import NoModelError, PayloadTooLargeError
from lambdas.shared.proxy import ProxyRequest, answered


@dataclass(frozen=True)
class Inner:
    number: int


@dataclass(frozen=True)
class Answer:
    inner: Inner
    words: list[str]


def raising(error: Exception) -> Any:
    def produce() -> None:
        raise error

    return produce


def test_an_answer_is_json_at_any_depth() -> None:
    response = answered(lambda: Answer(Inner(7), ["ä"]))

    assert response["statusCode"] == 200
    assert response["multiValueHeaders"] == {"Content-Type": ["application/json"]}
    assert json.loads(response["body"]) == {"inner": {"number": 7}, "words": ["ä"]}


def test_a_domain_error_speaks_for_itself() -> None:
    response = answered(raising(PayloadTooLargeError("too large")))

    assert response["statusCode"] == 413
    assert json.loads(response["body"]) == {
        "error": {"code": "payload_too_large", "message": "too large"}
    }


def test_what_may_succeed_later_says_when() -> None:
    headers = answered(raising(NoModelError("soon")))["multiValueHeaders"]

    assert headers["Retry-After"] == [str(NoModelError.retry_after_seconds)]


def test_any_other_error_is_in_the_log_and_not_in_the_answer(log: io.StringIO) -> None:
    response = answered(raising(ValueError("the secret")))

    assert response["statusCode"] == 500
    assert json.loads(response["body"])["error"]["code"] == "internal_error"
    assert "secret" not in response["body"]
    assert "the secret" in log.getvalue()
    assert "Traceback" in json.loads(log.getvalue())["exception"]


def test_a_request_is_read_from_a_proxy_event() -> None:
    request = ProxyRequest.of(
        {
            "body": "e30=",
            "isBase64Encoded": True,
            "headers": {"Content-Type": "image/png", "X-SESSION-id": "s"},
            "requestContext": {"identity": {"apiKey": "k", "sourceIp": "127.0.0.1"}},
        }
    )

    assert request == ProxyRequest(
        "e30=", True, {"content-type": "image/png", "x-session-id": "s"}, "k"
    )


def test_the_header_names_the_key_where_the_identity_does_not() -> None:
    sent = {"X-Api-Key": "sent"}

    assert ProxyRequest.of({"headers": sent}).api_key == "sent"
    known = {"headers": sent, "requestContext": {"identity": {"apiKey": "known"}}}
    assert ProxyRequest.of(known).api_key == "known"


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"body": None, "headers": None, "requestContext": {}},
        {"requestContext": {"identity": None}},
        {"requestContext": {"identity": {"apiKey": None}}},
    ],
)
def test_what_an_event_leaves_out_is_empty(event: dict[str, Any]) -> None:
    assert ProxyRequest.of(event) == ProxyRequest(None, False, {}, "")
