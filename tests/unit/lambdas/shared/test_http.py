from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

import pytest
from aws_lambda_powertools.event_handler import APIGatewayRestResolver
from aws_lambda_powertools.event_handler.openapi.params import Query

from areyouacat import errors
from areyouacat.contract import ErrorAnswer
from areyouacat.errors import NoModelError, NotFoundError, RequestError, TooMuchFeedbackError
from lambdas.shared.http import create_resolver, documented_errors

MESSAGE = "what is wrong"
REQUEST_ERRORS = [
    TooMuchFeedbackError(MESSAGE, 60) if error is TooMuchFeedbackError else error(MESSAGE)
    for error in vars(errors).values()
    if isinstance(error, type) and issubclass(error, RequestError)
]


@dataclass(frozen=True, slots=True)
class Inner:
    """A part."""

    number: float


@dataclass(frozen=True, slots=True)
class Outer:
    """A whole with parts."""

    parts: list[Inner]


def app_that_raises(error: Exception) -> Callable[[dict[str, Any], Any], dict[str, Any]]:
    app: APIGatewayRestResolver = create_resolver()

    def route() -> dict[str, Any]:
        raise error

    app.get("/thing")(route)
    return app.resolve


@pytest.mark.parametrize("error", REQUEST_ERRORS, ids=lambda error: type(error).__name__)
def test_every_domain_error_has_its_status_and_our_shape(
    error: RequestError, send: Callable[..., Any]
) -> None:
    answer = send(app_that_raises(error), "GET", "/thing")

    assert answer.status == error.http_status
    assert answer.body == {"error": {"code": error.code, "message": MESSAGE}}


def test_an_error_that_passes_says_when_to_try_again(send: Callable[..., Any]) -> None:
    def headers(error: RequestError) -> dict[str, str]:
        found: dict[str, str] = send(app_that_raises(error), "GET", "/thing").headers
        return found

    assert headers(TooMuchFeedbackError(MESSAGE, 60))["retry-after"] == "60"
    assert headers(NoModelError(MESSAGE))["retry-after"] == str(NoModelError.retry_after_seconds)
    assert "retry-after" not in headers(NotFoundError(MESSAGE))


def test_an_unexpected_error_tells_the_caller_nothing_of_the_inside(
    send: Callable[..., Any], log: io.StringIO
) -> None:
    answer = send(app_that_raises(ZeroDivisionError("secret detail")), "GET", "/thing")

    assert answer.status == 500
    assert answer.body["error"]["code"] == "internal_error"
    assert "secret" not in json.dumps(answer.body)
    assert "Traceback" not in json.dumps(answer.body)
    assert "secret detail" in log.getvalue()


@pytest.mark.parametrize(("method", "path"), [("GET", "/other"), ("DELETE", "/thing")])
def test_an_unknown_route_or_method_is_a_404_in_our_shape(
    method: str, path: str, send: Callable[..., Any]
) -> None:
    answer = send(app_that_raises(ValueError()), method, path)

    assert answer.status == 404
    assert answer.body["error"]["code"] == "not_found"


def test_a_dataclass_is_answered_as_json(send: Callable[..., Any]) -> None:
    app = create_resolver()

    def route() -> Outer:
        return Outer([Inner(0.5), Inner(1.0)])

    app.get("/thing")(route)

    answer = send(app.resolve, "GET", "/thing")

    assert answer.status == 200
    assert answer.body == {"parts": [{"number": 0.5}, {"number": 1.0}]}


def test_an_answer_of_the_wrong_shape_is_our_fault(
    send: Callable[..., Any], log: io.StringIO
) -> None:
    app = create_resolver()

    def route() -> Outer:
        return {"parts": "none"}  # type: ignore[return-value]

    app.get("/thing")(route)

    answer = send(app.resolve, "GET", "/thing")

    assert (answer.status, answer.body["error"]["code"]) == (500, "internal_error")
    assert "unexpected error" in log.getvalue()


def test_a_missing_parameter_is_not_taken_for_an_empty_body(send: Callable[..., Any]) -> None:
    app = create_resolver()

    def route(wanted: Annotated[str, Query()]) -> Inner:
        return Inner(len(wanted))

    app.get("/thing")(route)

    answer = send(app.resolve, "GET", "/thing")

    assert (answer.status, answer.body["error"]["code"]) == (422, "invalid_request")
    assert answer.body["error"]["message"].startswith("wanted: ")


def test_documented_errors_are_by_status_and_name_their_codes() -> None:
    documented = documented_errors(Outer, NotFoundError, errors.UploadUsedError, NoModelError)

    assert list(documented) == [200, 404, 409, 503]
    assert documented[200]["description"] == "A whole with parts."
    assert documented[200]["content"]["application/json"] == {"model": Outer}
    assert documented[409]["description"].startswith("- `upload_used`: ")
    assert documented[409]["content"]["application/json"] == {"model": ErrorAnswer}
    assert [status for status, said in documented.items() if "headers" in said] == [503]


def test_errors_of_one_status_share_a_response() -> None:
    documented = documented_errors(Outer, errors.EmptyBodyError, errors.UnreadableImageError)

    assert list(documented) == [200, 400]
    assert "`empty_body`" in documented[400]["description"]
    assert "`unreadable_image`" in documented[400]["description"]
