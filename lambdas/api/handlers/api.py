"""`POST /feedback`, `GET /model` and `GET /health`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from areyouacat.errors import NoModelError
from lambdas.api.dal.champion_reader import ChampionReader
from lambdas.api.handlers.feedback_request import parse_feedback
from lambdas.api.logic.feedback import give_feedback
from lambdas.api.logic.model_description import describe_health, describe_model
from lambdas.shared import aws
from lambdas.shared.environment import load_environment
from lambdas.shared.http import create_resolver
from lambdas.shared.observability import logger
from lambdas.shared.predictions_table import PredictionsTable

app = create_resolver()


@dataclass(frozen=True)
class ApiEnvironment:
    """The environment variables of this function."""

    lake_bucket: str
    predictions_table: str


@dataclass(frozen=True)
class Services:
    """What lives as long as the process."""

    predictions: PredictionsTable
    champion: ChampionReader


@cache
def services() -> Services:
    """Made with the first request, which is the cold start."""
    environment = load_environment(ApiEnvironment)
    return Services(
        predictions=PredictionsTable(aws.client("dynamodb"), environment.predictions_table),
        champion=ChampionReader(aws.client("s3"), environment.lake_bucket),
    )


def post_feedback() -> dict[str, Any]:
    """Records what a prediction's photo shows."""
    event = app.current_event
    request = parse_feedback(event.body, is_base64=bool(event.is_base64_encoded))
    outcome = give_feedback(
        services().predictions, request.prediction_id, request.label, datetime.now(UTC)
    )
    logger.info("feedback", prediction_id=request.prediction_id, outcome=outcome.value)
    return {"prediction_id": request.prediction_id, "label": request.label}


def get_model() -> dict[str, Any]:
    """Says which model serves, and by which limits it judges."""
    pointer = services().champion.pointer()
    if pointer is None:
        raise NoModelError("No model has been trained and promoted yet. Try again later.")
    return describe_model(pointer, services().champion.spec(pointer.champion))


def get_health() -> dict[str, Any]:
    """Says that the API is up, and whether a model is behind it."""
    return describe_health(services().champion.pointer())


app.post("/feedback")(post_feedback)
app.get("/model")(get_model)
app.get("/health")(get_health)


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Entry point: API Gateway's proxy event in, its proxy response out."""
    response: dict[str, Any] = app.resolve(event, context)
    logger.info("answered", path=event.get("path"), status=response["statusCode"])
    return response
