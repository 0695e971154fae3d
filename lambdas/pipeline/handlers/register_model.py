"""RegisterModel: the candidate that passed its gate becomes a model version."""

from dataclasses import dataclass
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import BaseModel

from lambdas.pipeline.dal.lake_store import LakeStore
from lambdas.pipeline.dal.registry import MlflowRegistry
from lambdas.pipeline.handlers.fields import EvaluationField
from lambdas.pipeline.logic.outcome import record_evaluation, record_outcome
from lambdas.pipeline.logic.registration import Lineage, register
from lambdas.shared.aws import client
from lambdas.shared.environment import load_environment
from lambdas.shared.observability import logger


@dataclass(frozen=True)
class Environment:
    """What the function needs to be told."""

    lake_bucket: str
    mlflow_tracking_uri: str
    code_revision: str = "unknown"


class DatasetRef(BaseModel):
    """The data set version the candidate was trained on."""

    version: str
    manifest_sha256: str


class TrainingRef(BaseModel):
    """The training job."""

    job_name: str
    job_arn: str


class RegisterRequest(BaseModel):
    """Input of RegisterModel."""

    model_artifact: str
    dataset: DatasetRef
    training: TrainingRef
    evaluation: EvaluationField
    execution_arn: str

    def lineage(self, code_revision: str) -> Lineage:
        """What the version will be tagged with."""
        return Lineage(
            model_artifact=self.model_artifact,
            dataset_version=self.dataset.version,
            manifest_sha256=self.dataset.manifest_sha256,
            training_job_name=self.training.job_name,
            training_job_arn=self.training.job_arn,
            execution_arn=self.execution_arn,
            code_revision=code_revision,
            gate_passed=self.evaluation.gate.passed,
            gate_applicable=self.evaluation.gate.applicable,
            gate_reason=self.evaluation.gate.reason,
            champion_version=self.evaluation.champion_version,
            mlflow_run_id=self.evaluation.mlflow_run_id,
        )


@logger.inject_lambda_context
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Register the model and record why; the version's number and where its files are."""
    asked = RegisterRequest.model_validate(event)
    environment = load_environment(Environment)
    lake = LakeStore(client("s3"), environment.lake_bucket)
    registry = MlflowRegistry(environment.mlflow_tracking_uri)
    registration = register(lake, registry, asked.lineage(environment.code_revision))
    if run_id := asked.evaluation.mlflow_run_id:
        evaluation = asked.evaluation.evaluation()
        record_evaluation(lake, registry, run_id, evaluation)
        record_outcome(registry, run_id, "registered", evaluation.reason)
    logger.info("registered", version=registration.version, is_new=registration.created)
    return {
        "version": registration.version,
        "model_name": registration.model_name,
        "model_prefix": registration.model_prefix,
    }
