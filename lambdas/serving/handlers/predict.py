"""`POST /predict`: a photo in, a verdict out."""

from __future__ import annotations

import json
import time
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.event_handler import Response, content_types
from aws_lambda_powertools.utilities.typing import LambdaContext

from lambdas.serving.dal.model_store import ModelStore
from lambdas.serving.dal.photo_store import PhotoStore
from lambdas.serving.dal.prediction_writer import PredictionWriter
from lambdas.serving.handlers.photo_body import photo_bytes
from lambdas.serving.logic.prediction import predict
from lambdas.serving.logic.request_metrics import RequestRecord, metrics_line
from lambdas.serving.logic.serving_models import ServingModels
from lambdas.shared import aws
from lambdas.shared.environment import load_environment
from lambdas.shared.http import create_resolver
from lambdas.shared.observability import logger, write_metrics
from lambdas.shared.predictions_table import PredictionsTable
from lambdas.shared.serving_pointer_store import ServingPointerStore

SESSION_HEADER = "X-Session-Id"

app = create_resolver()


@dataclass(frozen=True)
class PredictEnvironment:
    """The environment variables of this function."""

    lake_bucket: str
    predictions_table: str


@dataclass(frozen=True)
class Services:
    """What lives as long as the process."""

    models: ServingModels
    writer: PredictionWriter


@cache
def services() -> Services:
    """Made with the first request, which is the cold start."""
    environment = load_environment(PredictEnvironment)
    s3, lake = aws.client("s3"), environment.lake_bucket
    table = PredictionsTable(aws.client("dynamodb"), environment.predictions_table)
    return Services(
        models=ServingModels(ServingPointerStore(s3, lake), ModelStore(s3, lake)),
        writer=PredictionWriter(PhotoStore(s3, lake), table),
    )


class ColdStart:
    """True once: for the first request of a process."""

    def __init__(self) -> None:
        """Nothing has been answered yet."""
        self._pending = True

    def take(self) -> bool:
        """Whether this request is the first."""
        pending, self._pending = self._pending, False
        return pending


_cold_start = ColdStart()


def post_predict() -> Response[str]:
    """Answers one photo; domain errors become answers in `lambdas.shared.http`."""
    event = app.current_event
    record: RequestRecord = app.context["record"]
    data = photo_bytes(
        event.body,
        is_base64=bool(event.is_base64_encoded),
        content_type=event.headers.get("Content-Type", ""),
    )
    models = services().models
    lineup = models.lineup()
    caller = _caller(event.request_context.identity.api_key, event.headers.get(SESSION_HEADER))
    record.variant_failures = models.take_refusals() + lineup.is_refused_to(caller)
    answer = predict(
        data,
        lineup.for_caller(caller),
        prediction_id=str(uuid.uuid4()),
        at=datetime.now(UTC),
    )
    record.variant_failures += answer.variant_failures
    services().writer.write(answer.prediction, data)
    record.answer = answer
    return Response(
        status_code=HTTPStatus.OK,
        content_type=content_types.APPLICATION_JSON,
        body=json.dumps(answer.to_body()),
    )


app.post("/predict")(post_predict)


def _caller(api_key: str | None, session: str | None) -> str:
    """Who keeps one variant: the holder of a key, or one session of that holder."""
    return f"{api_key or ''}|{session or ''}"


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Entry point: API Gateway's proxy event in, its proxy response out."""
    started = time.perf_counter()
    record = RequestRecord(context.aws_request_id, cold_start=_cold_start.take())
    app.context["record"] = record
    response: dict[str, Any] = app.resolve(event, context)
    latency_ms = (time.perf_counter() - started) * 1000
    write_metrics(metrics_line(record, response, latency_ms=latency_ms, at=datetime.now(UTC)))
    return response
