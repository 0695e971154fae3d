"""The API's OpenAPI document, from the typed handlers: `python -m lambdas.openapi` writes it.

What Powertools cannot say is added here: that a photo may be a request's whole body, what API
Gateway answers in the functions' place, and the key that it wants to see.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any, Final, get_type_hints

from aws_lambda_powertools.event_handler import APIGatewayRestResolver

from areyouacat.contract import IDEMPOTENCY_KEY_PATTERN, UPLOAD_KEY_PATTERN, ErrorAnswer
from areyouacat.settings import IMAGES, LABELS, SERVING
from lambdas.api.handlers import api
from lambdas.api.handlers.documentation import OPENAPI_FILE
from lambdas.serving.handlers import predict
from lambdas.serving.handlers.photo_request import IMAGE_FIELD, UPLOAD_FIELD
from lambdas.shared.http import create_resolver, documented_error, documented_errors
from lambdas.shared.proxy import API_KEY_HEADER, INTERNAL_ERROR, JSON_TYPE

API_VERSION: Final = "1"
API_KEY: Final = "ApiKey"
PREDICT_PATH: Final = "/predict"
_SCHEMAS = "#/components/schemas/"

GATEWAY: Final = {
    HTTPStatus.FORBIDDEN: "`forbidden`: The API key is missing or unknown.",
    HTTPStatus.TOO_MANY_REQUESTS: "`too_many_requests`: Wait a second, or for a new quota.",
    HTTPStatus.INTERNAL_SERVER_ERROR: f"`{INTERNAL_ERROR}`: Something went wrong on our side.",
    HTTPStatus.GATEWAY_TIMEOUT: "`timeout`: It took too long.",
}
"""What any keyed route may answer before, or after, its function does."""

GATEWAY_BODY: Final = {HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "`payload_too_large`: Too many bytes."}
"""The same, for routes that take a body."""


def openapi_document() -> dict[str, Any]:
    """The document, ready for JSON."""
    app = create_resolver()
    _declare_predict(app)
    app.include_router(api.router)
    document: dict[str, Any] = json.loads(
        app.get_openapi_json_schema(
            title=f"Are you {LABELS.positive_words}?",
            version=API_VERSION,
            description=(
                f"Says whether a photo shows {LABELS.positive_words}. Errors have one shape: a "
                "`code` for programs and a `message` for people."
            ),
        )
    )
    document["servers"] = [{"url": "./", "description": "Where this document is"}]
    schemas = document["components"]["schemas"]
    asked = document["paths"][PREDICT_PATH]["post"]
    asked["parameters"] = _predict_headers()
    asked["requestBody"] = _photo()
    for path in document["paths"].values():
        for operation in path.values():
            operation["security"] = [{API_KEY: []}]
            _drop_powertools_errors(operation)
            _add_gateway(operation)
    document["components"] = {
        "schemas": {name: schemas[name] for name in _reachable(document["paths"], schemas)},
        "securitySchemes": {API_KEY: {"type": "apiKey", "in": "header", "name": API_KEY_HEADER}},
    }
    return document


def openapi_text() -> str:
    """The document as it is committed."""
    return json.dumps(openapi_document(), indent=2, sort_keys=True) + "\n"


def _declare_predict(app: APIGatewayRestResolver) -> None:
    """The function of this one route has no router: see `lambdas.shared.proxy`."""
    answer = get_type_hints(predict.post_predict)["return"]
    app.post(
        PREDICT_PATH,
        summary="Ask about a photo",
        description=(
            "The photo is the body, or stands in JSON as base64, or was sent by POST /uploads. A "
            "request that is repeated with the same Idempotency-Key is one prediction."
        ),
        responses=documented_errors(answer, *predict.ERRORS),
        tags=api.PREDICTIONS,
        operation_id="predict",
    )(lambda: None)


def _drop_powertools_errors(operation: dict[str, Any]) -> None:
    """Powertools documents errors of its own shape; ours has one shape only."""
    operation["responses"] = {
        status: response
        for status, response in operation["responses"].items()
        if "ValidationError" not in json.dumps(response)
    }


def _add_gateway(operation: dict[str, Any]) -> None:
    with_body = GATEWAY_BODY if "requestBody" in operation else {}
    responses = operation["responses"]
    for status, line in (GATEWAY | with_body).items():
        said = responses.get(str(int(status)), {}).get("description", "")
        lines = [old.removeprefix("- ") for old in said.splitlines() if old.startswith("- ")]
        code = line.partition(":")[0]
        if not any(old.startswith(code) for old in lines):
            lines.append(line)
        responses[str(int(status))] = _resolved(documented_error(status, lines))


def _resolved(response: Any) -> dict[str, Any]:
    """A documented response with its schema in the place of the type."""
    content = {JSON_TYPE: {"schema": {"$ref": f"{_SCHEMAS}{ErrorAnswer.__name__}"}}}
    return {**response, "content": content}


def _predict_headers() -> list[dict[str, Any]]:
    return [
        {
            "name": predict.IDEMPOTENCY_HEADER,
            "in": "header",
            "required": False,
            "description": "Names this request: repeated with the same key, it is one prediction",
            "schema": {"type": "string", "pattern": IDEMPOTENCY_KEY_PATTERN},
        },
        {
            "name": predict.SESSION_HEADER,
            "in": "header",
            "required": False,
            "description": "Requests of one session are answered by one model",
            "schema": {"type": "string"},
        },
    ]


def _photo() -> dict[str, Any]:
    """A photo's bytes, or JSON with it or with the key of its upload."""
    binary = {"schema": {"type": "string", "format": "binary"}}
    as_base64 = {
        "type": "string",
        "contentEncoding": "base64",
        "minLength": 4,
        "pattern": "^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$",
    }
    by_upload = {"type": "string", "pattern": UPLOAD_KEY_PATTERN}
    return {
        "required": True,
        "description": (
            f"At most {SERVING.max_body_bytes:,} bytes of photo. Larger ones, up to "
            f"{IMAGES.max_bytes:,} bytes, go by POST /uploads."
        ),
        "content": {
            **dict.fromkeys(IMAGES.media_types, binary),
            "application/octet-stream": binary,
            JSON_TYPE: {
                "schema": {
                    "oneOf": [
                        _closed("PhotoInJson", IMAGE_FIELD, as_base64),
                        _closed("PhotoByUpload", UPLOAD_FIELD, by_upload),
                    ]
                }
            },
        },
    }


def _closed(title: str, name: str, schema: dict[str, Any]) -> dict[str, Any]:
    """An object with exactly one field."""
    return {
        "title": title,
        "type": "object",
        "properties": {name: schema},
        "required": [name],
        "additionalProperties": False,
    }


def _reachable(start: Any, schemas: dict[str, Any]) -> Iterable[str]:
    """Names of the schemas that `start` needs, directly or through others."""
    found: set[str] = set()
    pending = [start]
    while pending:
        names = set(re.findall(rf'"{_SCHEMAS}([^"]+)"', json.dumps(pending.pop()))) - found
        found |= names
        pending += [schemas[name] for name in names]
    return sorted(found)


def main() -> int:
    """Writes the document to its place."""
    OPENAPI_FILE.write_text(openapi_text(), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
