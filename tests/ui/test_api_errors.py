from __future__ import annotations

import json

import pytest
import requests

from areyouacat.errors import RequestError
from tests.ui.fake_api import error
from ui.api_errors import ApiBrokenError, ApiError, error_of

_ERRORS = {each.code: each.http_status for each in RequestError.__subclasses__()}


def answered(status: int, content: object, **headers: str) -> ApiError:
    response = requests.Response()
    response.status_code = status
    response._content = json.dumps(content).encode()
    response.headers.update(headers)
    return error_of(response)


@pytest.mark.parametrize("code", sorted(_ERRORS.keys() - {"invalid_request"}))
def test_every_refusal_of_the_domain_has_words_of_its_own(code: str) -> None:
    told = answered(_ERRORS[code], error(code))

    assert (told.code, told.status) == (code, _ERRORS[code])
    assert type(told) not in {ApiError, ApiBrokenError}
    assert "Words for programmers" not in str(told)


def test_a_refusal_without_words_of_its_own_is_told_in_the_apis() -> None:
    told = answered(422, error("invalid_request"))

    assert isinstance(told, ApiBrokenError)
    assert str(told) == "The service refused: Words for programmers."


@pytest.mark.parametrize("content", [None, [], {}, {"error": "words"}, {"error": {"code": "c"}}])
def test_a_refusal_of_another_shape_is_told_by_its_status(content: object) -> None:
    told = answered(418, content)

    assert str(told) == "The service refused: 418."
    assert told.code is None


@pytest.mark.parametrize(
    ("status", "code", "transient"),
    [
        (429, "too_many_requests", True),
        (500, "internal_error", True),
        (502, "internal_error", True),
        (503, "internal_error", True),
        (503, "no_model_yet", False),
        (504, "timeout", True),
        (400, "unreadable_image", False),
        (409, "upload_used", False),
    ],
)
def test_what_may_pass_is_told_from_what_will_not(status: int, code: str, transient: bool) -> None:
    assert answered(status, error(code)).transient is transient


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("12", 12), (" 3 ", 3), ("Thu, 01 Jan 1970 00:00:00 GMT", 0), ("soon", None), ("-1", None)],
)
def test_retry_after_is_read_as_seconds_or_as_a_date(header: str, seconds: float | None) -> None:
    told = answered(503, error("internal_error"), **{"Retry-After": header})

    assert told.retry_after_seconds == seconds
