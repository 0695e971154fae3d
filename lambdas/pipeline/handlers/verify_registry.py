"""Finds and repairs what a deployment that was cut off, or an MLflow that was away, left behind."""

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import BaseModel

from lambdas.pipeline.dal.registry import MlflowRegistry
from lambdas.pipeline.logic.registry_sync import differences, repair
from lambdas.pipeline.logic.verification import drop_abandoned
from lambdas.shared.aws import client
from lambdas.shared.environment import load_environment
from lambdas.shared.executions import Executions
from lambdas.shared.observability import logger
from lambdas.shared.serving_pointer_store import ServingPointerStore


@dataclass(frozen=True)
class Environment:
    """What the function needs to be told."""

    lake_bucket: str
    mlflow_tracking_uri: str


class VerifyRequest(BaseModel):
    """`repair`: False to look only."""

    repair: bool = True


@logger.inject_lambda_context
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Compare the serving pointer with the executions and with MLflow's aliases.

    `champion`: None while nothing serves. `abandoned`: the execution whose challenger was (or would
    be) taken out of the traffic, since it ended without doing so itself.
    """
    asked = VerifyRequest.model_validate(event)
    environment = load_environment(Environment)
    pointers = ServingPointerStore(client("s3"), environment.lake_bucket)
    abandoned = drop_abandoned(
        pointers, Executions(client("stepfunctions")), at=datetime.now(UTC), write=asked.repair
    )
    stored = pointers.read()
    if stored is None:
        return {"champion": None, "abandoned": None, "differences": [], "repaired": False}
    registry = MlflowRegistry(environment.mlflow_tracking_uri)
    found = (repair if asked.repair else differences)(registry, stored.pointer)
    answer: dict[str, Any] = {
        "champion": stored.pointer.champion.version,
        "abandoned": abandoned,
        "differences": [asdict(one) for one in found],
        "repaired": asked.repair and bool(found or abandoned),
    }
    logger.info("verified", **answer)
    return answer
