"""RecordOutcome: a run that led to no model says so in MLflow, with all that the gate saw."""

from dataclasses import dataclass
from typing import Any, Final, Literal

from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import BaseModel

from lambdas.pipeline.dal.lake_store import LakeStore
from lambdas.pipeline.dal.registry import MlflowRegistry
from lambdas.pipeline.handlers.fields import EvaluationField
from lambdas.pipeline.logic.outcome import record_evaluation, record_outcome
from lambdas.shared.aws import client
from lambdas.shared.environment import load_environment
from lambdas.shared.observability import logger

TRAINING_JOB_TAG: Final = "training_job_name"
"""Tag by which a run names its job; the job itself sets it as it begins."""


@dataclass(frozen=True)
class Environment:
    """What the function needs to be told."""

    lake_bucket: str
    mlflow_tracking_uri: str
    mlflow_experiment_name: str


class OutcomeRequest(BaseModel):
    """Input of RecordOutcome.

    The run is named by its id or by its job. `evaluation`: None if there is none that should be
    recorded.
    """

    outcome: Literal["rejected", "failed"]
    reason: str
    mlflow_run_id: str | None = None
    training_job_name: str | None = None
    evaluation: EvaluationField | None = None


@logger.inject_lambda_context
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Mark the run with its outcome; `recorded` is False if there is no run to mark."""
    asked = OutcomeRequest.model_validate(event)
    environment = load_environment(Environment)
    registry = MlflowRegistry(environment.mlflow_tracking_uri)
    run_id = asked.mlflow_run_id
    if run_id is None and asked.training_job_name:
        run_id = registry.find_run(
            environment.mlflow_experiment_name, TRAINING_JOB_TAG, asked.training_job_name
        )
    if run_id is None:
        logger.info("no MLflow run to mark", outcome=asked.outcome, reason=asked.reason)
        return {"recorded": False}
    record_outcome(registry, run_id, asked.outcome, asked.reason)
    if asked.evaluation:
        lake = LakeStore(client("s3"), environment.lake_bucket)
        record_evaluation(lake, registry, run_id, asked.evaluation.evaluation())
    logger.info("marked", outcome=asked.outcome, mlflow_run_id=run_id)
    return {"recorded": True}
