"""Promote: the variant takes all traffic."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import BaseModel

from lambdas.pipeline.handlers.fields import CheckField, StagedField, moved
from lambdas.pipeline.logic.promotion import promote
from lambdas.shared.aws import client
from lambdas.shared.environment import load_environment
from lambdas.shared.executions import Executions
from lambdas.shared.observability import logger
from lambdas.shared.serving_pointer_store import ServingPointerStore


@dataclass(frozen=True)
class Environment:
    """What the function needs to be told."""

    lake_bucket: str


class Deployed(BaseModel):
    """What deploy knows by now. `check`: None if all traffic goes at once."""

    staged: StagedField
    check: CheckField | None = None


class PromoteRequest(BaseModel):
    """Input of Promote. `execution_arn`: who asks."""

    deployed: Deployed
    execution_arn: str


@logger.inject_lambda_context
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Write the serving pointer; `outcome` is `unchanged` if this version served alone already."""
    asked = PromoteRequest.model_validate(event)
    staged, check = asked.deployed.staged, asked.deployed.check
    reasons = check.reasons if check else [staged.reason]
    move = promote(
        ServingPointerStore(client("s3"), load_environment(Environment).lake_bucket),
        Executions(client("stepfunctions")),
        staged.variant,
        staged.strategy,
        by=asked.execution_arn,
        reason=staged.reason,
        at=datetime.now(UTC),
    )
    result = moved(move, reasons)
    logger.info("promoted", **result)
    return result
