"""HTTP for a function with several routes: a router that knows their types, and our errors.

It needs pydantic in the bundle. A function with one route starts sooner with `lambdas.shared.proxy`
alone, which this builds on: the errors are the same.
"""

from __future__ import annotations

import inspect
import json
from collections import defaultdict
from collections.abc import Sequence
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError as NoRouteError
from aws_lambda_powertools.event_handler.openapi.exceptions import RequestValidationError

from areyouacat.contract import ErrorAnswer
from areyouacat.errors import EmptyBodyError, InvalidRequestError, NotFoundError, RequestError
from lambdas.shared.proxy import JSON_TYPE, RETRY_AFTER, ErrorResponse, to_json

if TYPE_CHECKING:
    from aws_lambda_powertools.event_handler.openapi.types import OpenAPIResponse

_MAY_SUCCEED_LATER: Final = frozenset(
    {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}
)
_MAX_NAME: Final = 64  # characters of a field's name that are repeated to the caller


def create_resolver() -> APIGatewayRestResolver:
    """A resolver whose routes may raise any domain error and need build no error answer.

    Requests and answers are held against the routes' types.
    """
    app = APIGatewayRestResolver(
        serializer=to_json,
        enable_validation=True,
        # An answer of the wrong shape is our fault, not the caller's.
        response_validation_error_http_code=HTTPStatus.INTERNAL_SERVER_ERROR,
        json_body_deserializer=_json_object,
    )

    def no_route(_: NoRouteError) -> Response[str]:
        event = app.current_event
        return _answer(NotFoundError(f"There is no {event.http_method} {event.path}."))

    app.not_found(no_route)
    app.exception_handler(RequestValidationError)(_refuse_shape)
    app.exception_handler(Exception)(_answer)
    return app


def documented_errors(answer: type[Any], *errors: type[RequestError]) -> dict[int, OpenAPIResponse]:
    """What a route may answer, for its `responses`: `answer`, a dataclass, or one of `errors`.

    Every status names its error codes.
    """
    codes: defaultdict[int, list[str]] = defaultdict(list)
    for error in errors:
        codes[error.http_status].append(f"`{error.code}`: {_first_line(error)}")
    return {
        int(HTTPStatus.OK): {
            "description": _first_line(answer),
            "content": {JSON_TYPE: {"model": answer}},
        },
        **{status: documented_error(status, lines) for status, lines in sorted(codes.items())},
    }


def documented_error(status: int, lines: Sequence[str]) -> OpenAPIResponse:
    """One error status; `lines` say which codes it comes with, and when."""
    response: OpenAPIResponse = {
        "description": "\n".join(f"- {line}" for line in lines),
        "content": {JSON_TYPE: {"model": ErrorAnswer}},
    }
    if status in _MAY_SUCCEED_LATER:
        response["headers"] = {
            RETRY_AFTER: {
                "description": "Seconds after which the same request may succeed, if known",
                "schema": {"type": "integer", "minimum": 1},
            }
        }
    return response


def _answer(error: Exception) -> Response[str]:
    response = ErrorResponse.of(error)
    return Response(
        status_code=int(response.status),
        content_type=JSON_TYPE,
        body=to_json(response.answer),
        headers=dict(response.headers),
    )


def _refuse_shape(error: RequestValidationError) -> Response[str]:
    """Names every fault, without the values that were sent."""
    faults = error.errors()
    if any(fault["loc"] == ("body",) and fault["type"] == "missing" for fault in faults):
        return _answer(EmptyBodyError("The body is empty. Send JSON."))
    return _answer(InvalidRequestError("; ".join(map(_fault, faults))))


def _fault(fault: dict[str, Any]) -> str:
    """Such as `label: must be one of ...`."""
    where, *path = map(str, fault["loc"])
    said = str(fault["msg"]).removeprefix("Value error, ")
    return f"{'.'.join(path)[:_MAX_NAME] or where}: {said}"


def _json_object(text: str) -> dict[str, Any]:
    """A body as JSON.

    Raises:
        InvalidRequestError: not JSON, or no object.
    """
    try:
        values = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidRequestError("The body is not JSON.") from error
    if not isinstance(values, dict):
        raise InvalidRequestError("The body is JSON, but no object: expected {...}.")
    return values


def _first_line(described: type[Any]) -> str:
    return (inspect.getdoc(described) or "").partition("\n")[0]
