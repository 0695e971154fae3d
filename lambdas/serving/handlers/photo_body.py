"""The photo in a request's body: raw bytes, or JSON that holds them as base64."""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any

from areyouacat.errors import (
    EmptyBodyError,
    InvalidRequestError,
    PayloadTooLargeError,
    UnreadableImageError,
)
from areyouacat.settings import IMAGES

IMAGE_FIELD = "image"
_MAX_BASE64_CHARACTERS = 4 * ((IMAGES.max_bytes + 2) // 3)
# How a file of an accepted format begins; JSON text never begins so.
_IMAGE_BEGINNINGS = (b"\xff\xd8", b"\x89PNG", b"GIF8", b"RIFF")


def photo_bytes(body: str | None, *, is_base64: bool, content_type: str) -> bytes:
    """The photo's bytes, not yet decoded.

    A photo is recognised by how its bytes begin: a wrong `content_type` does no harm.

    Raises:
        EmptyBodyError: there is no body.
        PayloadTooLargeError: more bytes than a photo may have (told before decoding them).
        InvalidRequestError: JSON, but not `{"image": "<base64>"}`.
        UnreadableImageError: the gateway did not treat the body as binary.
    """
    if not body:
        raise EmptyBodyError(
            "The body is empty. Send the bytes of a photo, or JSON with the photo as base64."
        )
    data = _undo_gateway(body, is_base64=is_base64, content_type=content_type)
    if _is_json(data, content_type):
        return _photo_in_json(data)
    return data


def _undo_gateway(body: str, *, is_base64: bool, content_type: str) -> bytes:
    if not is_base64:
        return body.encode("utf-8", errors="replace")
    try:
        return _decode_base64(body)
    except binascii.Error as error:
        raise UnreadableImageError(
            f"The body does not hold a photo's bytes as they were (Content-Type {content_type!r}). "
            "Send Content-Type image/jpeg, or application/octet-stream."
        ) from error


def _is_json(data: bytes, content_type: str) -> bool:
    if data.startswith(_IMAGE_BEGINNINGS):
        return False
    declared = content_type.partition(";")[0].strip().lower() == "application/json"
    return declared or data.lstrip()[:1] == b"{"


def _photo_in_json(data: bytes) -> bytes:
    try:
        values: Any = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise InvalidRequestError("The body is not JSON.") from error
    if not isinstance(values, dict):
        raise InvalidRequestError(f'Expected an object: {{"{IMAGE_FIELD}": "<base64>"}}.')
    if unknown := sorted(values.keys() - {IMAGE_FIELD}):
        raise InvalidRequestError(f"Unknown fields: {', '.join(unknown)[:200]}.")
    text = values.get(IMAGE_FIELD)
    if not isinstance(text, str):
        raise InvalidRequestError(f'"{IMAGE_FIELD}" must be there, and be a string of base64.')
    if not text:
        raise EmptyBodyError(f'"{IMAGE_FIELD}" is empty.')
    try:
        return _decode_base64(text)
    except (binascii.Error, ValueError) as error:
        raise InvalidRequestError(f'"{IMAGE_FIELD}" is not base64.') from error


def _decode_base64(text: str) -> bytes:
    if len(text) > _MAX_BASE64_CHARACTERS:
        raise PayloadTooLargeError(f"A photo may have at most {IMAGES.max_bytes:,} bytes.")
    return base64.b64decode(text, validate=True)
