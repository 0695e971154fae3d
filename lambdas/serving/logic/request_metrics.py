"""What one request to /predict leaves in the metrics: one line, whatever happened."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from areyouacat.metrics import (
    CLIENT_ERRORS,
    COLD_STARTS,
    LATENCY,
    PREDICTIONS,
    PROBABILITY,
    REQUESTS,
    SERVER_ERRORS,
    VARIANT_FAILURES,
    Metric,
    emf,
)
from lambdas.serving.logic.prediction import Answer

_FIRST_ERROR = 400
_FIRST_SERVER_ERROR = 500


@dataclass(slots=True)
class RequestRecord:
    """What is learned about a request while it is answered.

    `variant_failures`: variants that failed, or were refused as corrupt, before one answered.
    """

    request_id: str
    cold_start: bool
    answer: Answer | None = None
    variant_failures: int = 0


def metrics_line(
    record: RequestRecord, response: dict[str, Any], *, latency_ms: float, at: datetime
) -> str:
    """The request's line in embedded metric format; `response` is API Gateway's proxy response."""
    status = int(response["statusCode"])
    failed = status >= _FIRST_ERROR
    values: dict[Metric, float] = {
        REQUESTS: 1,
        CLIENT_ERRORS: int(failed and status < _FIRST_SERVER_ERROR),
        SERVER_ERRORS: int(status >= _FIRST_SERVER_ERROR),
        LATENCY: round(latency_ms, 3),
        COLD_STARTS: int(record.cold_start),
        VARIANT_FAILURES: record.variant_failures,
        PREDICTIONS: int(not failed),
    }
    properties: dict[str, str | int | float | bool | None] = {
        "request_id": record.request_id,
        "status": status,
        "error_code": json.loads(response["body"])["error"]["code"] if failed else None,
    }
    if record.answer is not None:
        prediction = record.answer.prediction
        values[PROBABILITY] = prediction.probability
        properties |= {
            "prediction_id": prediction.prediction_id,
            "model_version": prediction.model_version,
            "model_role": prediction.model_role,
            "verdict": prediction.verdict,
        }
    return emf(values, at, properties)
