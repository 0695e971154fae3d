"""RegisterModel: the candidate that passed its gate becomes a model version."""

from dataclasses import dataclass
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import BaseModel

from lambdas.pipeline.dal.lake_store import LakeStore
from lambdas.pipeline.dal.registry import MlflowRegistry
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


class Gate(BaseModel):
    """What the quality gate said."""

    passed: bool
    applicable: bool
    reason: str


class Evaluation(BaseModel):
    """Output of EvaluateCandidate, as far as it is lineage."""

    gate: Gate
    champion_version: str | None = None
    mlflow_run_id: str | None = None


class RegisterRequest(BaseModel):
    """Input of RegisterModel."""

    model_artifact: str
    dataset: DatasetRef
    training: TrainingRef
    evaluation: Evaluation
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
    """Register the model; the version's number and where its files are."""
    asked = RegisterRequest.model_validate(event)
    environment = load_environment(Environment)
    registration = register(
        LakeStore(client("s3"), environment.lake_bucket),
        MlflowRegistry(environment.mlflow_tracking_uri),
        asked.lineage(environment.code_revision),
    )
    logger.info("registered", version=registration.version, is_new=registration.created)
    return {
        "version": registration.version,
        "model_name": registration.model_name,
        "model_prefix": registration.model_prefix,
    }
