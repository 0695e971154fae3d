"""MoveAlias: MLflow learns which version serves."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import BaseModel

from areyouacat.lake import utc_text
from lambdas.pipeline.dal.registry import MlflowRegistry
from lambdas.pipeline.handlers.fields import VersionNumber
from lambdas.pipeline.logic.promotion import move_alias
from lambdas.shared.environment import load_environment
from lambdas.shared.observability import logger


@dataclass(frozen=True)
class Environment:
    """What the function needs to be told."""

    mlflow_tracking_uri: str


class MoveAliasRequest(BaseModel):
    """Input of MoveAlias. `execution_arn`: who asks."""

    version: VersionNumber
    execution_arn: str
    reason: str = "deployed without a reason"


@logger.inject_lambda_context
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Point `champion` to the version; where it pointed before."""
    asked = MoveAliasRequest.model_validate(event)
    move = move_alias(
        MlflowRegistry(load_environment(Environment).mlflow_tracking_uri),
        asked.version,
        by=asked.execution_arn,
        reason=asked.reason,
        at=utc_text(datetime.now(UTC)),
    )
    logger.info("alias moved", version=move.version, previous_version=move.previous_version)
    return {"moved": True, "version": move.version, "previous_version": move.previous_version}
