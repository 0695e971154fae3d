"""What takes a challenger out of the traffic by itself: an alarm, or the end of its deployment.

Both start the deploy workflow, which alone moves the serving pointer, so that its history tells
everything that ever happened to the traffic.
"""

from dataclasses import dataclass
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import BaseModel, Field

from lambdas.monitoring.dal.executions import StateMachine
from lambdas.monitoring.handlers.sns import firing_alarms
from lambdas.monitoring.logic.abandoned import cleanup_start
from lambdas.monitoring.logic.alarms import rollback_start
from lambdas.shared.aws import client
from lambdas.shared.environment import load_environment
from lambdas.shared.observability import logger
from lambdas.shared.serving_pointer_store import ServingPointerStore


@dataclass(frozen=True)
class AlarmEnvironment:
    """What the alarm's function needs to be told."""

    deploy_state_machine_arn: str


@dataclass(frozen=True)
class EndedEnvironment:
    """What the other function needs to be told."""

    deploy_state_machine_arn: str
    lake_bucket: str


class Ended(BaseModel):
    """How an execution ended."""

    execution_arn: str = Field(alias="executionArn")
    status: str


class StatusChange(BaseModel):
    """EventBridge's "Step Functions Execution Status Change", as far as it matters here."""

    detail: Ended


@logger.inject_lambda_context
def on_alarm(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Start one rollback for each alarm that fires; the names of those that are new."""
    deploy = StateMachine(
        client("stepfunctions"), load_environment(AlarmEnvironment).deploy_state_machine_arn
    )
    started = []
    for alarm in firing_alarms(event):
        start = rollback_start(alarm)
        if deploy.start(start.name, start.input_json):
            started.append(start.name)
    logger.info("rollbacks started", executions=started)
    return {"started": started}


@logger.inject_lambda_context
def on_ended(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Clean up behind a deployment that failed, timed out or was stopped; None if it need not be.

    An event that comes twice starts one execution.
    """
    ended = StatusChange.model_validate(event).detail
    environment = load_environment(EndedEnvironment)
    stored = ServingPointerStore(client("s3"), environment.lake_bucket).read()
    start = cleanup_start(ended.execution_arn, ended.status, stored.pointer if stored else None)
    if start is None:
        logger.info("nothing to clean up", execution=ended.execution_arn, status=ended.status)
        return {"started": None}
    deploy = StateMachine(client("stepfunctions"), environment.deploy_state_machine_arn)
    deploy.start(start.name, start.input_json)
    logger.info("cleaning up", execution=start.name, behind=ended.execution_arn)
    return {"started": start.name}
