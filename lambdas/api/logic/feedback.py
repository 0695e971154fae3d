"""A person's word on a prediction: recorded once, replaceable, never counted twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from areyouacat.errors import NotFoundError, TooMuchFeedbackError
from areyouacat.predictions import (
    Feedback,
    FeedbackCap,
    PredictionItem,
    expires_at,
    feedback_caps,
    seconds_to_next_hour,
)
from areyouacat.settings import SERVING
from lambdas.api.logic.stored_predictions import ReadablePredictions, existing_prediction
from lambdas.shared.predictions_table import FeedbackOutcome


class FeedbackStore(Protocol):
    """Where predictions stand."""

    def get(self, prediction_id: str) -> PredictionItem | None:
        """The prediction as it stands, or `None`."""

    def record_feedback(
        self, prediction_id: str, feedback: Feedback, caps: Sequence[FeedbackCap]
    ) -> FeedbackOutcome:
        """Writes and counts the feedback in one step, if there is such a prediction."""


class WithdrawableFeedback(ReadablePredictions, Protocol):
    """Where feedback can be read and taken back."""

    def withdraw_feedback(self, prediction_id: str, expires_at: int) -> bool:
        """Takes it off the prediction, which then expires; whether there was any."""


class KeepablePhotos(Protocol):
    """Where photos are."""

    def keep(self, photo: str) -> None:
        """Takes a photo out of retention."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who says it; never logged."""

    api_key: str = field(repr=False)
    address: str = field(repr=False)


def give_feedback(
    store: FeedbackStore,
    photos: KeepablePhotos,
    prediction_id: str,
    feedback: Feedback,
    caller: Caller,
) -> FeedbackOutcome:
    """Records what the photo of a prediction shows; says what that changed.

    Raises:
        NotFoundError: there is no such prediction.
        TooMuchFeedbackError: the key or the address has said enough within this hour.
    """
    item = existing_prediction(store, prediction_id)
    if item.feedback and item.feedback.label == feedback.label:
        return FeedbackOutcome.UNCHANGED
    # First: a label without its photo teaches nothing, a photo without its label does no harm.
    photos.keep(item.prediction.photo)
    caps = feedback_caps(caller.api_key, caller.address, feedback.at)
    outcome = store.record_feedback(prediction_id, feedback, caps)
    if outcome is FeedbackOutcome.UNKNOWN_PREDICTION:
        raise NotFoundError("There is no prediction with this prediction_id.")
    if outcome is FeedbackOutcome.CAPPED:
        raise TooMuchFeedbackError(
            "So much feedback is not taken from one API key or one address within one hour. "
            "Go on in the next hour.",
            retry_after_seconds=seconds_to_next_hour(feedback.at),
        )
    return outcome


def withdraw_feedback(
    store: WithdrawableFeedback, prediction_id: str, ttl_days: int = SERVING.prediction_ttl_days
) -> bool:
    """Takes back what was said of a prediction; whether there was anything.

    The caps count on: else taking back and saying again would be a way around them. The photo
    stays kept, since another prediction of it may have feedback; erasing removes it.

    Raises:
        NotFoundError: there is no such prediction.
    """
    item = existing_prediction(store, prediction_id)
    return store.withdraw_feedback(prediction_id, expires_at(item.prediction, ttl_days))
