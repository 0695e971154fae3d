"""What one request to /predict leaves in the metrics: one line, whatever happened."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from areyouacat.metrics import (
    CHALLENGER_FAILURES,
    CHALLENGER_LATENCY,
    CHALLENGER_REQUESTS,
    CLIENT_ERRORS,
    COLD_STARTS,
    CPU_TIME,
    ERRORS_BY_CODE,
    LATENCY,
    MEMORY_USED,
    PREDICTIONS,
    PROBABILITY,
    REPEATED_REQUESTS,
    REQUESTS,
    SERVER_ERRORS,
    VARIANT_FAILURES,
    Breakdown,
    Metric,
    emf,
)
from areyouacat.predictions import Prediction
from areyouacat.serving_pointer import CHALLENGER, Variant

CODE_DIMENSION = "Code"
MODEL_VERSION_DIMENSION = "ModelVersion"
_FIRST_ERROR = 400
_FIRST_SERVER_ERROR = 500


@dataclass(slots=True)
class RequestRecord:
    """What is learned about a request while it is answered.

    `variant_failures`: variants that failed, or were refused as corrupt, before one answered.
    `failed`: the caller's own variant, if another one had to answer.
    `repeated`: an earlier request's prediction answers it. `stages`: milliseconds by stage.
    """

    request_id: str
    cold_start: bool
    prediction: Prediction | None = None
    variant_failures: int = 0
    failed: Variant | None = None
    repeated: bool = False
    stages: dict[Metric, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Usage:
    """What a request took of its machine: milliseconds, and megabytes held at most until now."""

    latency_ms: float
    cpu_ms: float
    memory_mb: float


def metrics_line(
    record: RequestRecord, response: dict[str, Any], *, usage: Usage, at: datetime
) -> str:
    """The request's line in embedded metric format; `response` is API Gateway's proxy response."""
    status = int(response["statusCode"])
    failed = status >= _FIRST_ERROR
    predicted = int(not failed and not record.repeated)
    values: dict[Metric, float] = {
        REQUESTS: 1,
        CLIENT_ERRORS: int(failed and status < _FIRST_SERVER_ERROR),
        SERVER_ERRORS: int(status >= _FIRST_SERVER_ERROR),
        LATENCY: round(usage.latency_ms, 3),
        CPU_TIME: round(usage.cpu_ms, 3),
        MEMORY_USED: round(usage.memory_mb, 1),
        COLD_STARTS: int(record.cold_start),
        VARIANT_FAILURES: record.variant_failures,
        PREDICTIONS: predicted,
        REPEATED_REQUESTS: int(not failed and record.repeated),
        **{stage: round(milliseconds, 3) for stage, milliseconds in record.stages.items()},
    }
    properties: dict[str, str | int | float | bool | None] = {
        "request_id": record.request_id,
        "status": status,
    }
    breakdowns = []
    if failed:
        code = json.loads(response["body"])["error"]["code"]
        breakdowns.append(Breakdown(CODE_DIMENSION, code, {ERRORS_BY_CODE: 1}))
    if (prediction := record.prediction) is not None:
        if predicted:
            values[PROBABILITY] = prediction.probability
            by_version = {PREDICTIONS: predicted, LATENCY: values[LATENCY]}
            breakdowns.append(
                Breakdown(MODEL_VERSION_DIMENSION, prediction.model_version, by_version)
            )
            values |= _of_challenger(record.failed, prediction, values[LATENCY])
        properties |= {
            "prediction_id": prediction.prediction_id,
            "model_role": prediction.model_role,
            "verdict": prediction.verdict,
        }
    return emf(values, at, properties, breakdowns)


def _of_challenger(
    failed: Variant | None, prediction: Prediction, latency_ms: float
) -> dict[Metric, float]:
    """What alarms on the challenger watch; nothing where the champion was asked."""
    if failed is not None and failed.role == CHALLENGER:
        return {CHALLENGER_REQUESTS: 1, CHALLENGER_FAILURES: 1}
    if prediction.model_role == CHALLENGER:
        return {CHALLENGER_REQUESTS: 1, CHALLENGER_FAILURES: 0, CHALLENGER_LATENCY: latency_ms}
    return {}
