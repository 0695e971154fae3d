"""Promote: the variant takes all traffic."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import BaseModel

from areyouacat.serving_pointer import Variant
from lambdas.pipeline.logic.promotion import promote
from lambdas.shared.aws import client
from lambdas.shared.environment import load_environment
from lambdas.shared.observability import logger
from lambdas.shared.serving_pointer_store import ServingPointerStore


@dataclass(frozen=True)
class Environment:
    """What the function needs to be told."""

    lake_bucket: str


class PromoteRequest(BaseModel):
    """Input of Promote. `variant`: what StageVariant gave; `execution_arn`: who asks."""

    variant: Variant
    execution_arn: str
    reason: str = "deployed without a reason"


@logger.inject_lambda_context
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Write the serving pointer; `changed` is False if this version served alone already."""
    asked = PromoteRequest.model_validate(event)
    promotion = promote(
        ServingPointerStore(client("s3"), load_environment(Environment).lake_bucket),
        asked.variant,
        by=asked.execution_arn,
        reason=asked.reason,
        at=datetime.now(UTC),
    )
    logger.info(
        "promoted" if promotion.changed else "served already",
        version=promotion.version,
        previous_version=promotion.previous_version,
    )
    return {
        "changed": promotion.changed,
        "version": promotion.version,
        "previous_version": promotion.previous_version,
    }
