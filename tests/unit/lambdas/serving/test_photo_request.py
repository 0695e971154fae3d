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
from areyouacat.settings import SERVING
from lambdas.serving.handlers.photo_request import read_request
from lambdas.serving.logic.sent_photo import PhotoRequest

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

    assert read_request(body, is_base64=True, content_type=content_type) == PhotoRequest(JPEG, None)


@pytest.mark.parametrize("is_base64", [True, False])
def test_json_holds_the_photo_as_base64(is_base64: bool) -> None:
    text = in_json(base64_text(JPEG))
    body = base64_text(text.encode()) if is_base64 else text

    assert read_request(body, is_base64=is_base64, content_type="application/json") == PhotoRequest(
        JPEG, None
    )


def test_json_is_recognised_under_another_content_type() -> None:
    body = in_json(base64_text(JPEG))

    assert read_request(body, is_base64=False, content_type="text/plain") == PhotoRequest(
        JPEG, None
    )


@pytest.mark.parametrize("body", [None, ""])
def test_no_body_is_an_empty_body(body: str | None) -> None:
    with pytest.raises(EmptyBodyError):
        read_request(body, is_base64=False, content_type="image/jpeg")


def test_an_empty_image_in_json_is_an_empty_body() -> None:
    with pytest.raises(EmptyBodyError):
        read_request(in_json(""), is_base64=False, content_type="application/json")


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
        read_request(body, is_base64=False, content_type="application/json; charset=utf-8")


def test_an_unknown_field_is_named() -> None:
    with pytest.raises(InvalidRequestError, match="photo"):
        read_request('{"photo": "aGk="}', is_base64=False, content_type="application/json")


UPLOAD = "uploads/0f8fad5b-d9cb-469f-a165-70867728950e"


def test_json_may_name_an_upload() -> None:
    body = json.dumps({"upload_key": UPLOAD})

    found = read_request(body, is_base64=False, content_type="application/json")

    assert found == PhotoRequest(None, UPLOAD)


@pytest.mark.parametrize(
    "key",
    [
        "",
        "photos/00/" + "0" * 64,
        "models/1/model.tflite",
        "serving/live.json",
        "uploads/",
        "uploads/../models/1/model.tflite",
        f"/{UPLOAD}",
        f"{UPLOAD}/",
        f"{UPLOAD}\n",
        UPLOAD.upper(),
        f"{UPLOAD}/../../models",
        None,
        7,
        [UPLOAD],
        {"key": UPLOAD},
    ],
)
def test_no_other_key_of_the_lake_can_be_named(key: object) -> None:
    with pytest.raises(InvalidRequestError, match="upload_key"):
        read_request(
            json.dumps({"upload_key": key}), is_base64=False, content_type="application/json"
        )


@pytest.mark.parametrize("as_json", [True, False])
def test_too_many_bytes_are_refused(as_json: bool) -> None:
    text = base64_text(b"\xff" * (SERVING.max_body_bytes + 3))
    body = in_json(text) if as_json else text

    with pytest.raises(PayloadTooLargeError):
        read_request(body, is_base64=not as_json, content_type="application/json")


def test_a_photo_of_exactly_the_limit_passes() -> None:
    data = b"\xff" * SERVING.max_body_bytes

    assert read_request(base64_text(data), is_base64=True, content_type="image/png").data == data


def test_a_body_that_the_gateway_says_is_base64_but_is_not_is_unreadable() -> None:
    with pytest.raises(UnreadableImageError, match="Content-Type"):
        read_request("****", is_base64=True, content_type="image/jpeg")
