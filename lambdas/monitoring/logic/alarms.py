"""From an alarm's message to the one execution it may start."""

import hashlib
import json
import re
from dataclasses import dataclass
from typing import Final

from pydantic import BaseModel, Field

FIRING: Final = "ALARM"
_NAME_LIMIT: Final = 80  # characters of an execution's name
_REASON_LIMIT: Final = 1_000  # characters


class AlarmMessage(BaseModel):
    """What CloudWatch sends to SNS, as far as it matters here.

    Source: "Notifying users on alarm changes", CloudWatch user guide.
    """

    alarm_name: str = Field(alias="AlarmName", min_length=1)
    new_state: str = Field(alias="NewStateValue", min_length=1)
    changed_at: str = Field(alias="StateChangeTime", min_length=1)
    reason: str = Field(alias="NewStateReason", default="")

    @property
    def fires(self) -> bool:
        """Whether the alarm stands now; going back to normal starts nothing."""
        return self.new_state == FIRING


@dataclass(frozen=True, slots=True)
class Start:
    """A StartExecution: `name` decides whether it is a new one."""

    name: str
    input_json: str


def training_start(alarm: AlarmMessage) -> Start:
    """The execution of train of one change of state: a message twice names it twice."""
    return Start(_execution_name(alarm), json.dumps(_because(alarm), sort_keys=True))


def rollback_start(alarm: AlarmMessage) -> Start:
    """The execution of deploy that takes the challenger, and it alone, out of the traffic."""
    asked = {"strategy": "roll_back", "challenger_only": True, **_because(alarm)}
    return Start(_execution_name(alarm), json.dumps(asked, sort_keys=True))


def _because(alarm: AlarmMessage) -> dict[str, str]:
    return {
        "reason": (alarm.reason or f"alarm {alarm.alarm_name}")[:_REASON_LIMIT],
        "source": "alarm",
        "alarm": alarm.alarm_name,
        "changed_at": alarm.changed_at,
    }


def _execution_name(alarm: AlarmMessage) -> str:
    digest = hashlib.sha256(f"{alarm.alarm_name}|{alarm.changed_at}".encode()).hexdigest()[:16]
    readable = re.sub(r"[^a-zA-Z0-9]+", "-", alarm.alarm_name).strip("-")
    room = _NAME_LIMIT - len("alarm--") - len(digest)
    return "-".join(part for part in ("alarm", readable[:room].strip("-"), digest) if part)
