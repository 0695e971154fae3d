"""The public API as typed calls; what goes wrong is an `api_errors.ApiError`.

Every call may be repeated without harm, so calls that fail for a moment are made again
(`retries`), with timeouts on every attempt and a deadline for all of them together.
"""

from __future__ import annotations

import re
import uuid
from typing import Any, Final, Protocol
from urllib.parse import quote

from areyouacat.contract import IDEMPOTENCY_KEY_PATTERN
from areyouacat.image_formats import format_of
from areyouacat.settings import IMAGES, SERVING
from ui.answers import (
    Answer,
    Health,
    Prediction,
    PredictionRecord,
    Serving,
    UploadForm,
    health_of,
    photo_erased_of,
    prediction_of,
    record_of,
    serving_of,
    upload_of,
)
from ui.api_errors import (
    ApiBrokenError,
    UnknownPredictionError,
    error_of,
    too_large,
    upload_error_of,
)
from ui.configuration import Configuration
from ui.retries import Clock, SystemClock
from ui.transport import Call, Transport

ANSWER_SECONDS: Final = 35.0
"""For one answer: longer than API Gateway's own limit of 29 s, so that its answer arrives."""

DEADLINE_SECONDS: Final = 90.0
"""For one call with all its attempts, and for a large photo with its upload."""

STATUS_SECONDS: Final = 5.0
STATUS_DEADLINE_SECONDS: Final = 10.0


class Api(Protocol):
    """What pages ask of the API. All calls raise `ApiError`."""

    def predict(
        self, photo: bytes, *, idempotency_key: str | None = None, session: str | None = None
    ) -> Prediction:
        """Judge the bytes of a photo.

        Raises `PhotoRefusedError` if it cannot be judged or has more than `IMAGES.max_bytes`.
        `idempotency_key`: 1 to 255 printable characters without spaces, else `ValueError`; calls
        with the same key and photo are one prediction. By default every call has its own key. A
        photo of more than `SERVING.max_body_bytes` is uploaded anew by every call, and every call
        then is a prediction of its own. `session`: printable characters; while two models are
        compared, one of them answers all photos of a session.
        """

    def get(self, prediction_id: str) -> PredictionRecord:
        """A prediction as it stands; raises `UnknownPredictionError` if there is none."""

    def erase(self, prediction_id: str) -> bool:
        """Erase a prediction, its feedback and its photo for good.

        False: the photo belongs to the operator's own data set, and stays. Raises
        `UnknownPredictionError` if there is no such prediction, also if it has just been erased.
        """

    def feedback(self, prediction_id: str, label: str) -> None:
        """Say what the photo of a prediction really shows; a later label replaces an earlier.

        Raises `UnknownPredictionError`, or `TooBusyError` if that was too much for one hour.
        """

    def withdraw(self, prediction_id: str) -> None:
        """Take back what was said of a prediction; nothing said is taken back already.

        Raises `UnknownPredictionError`.
        """

    def health(self) -> Health:
        """Whether the API answers and a model serves."""

    def model(self) -> Serving:
        """Who serves, and what is being tried; raises `NoModelYetError` if there is none."""


class HttpApi:
    """The API over HTTP."""

    def __init__(self, configuration: Configuration, clock: Clock | None = None) -> None:
        """Nothing is sent before the first call."""
        self._base = configuration.api_url
        self._clock = clock or SystemClock()
        key = {"x-api-key": configuration.api_key}
        self._api = Transport(configuration, self._clock, error_of, key)
        # A connection of its own: the API's key is none of S3's business.
        self._s3 = Transport(configuration, self._clock, upload_error_of, {})

    def predict(
        self, photo: bytes, *, idempotency_key: str | None = None, session: str | None = None
    ) -> Prediction:
        """See `Api.predict`."""
        if len(photo) > IMAGES.max_bytes:
            raise too_large()
        if idempotency_key is None:
            idempotency_key = str(uuid.uuid4())
        elif not re.fullmatch(IDEMPOTENCY_KEY_PATTERN, idempotency_key):
            raise ValueError("an Idempotency-Key has 1 to 255 printable characters, no spaces")
        deadline = self._deadline()
        headers = {"Idempotency-Key": idempotency_key}
        if session is not None:
            headers["X-Session-Id"] = session
        content: dict[str, Any]
        if len(photo) <= SERVING.max_body_bytes:
            content = {"data": photo, "headers": headers | {"Content-Type": _media_type(photo)}}
        else:
            content = {"json": {"upload_key": self._upload(photo, deadline)}, "headers": headers}
        try:
            with self._call("POST", "predict", deadline, **content) as answer:
                return prediction_of(answer)
        except UnknownPredictionError as error:
            raise ApiBrokenError(
                "The photo was lost on its way. Send it again.",
                code=error.code,
                status=error.status,
            ) from error

    def get(self, prediction_id: str) -> PredictionRecord:
        """See `Api.get`."""
        with self._call("GET", _path_of(prediction_id), self._deadline()) as answer:
            return record_of(answer)

    def erase(self, prediction_id: str) -> bool:
        """See `Api.erase`."""
        with self._call("DELETE", _path_of(prediction_id), self._deadline()) as answer:
            return photo_erased_of(answer)

    def feedback(self, prediction_id: str, label: str) -> None:
        """See `Api.feedback`."""
        body = {"prediction_id": prediction_id, "label": label}
        with self._call("POST", "feedback", self._deadline(), json=body):
            return

    def withdraw(self, prediction_id: str) -> None:
        """See `Api.withdraw`."""
        path = f"{_path_of(prediction_id)}/feedback"
        with self._call("DELETE", path, self._deadline()):
            return

    def health(self) -> Health:
        """See `Api.health`."""
        with self._status("health") as answer:
            return health_of(answer)

    def model(self) -> Serving:
        """See `Api.model`."""
        with self._status("model") as answer:
            return serving_of(answer)

    def _upload(self, photo: bytes, deadline: float) -> str:
        """The key under which the photo now stands."""
        media_type = _media_type(photo)
        content = {"content_type": media_type}
        with self._call("POST", "uploads", deadline, json=content) as answer:
            form: UploadForm = upload_of(answer)
        self._s3.send(
            Call("POST", form.url, ANSWER_SECONDS, deadline),
            data=form.fields,
            files={"file": ("photo", photo, media_type)},  # S3 wants it after all fields
        )
        return form.upload_key

    def _deadline(self) -> float:
        return self._clock.now() + DEADLINE_SECONDS

    def _call(self, method: str, path: str, deadline: float, **content: Any) -> Answer:
        call = Call(method, self._base + path, ANSWER_SECONDS, deadline)
        return Answer(path.partition("/")[0], self._api.send(call, **content))

    def _status(self, path: str) -> Answer:
        deadline = self._clock.now() + STATUS_DEADLINE_SECONDS
        call = Call("GET", self._base + path, STATUS_SECONDS, deadline)
        return Answer(path, self._api.send(call))


def _media_type(photo: bytes) -> str:
    """By content; what is none is declared as some photo, and the API says what is wrong."""
    image_format = format_of(photo)
    return f"image/{image_format.lower()}" if image_format else IMAGES.media_types[0]


def _path_of(prediction_id: str) -> str:
    return f"predictions/{quote(prediction_id, safe='')}"
