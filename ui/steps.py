"""What an execution's history says of each state. Pure functions."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from areyouacat.execution_history import Event, readable

_FAILED: Final = ("Failed", "TimedOut", "StartFailed")
_ENDED: Final = ("ExecutionFailed", "ExecutionTimedOut", "ExecutionAborted")


class State(StrEnum):
    """Of a step; the values are what people read."""

    WAITING = "not yet"
    RUNNING = "running"
    DONE = "done"
    HANDLED = "failed, dealt with"
    FAILED = "failed"
    STOPPED = "stopped"


@dataclass(frozen=True)
class Step:
    """A state that was entered. `entered_at`: the first time; `seconds`: of all visits that ended.

    `since`: when the visit that is not over began. `failures`: attempts that failed, with the last
    one's error and cause. `child`: the ARN of the execution that it started.
    """

    name: str
    state: State
    entered_at: datetime
    since: datetime | None = None
    seconds: float = 0.0
    visits: int = 1
    failures: int = 0
    error: str | None = None
    cause: str | None = None
    child: str | None = None


@dataclass(frozen=True)
class Story:
    """An execution so far: its steps in the order in which they were entered first."""

    steps: tuple[Step, ...]
    training_job: str | None
    data: Mapping[str, Any] = field(default_factory=dict)
    """What the state that ended last handed on."""

    def step(self, name: str) -> Step | None:
        """The step of that name, if the execution came there."""
        return next((each for each in self.steps if each.name == name), None)


def story(events: Iterable[Event]) -> Story:
    """Of a history, the oldest event first."""
    steps: dict[str, Step] = {}
    current: str | None = None
    troubled = False
    job: str | None = None
    data: Mapping[str, Any] = {}
    for event in events:
        kind, at = str(event["type"]), event["timestamp"]
        if kind.endswith("StateEntered"):
            details = event["stateEnteredEventDetails"]
            current, troubled = str(details["name"]), False
            steps[current] = _entered(steps.get(current), current, at)
        elif kind.endswith("StateExited"):
            details = event["stateExitedEventDetails"]
            current = str(details["name"])
            steps[current] = _left(steps[current], at, troubled=troubled)
            output = _object(details.get("output"))
            data = output or data
            job = _at(output, "lease", "training_job_name") or job
            child = _at(output, "deployment", "execution_arn")
            if child and child not in {each.child for each in steps.values()}:
                steps[current] = replace(steps[current], child=child)
        elif kind in _ENDED:
            if current is not None and steps[current].since is not None:
                stopped = kind == "ExecutionAborted"
                steps[current] = replace(
                    _left(steps[current], at, troubled=False),
                    state=State.STOPPED if stopped else State.FAILED,
                )
        elif current is not None and kind.endswith(_FAILED):
            troubled = True
            steps[current] = _failed(steps[current], kind, event)
        elif current is not None and kind.endswith(("Scheduled", "Started", "Submitted")):
            troubled = False  # another attempt
            child = _child(event)
            steps[current] = replace(steps[current], child=child or steps[current].child)
    return Story(tuple(steps.values()), job, data)


def _entered(before: Step | None, name: str, at: datetime) -> Step:
    if before is None:
        return Step(name, State.RUNNING, at, since=at)
    return replace(before, state=State.RUNNING, since=at, visits=before.visits + 1)


def _left(step: Step, at: datetime, *, troubled: bool) -> Step:
    since = step.since or at
    return replace(
        step,
        state=State.HANDLED if troubled else State.DONE,
        since=None,
        seconds=step.seconds + (at - since).total_seconds(),
    )


def _failed(step: Step, kind: str, event: Event) -> Step:
    details: Mapping[str, Any] = next(
        (value for key, value in event.items() if key.endswith("Details")), {}
    )
    return replace(
        step,
        failures=step.failures + 1,
        error=str(details.get("error") or kind),
        cause=readable(details.get("cause")),
    )


def _child(event: Event) -> str | None:
    details = event.get("taskSubmittedEventDetails") or {}
    return _at(_object(details.get("output")), "ExecutionArn")


def _at(value: Any, *path: str) -> str | None:
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    return str(value) if value else None


def _object(text: object) -> Mapping[str, Any]:
    try:
        found = json.loads(text) if isinstance(text, str) else None
    except ValueError:
        found = None
    return found if isinstance(found, dict) else {}
