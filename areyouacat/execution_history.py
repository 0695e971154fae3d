"""A Step Functions execution, told to a person: pure functions on what its API returns."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any

CAPACITY_STATE = "ChooseCapacity"
TRAINING_STATE = "TrainModel"
CAUSE_CHARACTERS = 400
_FAILURES = ("Failed", "TimedOut")
_WORK_DONE = ("TaskStateExited", "WaitStateExited", "MapStateExited", "ParallelStateExited")
"""Where time goes; choices and ends only say where the way leads."""

Event = Mapping[str, Any]
"""One event of `GetExecutionHistory`."""


class Ending(Enum):
    """How an execution ended; the values are what a person reads first."""

    SUCCEEDED = "Succeeded"
    REJECTED = "Rejected"
    ROLLED_BACK = "RolledBack"
    NOT_DEPLOYED = "NotDeployed"
    ALREADY_RUNNING = "AlreadyRunning"
    TOO_SOON = "TooSoon"
    FAILED = "Failed"

    @property
    def is_turned_away(self) -> bool:
        """Whether the workflow did not even begin its work."""
        return self in {Ending.ALREADY_RUNNING, Ending.TOO_SOON}

    @property
    def is_normal(self) -> bool:
        """Whether the workflow did what it is meant to, even if it kept the old model."""
        return self is not Ending.FAILED


@dataclass(frozen=True)
class Outcome:
    """An ended execution: how, and in one sentence why or with what."""

    ending: Ending
    sentence: str


class HistoryTeller:
    """Turns growing history into lines: feed it the whole history as often as it grows."""

    def __init__(self) -> None:
        """Nothing told yet."""
        self.training_job: str | None = None
        """Name of the training job, while its state is running."""
        self.last_state = ""
        """The state entered last; at the end, the terminal state."""
        self._told = 0
        self._entered: dict[str, datetime] = {}

    def tell(self, events: Iterable[Event]) -> list[str]:
        """Lines for the events that are newer than those told before."""
        lines: list[str] = []
        for event in events:
            if int(event["id"]) <= self._told:
                continue
            self._told = int(event["id"])
            lines += self._lines(event)
        return lines

    @property
    def _is_training(self) -> bool:
        return self.last_state == TRAINING_STATE

    def _lines(self, event: Event) -> list[str]:
        kind = str(event["type"])
        at: datetime = event["timestamp"]
        if kind.endswith("StateEntered"):
            details = event["stateEnteredEventDetails"]
            self._enter(details, at)
            # The others are over before a line about their start would be read.
            return [f"{_clock(at)}  {TRAINING_STATE} …"] if self._is_training else []
        if kind.endswith("StateExited"):
            name = event["stateExitedEventDetails"]["name"]
            if name == TRAINING_STATE:
                self.training_job = None
            seconds = (at - self._entered.pop(name, at)).total_seconds()
            return [f"{_clock(at)}  {name}: {seconds:.1f} s"] if kind in _WORK_DONE else []
        if kind.endswith(_FAILURES) and not kind.startswith("Execution"):
            failure: Mapping[str, Any] = next(
                (value for key, value in event.items() if key.endswith("Details")), {}
            )
            error = failure.get("error") or kind
            return [f"{_clock(at)}  {self.last_state}: {error}: {readable(failure.get('cause'))}"]
        return []

    def _enter(self, details: Mapping[str, Any], at: datetime) -> None:
        self.last_state = str(details["name"])
        self._entered[self.last_state] = at
        if self._is_training:
            self.training_job = _at(_parsed(details.get("input")), "lease", "training_job_name")


def outcome(execution: Mapping[str, Any], last_state: str) -> Outcome:
    """What to make of an ended execution (`DescribeExecution`) and the state it ended in."""
    if execution["status"] != "SUCCEEDED":
        error = execution.get("error") or execution["status"]
        return Outcome(Ending.FAILED, f"{error}: {readable(execution.get('cause'))}")
    output = _parsed(execution.get("output"))
    if last_state == Ending.REJECTED.value:
        reason = _at(output, "evaluation", "gate", "reason")
        return Outcome(
            Ending.REJECTED,
            f"{reason or 'the candidate is not better.'} The model stays as it was.",
        )
    if last_state in {each.value for each in Ending if each.is_turned_away}:
        return _turned_away(Ending(last_state), output)
    result = _result(output)
    version = _at(result, "version") or _at(output, "registration", "version")
    if last_state == Ending.ROLLED_BACK.value:
        return Outcome(Ending.ROLLED_BACK, _rolled_back(result))
    if last_state == Ending.NOT_DEPLOYED.value:
        registered = _at(output, "registration", "version") or "the new one"
        return Outcome(
            Ending.NOT_DEPLOYED,
            f"model version {registered} is registered; another deployment has the traffic, so "
            "deploy it by hand when that has ended.",
        )
    done = _at(output, "summary", "sentence") or "all steps done."  # batch says what it did
    return Outcome(Ending.SUCCEEDED, f"model version {version} is serving." if version else done)


def _turned_away(ending: Ending, output: Any) -> Outcome:
    if ending is Ending.ALREADY_RUNNING:
        holder = (_at(output, "lease", "holder") or "another one").rpartition(":")[2]
        return Outcome(ending, f"execution {holder} is training; nothing was started.")
    why = _at(output, "lease", "why") or "automatic trainings have to wait"
    return Outcome(ending, f"nothing was started: {why}.")


def _result(output: Any) -> Any:
    """What deploy says of the pointer, whether it ran by itself or inside train."""
    for path in (("result",), ("deployment", "output", "result")):
        found = output
        for key in path:
            found = found.get(key) if isinstance(found, Mapping) else None
        if isinstance(found, Mapping):
            return found
    return {}


def _rolled_back(result: Mapping[str, Any]) -> str:
    left = result.get("moved_version")
    serving = f"Model version {result.get('version')} is serving"
    reasons = "; ".join(str(reason).rstrip(".") for reason in result.get("reasons", ()))
    return f"{serving}, not {left}: {reasons}." if left else f"{serving}: {reasons}."


def readable(cause: str | None) -> str:
    """The sentence inside a cause: Lambda and SageMaker wrap theirs in JSON."""
    wrapped = _parsed(cause)
    for key in ("errorMessage", "FailureReason", "Cause"):
        if inner := _at(wrapped, key):
            return readable(inner)
    text = " ".join((cause or "no cause given").split())
    return text if len(text) <= CAUSE_CHARACTERS else f"{text[: CAUSE_CHARACTERS - 1]}…"


def _parsed(text: str | None) -> Any:
    try:
        return json.loads(text or "null")
    except ValueError:
        return None


def _at(value: Any, *path: str) -> str | None:
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    return None if value is None or isinstance(value, Mapping) else str(value)


def _clock(at: datetime) -> str:
    return f"{at.astimezone():%H:%M:%S}"
