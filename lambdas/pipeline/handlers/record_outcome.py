"""RecordOutcome: a run that led to no model says so in MLflow."""

from dataclasses import dataclass
from typing import Any, Literal

from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import BaseModel

from lambdas.pipeline.dal.registry import MlflowRegistry
from lambdas.shared.environment import load_environment
from lambdas.shared.observability import logger


@dataclass(frozen=True)
class Environment:
    """What the function needs to be told."""

    mlflow_tracking_uri: str


class OutcomeRequest(BaseModel):
    """Input of RecordOutcome. `mlflow_run_id`: None if the execution got to no run."""

    outcome: Literal["rejected", "failed"]
    reason: str
    mlflow_run_id: str | None = None


@logger.inject_lambda_context
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Tag the run with its outcome; `recorded` is False if there is no run to tag."""
    asked = OutcomeRequest.model_validate(event)
    if asked.mlflow_run_id is None:
        logger.info("no MLflow run to mark", outcome=asked.outcome, reason=asked.reason)
        return {"recorded": False}
    MlflowRegistry(load_environment(Environment).mlflow_tracking_uri).tag_run(
        asked.mlflow_run_id, {"outcome": asked.outcome, "outcome_reason": asked.reason}
    )
    logger.info("marked", outcome=asked.outcome, mlflow_run_id=asked.mlflow_run_id)
    return {"recorded": True}
