"""Everything but the photo itself: uploads, feedback, stored predictions, the model, health."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Annotated, Any
from uuid import uuid4

from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Body
from aws_lambda_powertools.logging import correlation_paths
from aws_lambda_powertools.utilities.typing import LambdaContext

from areyouacat.contract import PredictionId
from areyouacat.errors import (
    EmptyBodyError,
    InvalidRequestError,
    NoModelError,
    NotFoundError,
    TooMuchFeedbackError,
)
from areyouacat.predictions import Feedback
from lambdas.api.dal.champion_reader import ChampionReader
from lambdas.api.dal.photo_store import PhotoStore
from lambdas.api.dal.upload_issuer import UploadIssuer, presigning_client
from lambdas.api.handlers import documentation
from lambdas.api.handlers.json_body import with_json_body
from lambdas.api.handlers.requests import FeedbackRequest, UploadRequest
from lambdas.api.logic.answers import (
    ErasedPrediction,
    FeedbackAnswer,
    HealthAnswer,
    ModelAnswer,
    StoredPrediction,
    UploadAnswer,
)
from lambdas.api.logic.feedback import Caller, give_feedback, withdraw_feedback
from lambdas.api.logic.model_description import describe_health, describe_model
from lambdas.api.logic.stored_predictions import describe_prediction, erase_prediction
from lambdas.api.logic.uploads import create_upload
from lambdas.shared import aws, snapshots
from lambdas.shared.environment import load_environment
from lambdas.shared.http import create_resolver, documented_errors
from lambdas.shared.observability import logger
from lambdas.shared.predictions_table import PredictionsTable
from lambdas.shared.proxy import API_KEY_HEADER

PREDICTIONS, SERVICE = ["Predictions"], ["Service"]

router = Router()  # type: ignore[no-untyped-call]


@dataclass(frozen=True)
class ApiEnvironment:
    """The environment variables of this function."""

    lake_bucket: str
    predictions_table: str
    control_table: str


@dataclass(frozen=True)
class Services:
    """What lives as long as the process."""

    predictions: PredictionsTable
    photos: PhotoStore
    champion: ChampionReader
    lake_bucket: str


@cache
def services() -> Services:
    """Made with the first request, which is the cold start."""
    environment = load_environment(ApiEnvironment)
    s3, lake = aws.client("s3"), environment.lake_bucket
    return Services(
        predictions=PredictionsTable(
            aws.client("dynamodb"),
            environment.predictions_table,
            control_table=environment.control_table,
        ),
        photos=PhotoStore(s3, lake),
        champion=ChampionReader(s3, lake),
        lake_bucket=lake,
    )


@router.post(
    "/uploads",
    summary="Ask for a place for a large photo",
    description=(
        "Post the form to `url`, then send `upload_key` to POST /predict. Good for one photo of "
        "the type named here, and for a few minutes."
    ),
    responses=documented_errors(UploadAnswer, EmptyBodyError, InvalidRequestError),
    tags=PREDICTIONS,
    operation_id="createUpload",
)
def post_upload(request: Annotated[UploadRequest, Body()]) -> UploadAnswer:
    """Presigns an upload."""
    issuer = UploadIssuer(presigning_client(), services().lake_bucket)
    return create_upload(issuer, request.content_type, datetime.now(UTC))


@router.post(
    "/feedback",
    summary="Say what a photo shows",
    description=(
        "The same label twice is one record; another label replaces the first. How much one API "
        "key and one address may say within one hour is limited."
    ),
    responses=documented_errors(
        FeedbackAnswer, EmptyBodyError, NotFoundError, InvalidRequestError, TooMuchFeedbackError
    ),
    tags=PREDICTIONS,
    operation_id="giveFeedback",
)
def post_feedback(request: Annotated[FeedbackRequest, Body()]) -> FeedbackAnswer:
    """Records what a prediction's photo shows."""
    event = app.current_event
    identity = event.request_context.identity
    api_key = identity.api_key or event.headers.get(API_KEY_HEADER) or ""  # as `proxy` has it
    outcome = give_feedback(
        services().predictions,
        services().photos,
        request.prediction_id,
        Feedback(request.label, datetime.now(UTC)),
        Caller(api_key, identity.source_ip),
    )
    logger.info("feedback", prediction_id=request.prediction_id, outcome=outcome.value)
    return FeedbackAnswer(request.prediction_id, request.label)


@router.get(
    "/predictions/<prediction_id>",
    summary="Read a prediction",
    description="As it was answered, with the feedback it has got. Without any, it expires.",
    responses=documented_errors(StoredPrediction, NotFoundError),
    tags=PREDICTIONS,
    operation_id="getPrediction",
)
def get_prediction(prediction_id: PredictionId) -> StoredPrediction:
    """Reads a prediction."""
    return describe_prediction(services().predictions, prediction_id)


@router.delete(
    "/predictions/<prediction_id>",
    summary="Erase a prediction and its photo",
    description=(
        "The prediction, its feedback and the photo's bytes go for good, and the photo is never "
        "stored again. Other predictions of the same photo stay, without it."
    ),
    responses=documented_errors(ErasedPrediction, NotFoundError),
    tags=PREDICTIONS,
    operation_id="erasePrediction",
)
def delete_prediction(prediction_id: PredictionId) -> ErasedPrediction:
    """Erases a prediction."""
    erased = erase_prediction(
        services().predictions, services().photos, prediction_id, datetime.now(UTC)
    )
    logger.info("erased", prediction_id=prediction_id, photo_erased=erased.photo_erased)
    return erased


@router.delete(
    "/predictions/<prediction_id>/feedback",
    summary="Take back what was said",
    description=(
        "As if nothing had been said: the prediction stays, and expires again. What a training "
        "has already taken over is not undone. Asked again, it changes nothing."
    ),
    responses=documented_errors(StoredPrediction, NotFoundError),
    tags=PREDICTIONS,
    operation_id="withdrawFeedback",
)
def delete_feedback(prediction_id: PredictionId) -> StoredPrediction:
    """Takes back a prediction's feedback."""
    withdrawn = withdraw_feedback(services().predictions, prediction_id)
    logger.info("feedback withdrawn", prediction_id=prediction_id, changed=withdrawn)
    return describe_prediction(services().predictions, prediction_id)


@router.get(
    "/model",
    summary="Ask which model serves",
    responses=documented_errors(ModelAnswer, NoModelError),
    tags=SERVICE,
    operation_id="getModel",
)
def get_model() -> ModelAnswer:
    """Says which model serves, and by which limits it judges."""
    pointer = services().champion.pointer()
    if pointer is None:
        raise NoModelError("No model has been trained and promoted yet. Try again later.")
    return describe_model(pointer, services().champion.spec(pointer.champion))


@router.get(
    "/health",
    summary="Ask whether the API is up",
    responses=documented_errors(HealthAnswer),
    tags=SERVICE,
    operation_id="getHealth",
)
def get_health() -> HealthAnswer:
    """Says that the API is up, and whether a model is behind it."""
    return describe_health(services().champion.pointer())


app = create_resolver()
app.include_router(router)
app.include_router(documentation.router)


@logger.inject_lambda_context(
    correlation_id_path=correlation_paths.API_GATEWAY_REST, clear_state=True
)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Entry point: API Gateway's proxy event in, its proxy response out."""
    response: dict[str, Any] = app.resolve(with_json_body(event), context)
    logger.info(
        "answered",
        method=event.get("httpMethod"),
        path=event.get("path"),
        status=response["statusCode"],
    )
    return response


def before_snapshot() -> None:
    """What a first request would wait for is done; nothing of it can grow old.

    Who reads the pointer asks whether it is still the same.
    """
    documentation.read_ahead()
    presigning_client()
    services().predictions.get(str(uuid4()))  # nobody's: it makes the client ready
    champion = services().champion
    if pointer := champion.pointer():
        champion.spec(pointer.champion)


snapshots.hooks(prime=before_snapshot)
