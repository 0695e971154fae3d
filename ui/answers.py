"""What the API answers, as types; an answer of another shape is an error."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import requests

from ui.api_errors import ApiBrokenError


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
class Feedback:
    """What a person said the photo shows, and when (aware, UTC)."""

    label: str
    at: datetime


@dataclass(frozen=True)
class PredictionRecord:
    """A prediction as it was answered; `feedback` is the latest, `None` while there is none."""

    prediction: Prediction
    predicted_at: datetime
    feedback: Feedback | None


@dataclass(frozen=True)
class Health:
    """Whether a model serves, and which version."""

    model_version: str | None


@dataclass(frozen=True)
class Variant:
    """A version that answers. `weight`: its share of the callers, [0, 1]."""

    version: str
    role: str
    weight: float


@dataclass(frozen=True)
class RunningDeployment:
    """What a challenger is in the traffic for, and since when (aware, UTC)."""

    strategy: str
    began_at: datetime


@dataclass(frozen=True)
class Serving:
    """Who answers, the champion first. `previous_version`: who served before, if that is known.

    `updated_at`: of the last change (aware, UTC). `deployment`: `None` while nothing is tried.
    """

    variants: tuple[Variant, ...]
    previous_version: str | None
    updated_at: datetime
    deployment: RunningDeployment | None

    @property
    def champion(self) -> Variant:
        """Who answers all callers but the challenger's."""
        return self.variants[0]

    @property
    def challenger(self) -> Variant | None:
        """Who has yet to earn its traffic."""
        return self.variants[1] if len(self.variants) > 1 else None


@dataclass(frozen=True)
class UploadForm:
    """Where one large photo goes: a form of `fields` and the photo, posted to `url`."""

    upload_key: str
    url: str
    fields: Mapping[str, str]


class Answer:
    """One successful answer, read as what the call promises."""

    def __init__(self, call: str, response: requests.Response) -> None:
        """`call`: its name, for the error's words."""
        self._call = call
        self._response = response

    def __enter__(self) -> Any:
        """The answer's JSON; whoever misses something in it inside the block raises our error."""
        try:
            return self._response.json()
        except ValueError as error:
            raise self._senseless() from error

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if isinstance(error, (KeyError, TypeError, ValueError, AttributeError)):
            raise self._senseless() from error

    def _senseless(self) -> ApiBrokenError:
        return ApiBrokenError(
            f"The service gave an answer to '{self._call}' that makes no sense.",
            status=self._response.status_code,
        )


def prediction_of(answer: Mapping[str, Any]) -> Prediction:
    """Raises `KeyError`, `TypeError` or `ValueError` for another shape, as all functions here."""
    return Prediction(
        prediction_id=str(answer["prediction_id"]),
        label=str(answer["label"]),
        verdict=str(answer["verdict"]),
        probability=float(answer["probability"]),
        model=model_of(answer["model"]),
        explanation=_grid(answer["explanation"]["grid"]),
    )


def record_of(answer: Mapping[str, Any]) -> PredictionRecord:
    """The answer of `GET /predictions/{prediction_id}`."""
    given = answer["feedback"]
    return PredictionRecord(
        prediction=prediction_of(answer),
        predicted_at=_moment(answer["predicted_at"]),
        feedback=None if given is None else Feedback(str(given["label"]), _moment(given["at"])),
    )


def model_of(answer: Mapping[str, Any]) -> Model:
    """The part of an answer that names a model."""
    return Model(str(answer["name"]), str(answer["version"]), str(answer["role"]))


def health_of(answer: Mapping[str, Any]) -> Health:
    """The answer of `GET /health`."""
    version = answer["model_version"]
    return Health(None if version is None else str(version))


def serving_of(answer: Mapping[str, Any]) -> Serving:
    """The answer of `GET /model`."""
    variants = tuple(
        Variant(str(each["version"]), str(each["role"]), float(each["weight"]))
        for each in answer["variants"]
    )
    if not variants:
        raise ValueError("nobody serves")
    before, deployment = answer["previous_version"], answer["deployment"]
    return Serving(
        variants=variants,
        previous_version=None if before is None else str(before),
        updated_at=_moment(answer["updated_at"]),
        deployment=None
        if deployment is None
        else RunningDeployment(str(deployment["strategy"]), _moment(deployment["began_at"])),
    )


def upload_of(answer: Mapping[str, Any]) -> UploadForm:
    """The answer of `POST /uploads`."""
    fields = {str(name): str(value) for name, value in answer["fields"].items()}
    return UploadForm(str(answer["upload_key"]), str(answer["url"]), fields)


def photo_erased_of(answer: Mapping[str, Any]) -> bool:
    """The answer of `DELETE /predictions/{prediction_id}`."""
    erased = answer["photo_erased"]
    if not isinstance(erased, bool):
        raise TypeError("photo_erased is neither true nor false")
    return erased


def _grid(rows: Sequence[Sequence[float]]) -> tuple[tuple[float, ...], ...]:
    grid = tuple(tuple(float(cell) for cell in row) for row in rows)
    if any(not row or len(row) != len(grid[0]) for row in grid):
        raise ValueError("ragged rows")
    if not all(math.isfinite(cell) for row in grid for cell in row):
        raise ValueError("not finite")
    return grid


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a moment without its time zone")
    return moment.astimezone(UTC)
