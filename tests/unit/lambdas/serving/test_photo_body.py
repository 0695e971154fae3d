from __future__ import annotations

import base64
import json

import pytest

from areyouacat.errors import (
    EmptyBodyError,
    InvalidRequestError,
    PayloadTooLargeError,
    UnreadableImageError,
)
from areyouacat.settings import IMAGES
from lambdas.serving.handlers.photo_body import photo_bytes

JPEG = b"\xff\xd8\xff\xe0 and so on"


def base64_text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def in_json(text: str) -> str:
    return json.dumps({"image": text})


@pytest.mark.parametrize(
    "content_type",
    ["image/jpeg", "image/png", "application/octet-stream", "application/json", "text/html", ""],
)
def test_a_binary_body_is_the_photo_whatever_the_header_says(content_type: str) -> None:
    body = base64_text(JPEG)

    assert photo_bytes(body, is_base64=True, content_type=content_type) == JPEG


@pytest.mark.parametrize("is_base64", [True, False])
def test_json_holds_the_photo_as_base64(is_base64: bool) -> None:
    text = in_json(base64_text(JPEG))
    body = base64_text(text.encode()) if is_base64 else text

    assert photo_bytes(body, is_base64=is_base64, content_type="application/json") == JPEG


def test_json_is_recognised_under_another_content_type() -> None:
    body = in_json(base64_text(JPEG))

    assert photo_bytes(body, is_base64=False, content_type="text/plain") == JPEG


@pytest.mark.parametrize("body", [None, ""])
def test_no_body_is_an_empty_body(body: str | None) -> None:
    with pytest.raises(EmptyBodyError):
        photo_bytes(body, is_base64=False, content_type="image/jpeg")


def test_an_empty_image_in_json_is_an_empty_body() -> None:
    with pytest.raises(EmptyBodyError):
        photo_bytes(in_json(""), is_base64=False, content_type="application/json")


@pytest.mark.parametrize(
    "body",
    [
        "{",
        "[1]",
        "null",
        '"text"',
        "{}",
        '{"photo": "aGk="}',
        '{"image": "aGk=", "extra": 1}',
        '{"image": 1}',
        '{"image": null}',
        '{"image": ["aGk="]}',
        '{"image": "not base64!"}',
        '{"image": "aGk"}',
        '{"image": "aGk=\\n"}',
        '{"image": "data:image/jpeg;base64,aGk="}',
        '{"image": "\\ud83d\\ude00"}',
        "[" * 100_000,
    ],
)
def test_json_of_another_shape_is_an_invalid_request(body: str) -> None:
    with pytest.raises(InvalidRequestError):
        photo_bytes(body, is_base64=False, content_type="application/json; charset=utf-8")


def test_unknown_fields_are_named() -> None:
    with pytest.raises(InvalidRequestError, match="extra, other"):
        photo_bytes(
            '{"image": "aGk=", "other": 1, "extra": 1}',
            is_base64=False,
            content_type="application/json",
        )


@pytest.mark.parametrize("as_json", [True, False])
def test_too_many_bytes_are_refused(as_json: bool) -> None:
    text = base64_text(b"\xff" * (IMAGES.max_bytes + 3))
    body = in_json(text) if as_json else text

    with pytest.raises(PayloadTooLargeError):
        photo_bytes(body, is_base64=not as_json, content_type="application/json")


def test_a_photo_of_exactly_the_limit_passes() -> None:
    data = b"\xff" * IMAGES.max_bytes

    assert photo_bytes(base64_text(data), is_base64=True, content_type="image/png") == data


def test_a_body_that_the_gateway_says_is_base64_but_is_not_is_unreadable() -> None:
    with pytest.raises(UnreadableImageError, match="Content-Type"):
        photo_bytes("****", is_base64=True, content_type="image/jpeg")
