"""Predictions by their id: read, and erased with their photo."""

from __future__ import annotations

import re
from dataclasses import fields
from datetime import datetime
from enum import Enum
from typing import Protocol

from areyouacat.contract import PREDICTION_ID_PATTERN, PredictAnswer, predict_answer
from areyouacat.errors import NotFoundError
from areyouacat.lake import utc_text
from areyouacat.predictions import PredictionItem
from lambdas.api.logic.answers import ErasedPrediction, GivenFeedback, StoredPrediction

_PREDICTION_ID = re.compile(PREDICTION_ID_PATTERN)


class PhotoState(Enum):
    """What stands at a photo's key in the lake."""

    ABSENT = "absent"
    ERASED = "erased"
    SENT = "sent"
    OPERATORS = "operators"


class ReadablePredictions(Protocol):
    """Where predictions can be read."""

    def get(self, prediction_id: str) -> PredictionItem | None:
        """The prediction as it stands, or `None`."""


class Predictions(ReadablePredictions, Protocol):
    """Where predictions can be read and deleted."""

    def delete(self, prediction_id: str) -> None:
        """Deletes a prediction with its feedback."""


class ErasablePhotos(Protocol):
    """Where photos are."""

    def state(self, photo: str) -> PhotoState:
        """What stands at a photo's key."""

    def bury(self, photo: str, at: datetime) -> None:
        """Leaves a tombstone, once."""

    def empty(self, photo: str) -> None:
        """Puts the mark of an erased photo at its key."""

    def forget_versions(self, photo: str) -> None:
        """Deletes whatever stood at the photo's key before."""


def existing_prediction(predictions: ReadablePredictions, prediction_id: str) -> PredictionItem:
    """The prediction of an id.

    Raises:
        NotFoundError: there is none, or the id is none that could be.
    """
    known = _PREDICTION_ID.fullmatch(prediction_id) is not None
    item = predictions.get(prediction_id) if known else None
    if item is None:
        raise NotFoundError("There is no prediction with this prediction_id.")
    return item


def describe_prediction(predictions: ReadablePredictions, prediction_id: str) -> StoredPrediction:
    """The answer of `GET /predictions/{prediction_id}`.

    Raises:
        NotFoundError: there is no such prediction.
    """
    item = existing_prediction(predictions, prediction_id)
    answer = predict_answer(item.prediction)
    given = item.feedback
    return StoredPrediction(
        **{field.name: getattr(answer, field.name) for field in fields(PredictAnswer)},
        predicted_at=utc_text(item.prediction.predicted_at),
        feedback=GivenFeedback(given.label, utc_text(given.at)) if given else None,
    )


def erase_prediction(
    predictions: Predictions, photos: ErasablePhotos, prediction_id: str, at: datetime
) -> ErasedPrediction:
    """Erases a prediction, its feedback, and its photo if it came by the API.

    The item goes last: what fails on the way is finished by asking again.

    Raises:
        NotFoundError: there is no such prediction.
    """
    photo = existing_prediction(predictions, prediction_id).prediction.photo
    state = photos.state(photo)
    if state is not PhotoState.OPERATORS:
        # The tombstone first: a data set made meanwhile leaves the photo out.
        photos.bury(photo, at)
        if state is not PhotoState.ERASED:
            photos.empty(photo)
        photos.forget_versions(photo)
    predictions.delete(prediction_id)
    return ErasedPrediction(prediction_id, photo_erased=state is not PhotoState.OPERATORS)
