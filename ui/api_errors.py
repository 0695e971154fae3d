"""What goes wrong with the API, as errors whose message a person can read.

ApiError                     `str(error)` is a sentence for the page
├── ApiUnreachableError      no connection, or no answer in time
├── PhotoRefusedError        the photo cannot be judged: choose another
├── NoModelYetError          nothing has been trained yet
├── TooBusyError             asked too often: wait a little
├── UnknownPredictionError   the prediction is gone
├── RequestUsedError         the upload or the Idempotency-Key served another request
└── ApiBrokenError           everything else: the API, its key or its answer is wrong
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import requests
from urllib3.exceptions import InvalidHeader
from urllib3.util import Retry

from areyouacat.settings import IMAGES

TOO_LARGE: Final = "payload_too_large"
NO_MODEL_YET: Final = "no_model_yet"
_TRANSIENT: Final = frozenset({429, 500, 502, 503, 504})
"""Statuses after which the same request may succeed."""


class ApiError(Exception):
    """A call failed; the message is a sentence for the page, the attributes are for programs.

    `code`: the API's error code, `None` where no such answer came. `status`: the HTTP status,
    `None` without an answer. `transient`: whether the same request may succeed in a moment.
    `retry_after_seconds`: when, if the API said so; >= 0.
    """

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        status: int | None = None,
        transient: bool = False,
        retry_after_seconds: float | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.status = status
        self.transient = transient
        self.retry_after_seconds = retry_after_seconds


class ApiUnreachableError(ApiError):
    """No connection, or no answer in time."""


class PhotoRefusedError(ApiError):
    """The photo cannot be judged."""


class NoModelYetError(ApiError):
    """Nothing has been trained yet."""


class TooBusyError(ApiError):
    """Asked too often."""


class UnknownPredictionError(ApiError):
    """The prediction is gone."""


class RequestUsedError(ApiError):
    """The upload or the Idempotency-Key served another request before."""


class ApiBrokenError(ApiError):
    """The API, its key or its answer is wrong."""


@dataclass(frozen=True, slots=True)
class _Said:
    """How an error is told."""

    kind: type[ApiError]
    words: str


_FORMATS = ", ".join("WebP" if name == "WEBP" else name for name in IMAGES.formats)
_BY_CODE: Final = MappingProxyType(
    {
        "empty_body": _Said(PhotoRefusedError, "The file is empty. Choose another photo."),
        "unreadable_image": _Said(
            PhotoRefusedError, "This file cannot be read as a picture. Choose another one."
        ),
        TOO_LARGE: _Said(
            PhotoRefusedError,
            f"This photo is too large to send: more than {IMAGES.max_bytes // 1_000_000} MB. "
            "Choose a smaller one.",
        ),
        "too_many_pixels": _Said(
            PhotoRefusedError, "This photo has too many pixels. Choose a smaller one."
        ),
        "too_complex": _Said(
            PhotoRefusedError,
            "This photo takes too long to open. Save it anew as a JPEG, or choose another one.",
        ),
        "unsupported_format": _Said(
            PhotoRefusedError,
            f"This kind of picture is not accepted. Choose one of {_FORMATS}.",
        ),
        "upload_used": _Said(
            RequestUsedError, "This upload has been used already. Send the photo again."
        ),
        "idempotency_key_reused": _Said(
            RequestUsedError, "This request's key came with another photo before. Use a new key."
        ),
        "too_much_feedback": _Said(
            TooBusyError, "That is as much feedback as one hour takes. Go on in the next hour."
        ),
        NO_MODEL_YET: _Said(NoModelYetError, "There is no model yet. Train one with `make train`."),
    }
)
_BY_STATUS: Final = MappingProxyType(
    {
        403: _Said(
            ApiBrokenError,
            "The service does not accept this page's key. Run `make up` again, then reload.",
        ),
        404: _Said(
            UnknownPredictionError,
            "This answer is no longer known: it has expired or was erased.",
        ),
        413: _BY_CODE[TOO_LARGE],
        429: _Said(TooBusyError, "Too many questions at once. Wait a few seconds and try again."),
    }
)
_FAILED: Final = "Something went wrong in the service. Try again in a moment."


def too_large() -> PhotoRefusedError:
    """The error of a photo that is not even sent."""
    return PhotoRefusedError(_BY_CODE[TOO_LARGE].words, code=TOO_LARGE)


def error_of(response: requests.Response) -> ApiError:
    """What an answer of the API says that is no success."""
    code, message = _code_and_message(response)
    status = response.status_code
    said = _BY_CODE.get(code) or _BY_STATUS.get(status)
    if said is None:
        refused = f"The service refused: {message or status}."
        said = _Said(ApiBrokenError, _FAILED if status >= 500 else refused)
    return said.kind(
        said.words,
        code=code or None,
        status=status,
        # A model is not there in a moment: training takes minutes.
        transient=status in _TRANSIENT and code != NO_MODEL_YET,
        retry_after_seconds=_retry_after(response),
    )


def upload_error_of(response: requests.Response) -> ApiError:
    """What S3 says that does not take an upload; its error codes come in XML."""
    named = re.search(r"<Code>(\w+)</Code>", response.text)
    code = named.group(1) if named else None
    status = response.status_code
    if code == "EntityTooLarge":
        return PhotoRefusedError(_BY_CODE[TOO_LARGE].words, code=TOO_LARGE, status=status)
    return ApiBrokenError(
        "The photo could not be uploaded. Send it again.",
        code=code,
        status=status,
        transient=status in _TRANSIENT,
        retry_after_seconds=_retry_after(response),
    )


def _code_and_message(response: requests.Response) -> tuple[str, str]:
    try:
        error = response.json()["error"]
        return str(error["code"]), str(error["message"]).rstrip(".")
    except (KeyError, TypeError, ValueError):
        return "", ""


def _retry_after(response: requests.Response) -> float | None:
    """In seconds, whether the header gives seconds or a date."""
    value = response.headers.get("Retry-After")
    if value is None:
        return None
    try:
        seconds = Retry().parse_retry_after(value)
    except (InvalidHeader, ValueError, OverflowError):
        return None
    return seconds if math.isfinite(seconds) else None
