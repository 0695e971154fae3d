"""Bodies of this function are JSON, whatever their header says and however the gateway sent them.

API Gateway hands over bodies of binary media types as base64, and callers' tools name types of
their own. A body's content decides, so both differences end here.
"""

from __future__ import annotations

import base64
from typing import Any

_CONTENT_TYPE = "content-type"
_JSON = "application/json"


def with_json_body(event: dict[str, Any]) -> dict[str, Any]:
    """The proxy event with its body as text and declared as JSON."""
    body = event.get("body")
    if not body:
        return event
    return event | {
        "body": _from_base64(body) if event.get("isBase64Encoded") else body,
        "isBase64Encoded": False,
        "headers": _declared(event.get("headers"), _JSON),
        "multiValueHeaders": _declared(event.get("multiValueHeaders"), [_JSON]),
    }


def _from_base64(body: str) -> str:
    """Text; bytes that are no UTF-8 become characters that no string field accepts."""
    try:
        return base64.b64decode(body, validate=True).decode("utf-8", errors="surrogateescape")
    except ValueError:
        return body


def _declared(headers: dict[str, Any] | None, value: Any) -> dict[str, Any]:
    others = {name: kept for name, kept in (headers or {}).items() if name.lower() != _CONTENT_TYPE}
    return others | {"Content-Type": value}
