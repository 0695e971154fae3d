"""AcquireLease and ReleaseLease: the first and the last state of train."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import BaseModel

from areyouacat.lease import training_job_name
from lambdas.pipeline.dal.control_table import ControlTable
from lambdas.pipeline.dal.executions import Executions
from lambdas.pipeline.logic.lease import acquire as acquire_lease
from lambdas.shared.aws import client
from lambdas.shared.environment import load_environment
from lambdas.shared.observability import logger


@dataclass(frozen=True)
class Environment:
    """What the functions need to be told."""

    control_table: str


class StartRequest(BaseModel):
    """The execution's own input; anything else in it is ignored."""

    reason: str = "started without a reason"
    source: str = "manual"


class AcquireRequest(BaseModel):
    """Input of AcquireLease."""

    execution_arn: str
    execution_name: str
    request: StartRequest


class ReleaseRequest(BaseModel):
    """Input of ReleaseLease."""

    execution_arn: str


@logger.inject_lambda_context
def acquire(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Take the training lease; `acquired` says whether this execution may train."""
    asked = AcquireRequest.model_validate(event)
    result = acquire_lease(
        _control_table(),
        Executions(client("stepfunctions")),
        asked.execution_arn,
        asked.request.reason,
        datetime.now(UTC),
    )
    logger.info("lease", acquired=result.acquired, holder=result.holder, over=result.taken_from)
    return {
        "acquired": result.acquired,
        "holder": result.holder,
        "reason": asked.request.reason,
        "source": asked.request.source,
        "training_job_name": training_job_name(asked.execution_name),
    }


@logger.inject_lambda_context
def release(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Give the lease back if this execution holds it; twice is fine."""
    asked = ReleaseRequest.model_validate(event)
    released = _control_table().give_back_lease(asked.execution_arn)
    logger.info("lease given back" if released else "lease was not held", by=asked.execution_arn)
    return {"released": released}


def _control_table() -> ControlTable:
    return ControlTable(client("dynamodb"), load_environment(Environment).control_table)
