"""`POST /predict`: a photo in, a verdict out."""

from __future__ import annotations

# Before everything that takes long.
from lambdas.shared import cold_start  # isort: split

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final

from aws_lambda_powertools.utilities.typing import LambdaContext

from areyouacat.contract import PredictAnswer, predict_answer
from areyouacat.errors import (
    EmptyBodyError,
    IdempotencyKeyReusedError,
    InvalidRequestError,
    NoModelError,
    NotFoundError,
    PayloadTooLargeError,
    RequestError,
    TooComplexError,
    TooManyPixelsError,
    UnreadableImageError,
    UnsupportedFormatError,
    UploadUsedError,
)
from areyouacat.settings import SERVING
from lambdas.serving.dal.model_store import ModelStore
from lambdas.serving.dal.photo_store import PhotoStore
from lambdas.serving.dal.prediction_writer import PredictionWriter
from lambdas.serving.dal.upload_store import UploadStore
from lambdas.serving.handlers.meter import Meter
from lambdas.serving.handlers.photo_request import read_request
from lambdas.serving.logic.answering import Answering
from lambdas.serving.logic.priming import prime
from lambdas.serving.logic.request_identity import request_identity
from lambdas.serving.logic.request_metrics import RequestRecord, metrics_line
from lambdas.serving.logic.serving_models import ServingModels
from lambdas.shared import aws, snapshots
from lambdas.shared.environment import load_environment
from lambdas.shared.observability import logger, write_metrics
from lambdas.shared.predictions_table import PredictionsTable
from lambdas.shared.proxy import ProxyRequest, answered
from lambdas.shared.serving_pointer_store import ServingPointerStore

SESSION_HEADER = "X-Session-Id"
IDEMPOTENCY_HEADER = "Idempotency-Key"

ERRORS: Final[tuple[type[RequestError], ...]] = (
    EmptyBodyError,
    UnreadableImageError,
    NotFoundError,
    UploadUsedError,
    IdempotencyKeyReusedError,
    PayloadTooLargeError,
    TooManyPixelsError,
    TooComplexError,
    UnsupportedFormatError,
    InvalidRequestError,
    NoModelError,
)
"""Why a photo is not answered."""


@dataclass(frozen=True)
class PredictEnvironment:
    """The environment variables of this function."""

    lake_bucket: str
    predictions_table: str
    pointer_max_age_seconds: str = str(SERVING.pointer_max_age_seconds)


@cache
def answering() -> Answering:
    """What lives as long as the process; made with the first request, which is the cold start."""
    environment = load_environment(PredictEnvironment)
    s3, lake = aws.client("s3"), environment.lake_bucket
    table = PredictionsTable(aws.client("dynamodb"), environment.predictions_table)
    return Answering(
        models=ServingModels(
            ServingPointerStore(s3, lake),
            ModelStore(s3, lake),
            max_age_seconds=float(environment.pointer_max_age_seconds),
        ),
        uploads=UploadStore(s3, lake),
        writer=PredictionWriter(PhotoStore(s3, lake), table),
    )


class ColdStart:
    """True once: for the first request of a process, or of one that was restored."""

    def __init__(self) -> None:
        """Nothing has been answered yet."""
        self._pending = True

    def take(self) -> bool:
        """Whether this request is the first."""
        pending, self._pending = self._pending, False
        return pending


_cold_start = ColdStart()


def post_predict(request: ProxyRequest, record: RequestRecord) -> PredictAnswer:
    """Answers one photo; raises one of `ERRORS` if it cannot."""
    photo = read_request(
        request.body,
        is_base64=request.is_base64,
        content_type=request.headers.get("content-type", ""),
    )
    idempotency_key = request.headers.get(IDEMPOTENCY_HEADER.lower())
    session = request.headers.get(SESSION_HEADER.lower(), "")
    prediction = answering().answer(
        photo,
        request_identity(request.api_key, idempotency_key, photo.upload_key),
        caller=f"{request.api_key}|{session}",  # keeps its variant
        at=datetime.now(UTC),
        record=record,
    )
    return predict_answer(prediction)


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Entry point: API Gateway's proxy event in, its proxy response out."""
    meter = Meter()
    record = RequestRecord(context.aws_request_id, cold_start=_cold_start.take())
    response = answered(lambda: post_predict(ProxyRequest.of(event), record))
    write_metrics(metrics_line(record, response, usage=meter.read(), at=datetime.now(UTC)))
    if record.cold_start:
        cold_start.started()
    return response


def before_snapshot() -> None:
    """What a first request would wait for is done."""
    prime(answering())
    cold_start.started()


def after_restore() -> None:
    """The models are those of the snapshot's time until the pointer has been asked."""
    answering().models.expire()


snapshots.hooks(prime=before_snapshot, refresh=after_restore)
