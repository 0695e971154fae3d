"""A person's word on a prediction: recorded once, replaceable, never counted twice."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Protocol

from areyouacat.errors import NotFoundError
from areyouacat.predictions import Feedback
from lambdas.shared.predictions_table import FeedbackOutcome

_PREDICTION_ID = re.compile(r"[0-9A-Za-z_-]+")


class FeedbackStore(Protocol):
    """Where predictions stand."""

    def record_feedback(self, prediction_id: str, feedback: Feedback) -> FeedbackOutcome:
        """Writes the feedback in one step, if there is such a prediction."""


def give_feedback(
    store: FeedbackStore, prediction_id: str, label: str, at: datetime
) -> FeedbackOutcome:
    """Records what the photo of a prediction shows; says what that changed.

    Raises:
        NotFoundError: there is no such prediction.
    """
    outcome = FeedbackOutcome.UNKNOWN_PREDICTION
    if _PREDICTION_ID.fullmatch(prediction_id):
        outcome = store.record_feedback(prediction_id, Feedback(label=label, at=at))
    if outcome is FeedbackOutcome.UNKNOWN_PREDICTION:
        raise NotFoundError("There is no prediction with this prediction_id.")
    return outcome
