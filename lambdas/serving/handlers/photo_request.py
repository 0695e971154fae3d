"""A request's photo: its bytes, JSON that holds them as base64, or JSON that names an upload."""

from __future__ import annotations

import json
import re
from typing import Any

import pybase64

from areyouacat.contract import UPLOAD_KEY_PATTERN
from areyouacat.errors import (
    EmptyBodyError,
    InvalidRequestError,
    PayloadTooLargeError,
    UnreadableImageError,
)
from areyouacat.settings import SERVING
from lambdas.serving.logic.sent_photo import PhotoRequest

IMAGE_FIELD = "image"
UPLOAD_FIELD = "upload_key"
_MAX_BASE64_CHARACTERS = 4 * ((SERVING.max_body_bytes + 2) // 3)
# How a file of an accepted format begins; JSON text never begins so.
_IMAGE_BEGINNINGS = (b"\xff\xd8", b"\x89PNG", b"GIF8", b"RIFF")
_UPLOAD_KEY = re.compile(UPLOAD_KEY_PATTERN)


def read_request(body: str | None, *, is_base64: bool, content_type: str) -> PhotoRequest:
    """What the body asks about; the photo's bytes are not yet decoded.

    A photo is recognised by how its bytes begin: a wrong `content_type` does no harm.

    Raises:
        EmptyBodyError: there is no body.
        PayloadTooLargeError: more bytes than a body may bring (told before decoding them).
        InvalidRequestError: JSON, but neither `{"image": "<base64>"}` nor `{"upload_key": ...}`.
        UnreadableImageError: the gateway did not treat the body as binary.
    """
    if not body:
        raise EmptyBodyError(
            "The body is empty. Send the bytes of a photo, or JSON with the photo as base64."
        )
    data = _undo_gateway(body, is_base64=is_base64, content_type=content_type)
    if _is_json(data, content_type):
        return _in_json(data)
    return PhotoRequest(data, None)


def _undo_gateway(body: str, *, is_base64: bool, content_type: str) -> bytes:
    if not is_base64:
        return body.encode("utf-8", errors="replace")
    try:
        return _decode_base64(body)
    except ValueError as error:
        raise UnreadableImageError(
            f"The body does not hold a photo's bytes as they were (Content-Type {content_type!r}). "
            "Send Content-Type image/jpeg, or application/octet-stream."
        ) from error


def _is_json(data: bytes, content_type: str) -> bool:
    if data.startswith(_IMAGE_BEGINNINGS):
        return False
    declared = content_type.partition(";")[0].strip().lower() == "application/json"
    return declared or data.lstrip()[:1] == b"{"


def _in_json(data: bytes) -> PhotoRequest:
    try:
        values: Any = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise InvalidRequestError("The body is not JSON.") from error
    if not isinstance(values, dict) or len(values) != 1:
        raise InvalidRequestError(
            f'Expected {{"{IMAGE_FIELD}": "<base64>"}} or {{"{UPLOAD_FIELD}": "uploads/..."}}.'
        )
    ((field, text),) = values.items()
    if field == IMAGE_FIELD:
        return PhotoRequest(_from_text(text), None)
    if field == UPLOAD_FIELD:
        return PhotoRequest(None, _upload_key(text))
    raise InvalidRequestError(f"Unknown field: {field[:64]}.")


def _from_text(text: object) -> bytes:
    if not isinstance(text, str):
        raise InvalidRequestError(f'"{IMAGE_FIELD}" must be a string of base64.')
    if not text:
        raise EmptyBodyError(f'"{IMAGE_FIELD}" is empty.')
    try:
        return _decode_base64(text)
    except ValueError as error:
        raise InvalidRequestError(f'"{IMAGE_FIELD}" is not base64.') from error


def _upload_key(text: object) -> str:
    if not isinstance(text, str) or not _UPLOAD_KEY.fullmatch(text):
        raise InvalidRequestError(f'"{UPLOAD_FIELD}" must be a key that POST /uploads gave.')
    return text


def _decode_base64(text: str) -> bytes:
    if len(text) > _MAX_BASE64_CHARACTERS:
        raise PayloadTooLargeError(
            f"A photo in a body may have at most {SERVING.max_body_bytes:,} bytes. "
            "Send a larger one by POST /uploads."
        )
    data: bytes = pybase64.b64decode(text, validate=True)
    return data
