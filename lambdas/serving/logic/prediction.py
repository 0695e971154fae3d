"""From a photo's bytes to an answer: decode, score, judge. No HTTP, no AWS."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import numpy as np

from areyouacat.image_stats import image_stats
from areyouacat.images import decode, to_model_input
from areyouacat.lake import sha256_hex
from areyouacat.predictions import Prediction
from areyouacat.verdicts import label, verdict
from lambdas.serving.logic.serving_models import Candidate
from lambdas.shared.observability import logger


@dataclass(frozen=True, slots=True)
class Answer:
    """An answered request.

    `explanation`: 7 rows of 7 numbers. `variant_failures`: how many variants failed before one
    answered.
    """

    prediction: Prediction
    explanation: list[list[float]]
    variant_failures: int

    def to_body(self) -> dict[str, Any]:
        """The response of `POST /predict`."""
        prediction = self.prediction
        return {
            "prediction_id": prediction.prediction_id,
            "label": prediction.label,
            "verdict": prediction.verdict,
            "probability": prediction.probability,
            "model": {
                "name": prediction.model_name,
                "version": prediction.model_version,
                "role": prediction.model_role,
            },
            "explanation": {"grid": self.explanation},
        }


def predict(
    data: bytes, candidates: Sequence[Candidate], *, prediction_id: str, at: datetime
) -> Answer:
    """Answers one photo with the first candidate that does not fail.

    Raises:
        RequestError: the bytes are no acceptable photo; see `areyouacat.images.decode`.
        CorruptModelError, RuntimeError: every candidate failed.
    """
    started = time.perf_counter()
    photo = decode(data)
    model_input = to_model_input(photo)
    stats = image_stats(photo)
    for failures, candidate in enumerate(candidates):
        try:
            scores = candidate.model.score(model_input)
        except Exception:
            if failures == len(candidates) - 1:
                raise
            logger.exception("variant failed", model_version=candidate.variant.version)
        else:
            break
    spec = candidate.model.spec
    probability = round(scores.probability, 6)
    prediction = Prediction(
        prediction_id=prediction_id,
        predicted_at=at,
        photo=sha256_hex(data),
        size_bytes=len(data),
        **asdict(stats),
        probability=probability,
        label=label(probability, spec.threshold),
        verdict=verdict(probability, spec.bands),
        model_name=candidate.variant.name,
        model_version=candidate.variant.version,
        model_role=candidate.variant.role,
        sketch=tuple(np.round(scores.sketch.astype(float), 6).tolist()),
        latency_ms=round((time.perf_counter() - started) * 1000, 3),
    )
    explanation = np.round(scores.explanation.astype(float), 4).tolist()
    return Answer(prediction, explanation, variant_failures=failures)
