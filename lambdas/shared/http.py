"""HTTP in and out: one resolver, one error shape, one place where errors become answers."""

from __future__ import annotations

import json
from http import HTTPStatus

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response, content_types
from aws_lambda_powertools.event_handler.exceptions import NotFoundError as NoRouteError

from areyouacat.errors import RequestError
from lambdas.shared.observability import logger

INTERNAL_ERROR = "internal_error"
NOT_FOUND = "not_found"


def create_resolver() -> APIGatewayRestResolver:
    """A resolver whose routes may raise any domain error and need build no error answer."""
    app = APIGatewayRestResolver()

    def no_route(_: NoRouteError) -> Response[str]:
        event = app.current_event
        message = f"There is no {event.http_method} {event.path}."
        return error_response(HTTPStatus.NOT_FOUND, NOT_FOUND, message)

    app.not_found(no_route)
    app.exception_handler(RequestError)(_refuse)
    app.exception_handler(Exception)(_fail)
    return app


def _refuse(error: RequestError) -> Response[str]:
    logger.info("refused", code=error.code, status=error.http_status, reason=str(error))
    return error_response(error.http_status, error.code, str(error))


def _fail(error: Exception) -> Response[str]:
    logger.exception("unexpected error", error=type(error).__name__)
    return error_response(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        INTERNAL_ERROR,
        "Something went wrong on our side. Try again.",
    )


def error_response(status: int, code: str, message: str) -> Response[str]:
    """The only shape of an error that a caller ever sees."""
    return Response(
        status_code=int(status),
        content_type=content_types.APPLICATION_JSON,
        body=json.dumps({"error": {"code": code, "message": message}}),
    )
