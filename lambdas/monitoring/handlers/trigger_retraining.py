"""An alarm fired: start the train workflow, once."""

from dataclasses import dataclass
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from lambdas.monitoring.dal.executions import StateMachine
from lambdas.monitoring.handlers.sns import firing_alarms
from lambdas.monitoring.logic.alarms import training_start
from lambdas.shared.aws import client
from lambdas.shared.environment import load_environment
from lambdas.shared.observability import logger


@dataclass(frozen=True)
class Environment:
    """What the function needs to be told."""

    train_state_machine_arn: str


@logger.inject_lambda_context
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Start one execution for each alarm that fires; the names of those that are new."""
    train = StateMachine(
        client("stepfunctions"), load_environment(Environment).train_state_machine_arn
    )
    started = []
    for alarm in firing_alarms(event):
        start = training_start(alarm)
        is_new = train.start(start.name, start.input_json)
        logger.info("training started" if is_new else "started before", execution=start.name)
        if is_new:
            started.append(start.name)
    return {"started": started}
