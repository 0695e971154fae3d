"""The stack's alarms, as CloudWatch has them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final

from ui import aws
from ui.configuration import Configuration

NO_STACK: Final = "The stack's name is not known. Run `make up` again, then reload this page."
_NAME: Final = re.compile(r"-(?:Operations|Retraining|Rollback)?(\w+?)[0-9A-F]{8}(?:-\w+)?$")
"""As CloudFormation makes them of the stack, the construct's path, and a hash."""


class AlarmState(StrEnum):
    """CloudWatch's own."""

    ALARM = "ALARM"
    OK = "OK"
    UNKNOWN = "INSUFFICIENT_DATA"


@dataclass(frozen=True)
class Alarm:
    """An alarm. `title`: in words; `meaning`: what it watches and what it does; `since`: UTC.

    `reason`: why it is in this state, in CloudWatch's words.
    """

    name: str
    title: str
    state: AlarmState
    since: datetime
    meaning: str
    reason: str


class Alarms:
    """All alarms of one stack. Calls raise `aws.AwsError`."""

    def __init__(self, configuration: Configuration, cloudwatch: Any = None) -> None:
        """`cloudwatch`: a boto3 client; by default the one of `configuration`."""
        if configuration.stack is None:
            raise aws.AwsError(NO_STACK)
        self._stack = configuration.stack
        self._cloudwatch = cloudwatch or aws.client(configuration, "cloudwatch")

    def all(self) -> tuple[Alarm, ...]:
        """Those that alarm first, the latest of them foremost; then by title."""
        with aws.in_words():
            pages = self._cloudwatch.get_paginator("describe_alarms").paginate(
                AlarmNamePrefix=f"{self._stack}-", AlarmTypes=["MetricAlarm", "CompositeAlarm"]
            )
            described = [
                each
                for page in pages
                for each in (*page.get("MetricAlarms", ()), *page.get("CompositeAlarms", ()))
            ]
        return tuple(sorted(map(_alarm, described), key=_urgency))


def _alarm(described: Mapping[str, Any]) -> Alarm:
    since = described.get("StateTransitionedTimestamp") or described["StateUpdatedTimestamp"]
    return Alarm(
        name=str(described["AlarmName"]),
        title=title(str(described["AlarmName"])),
        state=AlarmState(described["StateValue"]),
        since=since.astimezone(UTC),
        meaning=str(described.get("AlarmDescription") or ""),
        reason=str(described.get("StateReason") or ""),
    )


def title(name: str) -> str:
    """An alarm's name in words, such as "Data drift"."""
    found = _NAME.search(name)
    core = found.group(1) if found else name
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", core)
    return f"{words[:1].upper()}{words[1:].lower()}"


def _urgency(one: Alarm) -> tuple[bool, float, str]:
    alarms = one.state is AlarmState.ALARM
    return not alarms, -one.since.timestamp() if alarms else 0.0, one.title
