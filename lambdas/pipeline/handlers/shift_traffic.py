"""ShiftTraffic: the challenger meets its share of the callers."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import BaseModel

from areyouacat.lake import utc_text
from lambdas.pipeline.handlers.fields import StagedField
from lambdas.pipeline.logic.shifting import shift
from lambdas.shared.aws import client
from lambdas.shared.environment import load_environment
from lambdas.shared.executions import Executions
from lambdas.shared.observability import logger
from lambdas.shared.serving_pointer_store import ServingPointerStore


@dataclass(frozen=True)
class Environment:
    """What the function needs to be told."""

    lake_bucket: str


class ShiftRequest(BaseModel):
    """Input of ShiftTraffic. `execution_arn`: who asks."""

    staged: StagedField
    execution_arn: str


@logger.inject_lambda_context
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Put the challenger into the serving pointer; since when it is there."""
    asked = ShiftRequest.model_validate(event)
    staged = asked.staged
    shifted = shift(
        ServingPointerStore(client("s3"), load_environment(Environment).lake_bucket),
        Executions(client("stepfunctions")),
        staged.variant,
        staged.canary_weight,
        staged.strategy,
        by=asked.execution_arn,
        reason=staged.reason,
        at=datetime.now(UTC),
    )
    found: dict[str, Any] = {
        "changed": shifted.changed,
        "champion_version": shifted.champion_version,
        "challenger_version": shifted.challenger_version,
        "began_at": utc_text(shifted.began_at),
    }
    logger.info("traffic shifted", **found, weight=staged.canary_weight)
    return found
