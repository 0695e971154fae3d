"""API Gateway's proxy events and answers, for a function with one route.

Powertools' router takes longer to import than such a function has to start; it serves where there
are routes to choose from (`lambdas.shared.http`), with the same errors in the same shape.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import Any, Final

from areyouacat.contract import ErrorAnswer, ErrorDetail
from areyouacat.errors import RequestError
from lambdas.shared.observability import logger

INTERNAL_ERROR: Final = "internal_error"
RETRY_AFTER: Final = "Retry-After"
JSON_TYPE: Final = "application/json"
API_KEY_HEADER: Final = "x-api-key"


def _fields(value: Any) -> dict[str, Any]:
    """A dataclass's fields as they are: `asdict` would copy all that they hold."""
    return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}


to_json = partial(json.dumps, default=_fields, separators=(",", ":"))
"""Dataclasses as JSON, at any depth."""


@dataclass(frozen=True, slots=True)
class ProxyRequest:
    """What API Gateway passes on; names of `headers` are in small letters."""

    body: str | None
    is_base64: bool
    headers: Mapping[str, str]
    api_key: str

    @classmethod
    def of(cls, event: Mapping[str, Any]) -> ProxyRequest:
        """The request in a REST API's proxy event.

        Source: "Set up Lambda proxy integrations in API Gateway", API Gateway developer guide.
        """
        headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
        identity = event.get("requestContext", {}).get("identity") or {}
        return cls(
            body=event.get("body"),
            is_base64=bool(event.get("isBase64Encoded")),
            headers=headers,
            # Emulators leave the identity's empty; API Gateway has let the header's key pass.
            api_key=identity.get("apiKey") or headers.get(API_KEY_HEADER) or "",
        )


@dataclass(frozen=True, slots=True)
class ErrorResponse:
    """An error as a caller sees it."""

    status: int
    answer: ErrorAnswer
    headers: Mapping[str, str]

    @classmethod
    def of(cls, error: Exception) -> ErrorResponse:
        """What to say of an error, which is logged: its own words if it is meant for the caller."""
        if isinstance(error, RequestError):
            logger.info("refused", code=error.code, status=error.http_status, reason=str(error))
            wait = error.retry_after_seconds
            return cls(
                error.http_status,
                ErrorAnswer(ErrorDetail(error.code, str(error))),
                {} if wait is None else {RETRY_AFTER: str(wait)},
            )
        logger.error("unexpected error", exc_info=error, error=type(error).__name__)
        return cls(
            HTTPStatus.INTERNAL_SERVER_ERROR,
            ErrorAnswer(
                ErrorDetail(INTERNAL_ERROR, "Something went wrong on our side. Try again.")
            ),
            {},
        )


def answered(produce: Callable[[], Any]) -> dict[str, Any]:
    """The proxy answer: what `produce` gives, a dataclass, or the error that it raises."""
    try:
        return _response(HTTPStatus.OK, produce(), {})
    except Exception as error:  # no stack trace may reach a caller
        failed = ErrorResponse.of(error)
        return _response(failed.status, failed.answer, failed.headers)


def _response(status: int, answer: Any, headers: Mapping[str, str]) -> dict[str, Any]:
    return {
        "statusCode": int(status),
        "multiValueHeaders": {
            name: [value] for name, value in {"Content-Type": JSON_TYPE, **headers}.items()
        },
        "body": to_json(answer),
        "isBase64Encoded": False,
    }
