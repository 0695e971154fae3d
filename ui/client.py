"""The public API as typed calls; what goes wrong becomes an error a person can read.

ApiError                     `str(error)` is a sentence for the page
├── ApiUnreachableError      no connection, or no answer in time
├── PhotoRefusedError        the photo cannot be judged: choose another
├── NoModelYetError          nothing has been trained yet
├── TooBusyError             asked too often: wait a little
├── UnknownPredictionError   the prediction is gone
└── ApiBrokenError           everything else: the API, its key or its answer is wrong
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import requests

from areyouacat.settings import IMAGES
from ui.configuration import Configuration

CONNECT_SECONDS = 3.0
ANSWER_SECONDS = 35.0
"""Longer than API Gateway's own limit of 29 s, so that its answer arrives."""

STATUS_SECONDS = 5.0


class ApiError(Exception):
    """A call failed; the message is a sentence for the page."""


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


class ApiBrokenError(ApiError):
    """The API, its key or its answer is wrong."""


@dataclass(frozen=True)
class Model:
    """Which model answered."""

    name: str
    version: str
    role: str


@dataclass(frozen=True)
class Prediction:
    """An answer.

    `probability`: of the positive label, [0, 1]. `explanation`: contributions in logits, rows from
    the top of the photo; rectangular and finite, or empty.
    """

    prediction_id: str
    label: str
    verdict: str
    probability: float
    model: Model
    explanation: tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class Health:
    """Whether a model serves, and which version."""

    model_version: str | None


class Api(Protocol):
    """What pages ask of the API."""

    def predict(self, photo: bytes) -> Prediction:
        """Judge the bytes of a photo; raises `ApiError`."""

    def feedback(self, prediction_id: str, label: str) -> None:
        """Say what the photo of a prediction really shows; raises `ApiError`."""

    def health(self) -> Health:
        """Whether the API answers and a model serves; raises `ApiError`."""

    def model(self) -> Model:
        """The model that serves; raises `ApiError`, `NoModelYetError` if there is none."""


class HttpApi:
    """The API over HTTP."""

    def __init__(self, configuration: Configuration) -> None:
        """Nothing is sent before the first call."""
        self._base = configuration.api_url
        self._session = requests.Session()
        self._session.trust_env = configuration.ca_bundle is None  # the local cloud needs no proxy
        self._session.headers["x-api-key"] = configuration.api_key
        self._verify: str | bool = configuration.ca_bundle or True

    def predict(self, photo: bytes) -> Prediction:
        """See `Api.predict`."""
        # The API judges the format by content; the header only marks the body as binary.
        headers = {"Content-Type": "image/jpeg"}
        answer = self._call("POST", "predict", ANSWER_SECONDS, data=photo, headers=headers)
        with _understanding("predict"):
            return Prediction(
                prediction_id=str(answer["prediction_id"]),
                label=str(answer["label"]),
                verdict=str(answer["verdict"]),
                probability=float(answer["probability"]),
                model=_model(answer["model"]),
                explanation=_grid(answer["explanation"]["grid"]),
            )

    def feedback(self, prediction_id: str, label: str) -> None:
        """See `Api.feedback`."""
        body = {"prediction_id": prediction_id, "label": label}
        self._call("POST", "feedback", ANSWER_SECONDS, json=body)

    def health(self) -> Health:
        """See `Api.health`."""
        answer = self._call("GET", "health", STATUS_SECONDS)
        with _understanding("health"):
            version = answer["model_version"]
            return Health(None if version is None else str(version))

    def model(self) -> Model:
        """See `Api.model`."""
        answer = self._call("GET", "model", STATUS_SECONDS)
        with _understanding("model"):
            return _model(answer["model"])

    def _call(self, method: str, path: str, seconds: float, **body: Any) -> Any:
        try:
            response = self._session.request(
                method,
                self._base + path,
                timeout=(CONNECT_SECONDS, seconds),
                verify=self._verify,
                **body,
            )
        except requests.Timeout as error:
            raise ApiUnreachableError("The answer took too long. Try again in a moment.") from error
        # A certificate file that is missing is an OSError that requests does not wrap.
        except (requests.RequestException, OSError) as error:
            raise ApiUnreachableError(
                "The service cannot be reached. Is it running? `make up` starts it."
            ) from error
        if not response.ok:
            raise _error_of(response)
        with _understanding(path):
            return response.json()


class _understanding:  # noqa: N801 - reads as a phrase: `with _understanding("predict"):`
    """Turns a misshapen answer into `ApiBrokenError`."""

    def __init__(self, call: str) -> None:
        self._call = call

    def __enter__(self) -> None:
        return

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if isinstance(error, (KeyError, TypeError, ValueError)):
            raise ApiBrokenError(
                f"The service gave an answer to '{self._call}' that makes no sense."
            ) from error


def _grid(rows: Sequence[Sequence[float]]) -> tuple[tuple[float, ...], ...]:
    grid = tuple(tuple(float(cell) for cell in row) for row in rows)
    if any(not row or len(row) != len(grid[0]) for row in grid):
        raise ValueError("ragged rows")
    if not all(math.isfinite(cell) for row in grid for cell in row):
        raise ValueError("not finite")
    return grid


def _model(answer: Mapping[str, Any]) -> Model:
    return Model(str(answer["name"]), str(answer["version"]), str(answer["role"]))


_FORMATS = ", ".join("WebP" if name == "WEBP" else name for name in IMAGES.formats)
_PHOTO_WORDS = {
    "empty_body": "The file is empty. Choose another photo.",
    "unreadable_image": "This file cannot be read as a picture. Choose another one.",
    "payload_too_large": "This photo is too large to send. Choose a smaller one.",
    "too_many_pixels": "This photo has too many pixels. Choose a smaller one.",
    "unsupported_format": f"This kind of picture is not accepted. Choose one of {_FORMATS}.",
}
"""By the API's error code: what to tell the person who chose the photo."""


def _error_of(response: requests.Response) -> ApiError:
    code, message = _code_and_message(response)
    if code in _PHOTO_WORDS:
        return PhotoRefusedError(_PHOTO_WORDS[code])
    if code == "no_model_yet":
        return NoModelYetError("There is no model yet. Train one with `make train`.")
    by_status: dict[int, ApiError] = {
        403: ApiBrokenError(
            "The service does not accept this page's key. Run `make up` again, then reload."
        ),
        404: UnknownPredictionError("This answer is no longer known, so nothing was recorded."),
        413: PhotoRefusedError(_PHOTO_WORDS["payload_too_large"]),
        429: TooBusyError("Too many questions at once. Wait a few seconds and try again."),
    }
    if response.status_code in by_status:
        return by_status[response.status_code]
    if response.status_code >= 500:
        return ApiBrokenError("Something went wrong in the service. Try again in a moment.")
    return ApiBrokenError(f"The service refused: {message or response.status_code}.")


def _code_and_message(response: requests.Response) -> tuple[str, str]:
    try:
        error = response.json()["error"]
        return str(error["code"]), str(error["message"]).rstrip(".")
    except (KeyError, TypeError, ValueError):
        return "", ""
