from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from aws_lambda_powertools.event_handler import APIGatewayRestResolver

from areyouacat import errors
from areyouacat.errors import RequestError
from lambdas.shared.http import create_resolver

REQUEST_ERRORS = [
    error
    for error in vars(errors).values()
    if isinstance(error, type) and issubclass(error, RequestError)
]


def app_that_raises(error: Exception) -> Callable[[dict[str, Any], Any], dict[str, Any]]:
    app: APIGatewayRestResolver = create_resolver()

    def route() -> dict[str, Any]:
        raise error

    app.get("/thing")(route)
    return app.resolve


@pytest.mark.parametrize("kind", REQUEST_ERRORS, ids=lambda kind: kind.__name__)
def test_every_domain_error_has_its_status_and_our_shape(
    kind: type[RequestError], send: Callable[..., Any]
) -> None:
    answer = send(app_that_raises(kind("what is wrong")), "GET", "/thing")

    assert answer.status == kind.http_status
    assert answer.body == {"error": {"code": kind.code, "message": "what is wrong"}}


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
