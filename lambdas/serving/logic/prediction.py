"""From a photo's bytes to a prediction: decode, score, judge. No HTTP, no AWS."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from areyouacat.image_stats import ImageStats, image_stats
from areyouacat.images import decode, to_model_input
from areyouacat.lake import sha256_hex
from areyouacat.predictions import Prediction
from areyouacat.serving_pointer import Variant
from areyouacat.verdicts import label, verdict
from lambdas.serving.logic.loaded_model import Scores
from lambdas.serving.logic.serving_models import Candidate
from lambdas.shared.observability import logger


@dataclass(frozen=True, slots=True)
class DecodedPhoto:
    """What is known of a photo before any model has seen it.

    `photo`: SHA-256 of its bytes. `model_input`: float32 (224, 224, 3).
    """

    photo: str
    size_bytes: int
    stats: ImageStats
    model_input: NDArray[np.float32]
    decode_ms: float


@dataclass(frozen=True, slots=True)
class Judgement:
    """A prediction, and what it took: the variant that `failed` before one answered, if any."""

    prediction: Prediction
    failed: Variant | None
    inference_ms: float


@dataclass(frozen=True, slots=True)
class Asked:
    """Who asked and when: what a prediction carries beside the answer.

    `refused`: the caller's own variant, if it could not even be loaded.
    """

    prediction_id: str
    at: datetime
    upload_key: str | None = None
    idempotency: str | None = None
    refused: Variant | None = None


def decoded(data: bytes) -> DecodedPhoto:
    """Decodes and measures a photo.

    Raises:
        RequestError: the bytes are no acceptable photo; see `areyouacat.images.decode`.
    """
    started = perf_counter()
    photo = decode(data)
    model_input = to_model_input(photo)
    stats = image_stats(photo)
    return DecodedPhoto(sha256_hex(data), len(data), stats, model_input, _ms_since(started))


def judge(photo: DecodedPhoto, candidates: Sequence[Candidate], asked: Asked) -> Judgement:
    """Answers one photo with the first candidate that does not fail.

    Raises:
        CorruptModelError, RuntimeError: every candidate failed.
    """
    started = perf_counter()
    candidate, scores, failed = _scored(photo.model_input, candidates)
    failed = failed or asked.refused
    inference_ms = _ms_since(started)
    spec, variant = candidate.model.spec, candidate.variant
    probability = round(scores.probability, 6)
    prediction = Prediction(
        prediction_id=asked.prediction_id,
        predicted_at=asked.at,
        photo=photo.photo,
        size_bytes=photo.size_bytes,
        **asdict(photo.stats),
        probability=probability,
        label=label(probability, spec.threshold),
        verdict=verdict(probability, spec.bands),
        model_name=variant.name,
        model_version=variant.version,
        model_role=variant.role,
        sketch=tuple(np.round(scores.sketch.astype(float), 6).tolist()),
        explanation=tuple(map(tuple, np.round(scores.explanation.astype(float), 3).tolist())),
        latency_ms=round(photo.decode_ms + inference_ms, 3),
        upload_key=asked.upload_key,
        idempotency=asked.idempotency,
        failed_version=failed.version if failed else None,
    )
    return Judgement(prediction, failed, inference_ms)


def _scored(
    model_input: NDArray[np.float32], candidates: Sequence[Candidate]
) -> tuple[Candidate, Scores, Variant | None]:
    *others, last = candidates
    failed = None
    for candidate in others:
        try:
            return candidate, candidate.model.score(model_input), failed
        except Exception:
            logger.exception("variant failed", model_version=candidate.variant.version)
            failed = candidate.variant
    return last, last.model.score(model_input), failed


def _ms_since(started: float) -> float:
    return (perf_counter() - started) * 1000
