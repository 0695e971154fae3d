"""The alarms in what SNS hands to a function."""

from typing import Any

from pydantic import BaseModel, Field, ValidationError

from lambdas.monitoring.logic.alarms import AlarmMessage
from lambdas.shared.observability import logger


class Notification(BaseModel):
    """One message of an SNS event."""

    message: str = Field(alias="Message")


class Record(BaseModel):
    """One record of an SNS event."""

    sns: Notification = Field(alias="Sns")


class SnsEvent(BaseModel):
    """What SNS hands to a function."""

    records: list[Record] = Field(alias="Records")


def firing_alarms(event: dict[str, Any]) -> list[AlarmMessage]:
    """The alarms that stand now; the rest is logged and dropped."""
    firing = []
    for alarm in alarm_messages(event):
        if alarm.fires:
            firing.append(alarm)
        else:
            logger.info("alarm does not fire", alarm=alarm.alarm_name, state=alarm.new_state)
    return firing


def alarm_messages(event: dict[str, Any]) -> list[AlarmMessage]:
    """All alarms of an event, in its order, whatever their state.

    What is no alarm's message is logged and dropped: handed over again it would be none either.
    """
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
