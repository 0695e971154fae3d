"""An alarm fired: start the train workflow, once."""

from dataclasses import dataclass
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import BaseModel, Field, ValidationError

from lambdas.monitoring.dal.executions import StateMachine
from lambdas.monitoring.logic.alarms import AlarmMessage, training_start
from lambdas.shared.aws import client
from lambdas.shared.environment import load_environment
from lambdas.shared.observability import logger


@dataclass(frozen=True)
class Environment:
    """What the function needs to be told."""

    train_state_machine_arn: str


class Notification(BaseModel):
    """One message of an SNS event."""

    message: str = Field(alias="Message")


class Record(BaseModel):
    """One record of an SNS event."""

    sns: Notification = Field(alias="Sns")


class SnsEvent(BaseModel):
    """What SNS hands to a function."""

    records: list[Record] = Field(alias="Records")


@logger.inject_lambda_context
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Start one execution for each alarm that fires; the names of those that are new."""
    train = StateMachine(
        client("stepfunctions"), load_environment(Environment).train_state_machine_arn
    )
    started = []
    for alarm in _alarms(event):
        if not alarm.fires:
            logger.info("alarm does not fire", alarm=alarm.alarm_name, state=alarm.new_state)
            continue
        start = training_start(alarm)
        is_new = train.start(start.name, start.input_json)
        logger.info("training started" if is_new else "started before", execution=start.name)
        if is_new:
            started.append(start.name)
    return {"started": started}


def _alarms(event: dict[str, Any]) -> list[AlarmMessage]:
    """The event's alarm messages. What is none is logged and dropped: again it would be none."""
    alarms = []
    try:
        messages = [record.sns.message for record in SnsEvent.model_validate(event).records]
    except ValidationError as error:
        logger.error("not an SNS event, dropped", problem=str(error))
        return []
    for message in messages:
        try:
            alarms.append(AlarmMessage.model_validate_json(message))
        except ValidationError as error:
            logger.error("not an alarm's message, dropped", problem=str(error), body=message)
    return alarms
