"""What happens in the cloud while the drill goes on: alarms and executions."""

import json
import threading
import time
from dataclasses import dataclass
from typing import Any, Final

from benchmarks.local_cloud import LocalCloud

_LOOK_SECONDS: Final = 0.5
_ALARM, _RUNNING = "ALARM", "RUNNING"


@dataclass(frozen=True, slots=True)
class Event:
    """Something to mark on the chart. `at`: `time.monotonic`."""

    at: float
    what: str


@dataclass(frozen=True, slots=True)
class Execution:
    """An execution of train that has ended. `trained`: whether it was given the lease."""

    arn: str
    status: str
    trained: bool
    output: dict[str, Any]


class Watch:
    """Notes alarms that fire and executions that begin and end, as they are seen."""

    def __init__(self, cloud: LocalCloud) -> None:
        """What stands now is not news."""
        self._cloudwatch = cloud.client("cloudwatch")
        self._workflows = cloud.client("stepfunctions")
        self._machines: dict[str, str] = cloud.endpoints()["state_machines"]
        self._topic = cloud.endpoints()["retrain_topic"]
        self._alarms = self._standing()
        self._seen = {arn: status for arn, status, _ in self._executions()}
        self._before = set(self._seen)
        self.events: list[Event] = []
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> "Watch":
        """Begin to look."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Look no more."""
        self._ended.set()
        self._thread.join()

    def note(self, what: str) -> float:
        """Mark something the drill itself does; when."""
        event = Event(time.monotonic(), what)
        self.events.append(event)
        return event.at

    def first(self, beginning: str, after: float) -> float | None:
        """When something first happened after a moment; None if it has not."""
        times = (e.at for e in self.events if e.what.startswith(beginning) and e.at >= after)
        return min(times, default=None)

    def train_executions(self) -> list[Execution]:
        """Those of train that began while this watch looked, and have ended."""
        found = []
        for arn, status, workflow in self._executions():
            if workflow == "train" and arn not in self._before and status != _RUNNING:
                output = self._output(arn)
                trained = bool(output.get("lease", {}).get("acquired"))
                found.append(Execution(arn, status, trained, output))
        return found

    def running(self) -> bool:
        """Whether an execution of train runs."""
        return any(
            workflow == "train" and status == _RUNNING for _, status, workflow in self._executions()
        )

    def _look(self) -> None:
        while not self._ended.wait(_LOOK_SECONDS):
            alarms = self._standing()
            for alarm in sorted(alarms - self._alarms):
                self.note(f"alarm {alarm}")
            for alarm in sorted(self._alarms - alarms):
                self.note(f"{alarm} is over")
            self._alarms = alarms
            for arn, status, workflow in self._executions():
                if self._seen.get(arn) == status:
                    continue
                if arn not in self._seen:
                    self.note(f"{workflow} starts")
                if status != _RUNNING:
                    self.note(f"{workflow} ends{self._turned_away(arn, workflow)}")
                self._seen[arn] = status

    def _turned_away(self, arn: str, workflow: str) -> str:
        if workflow != "train":
            return ""
        lease = self._output(arn).get("lease", {})
        return "" if lease.get("acquired", True) else f": {lease['outcome'].replace('_', ' ')}"

    def _output(self, arn: str) -> dict[str, Any]:
        described = self._workflows.describe_execution(executionArn=arn)
        output: dict[str, Any] = json.loads(described.get("output") or "{}")
        return output

    def _standing(self) -> set[str]:
        alarms = self._cloudwatch.describe_alarms()["MetricAlarms"]
        return {
            str(alarm["MetricName"])
            for alarm in alarms
            if alarm["StateValue"] == _ALARM and self._topic in alarm["AlarmActions"]
        }

    def _executions(self) -> list[tuple[str, str, str]]:
        return [
            (str(one["executionArn"]), str(one["status"]), workflow)
            for workflow in ("train", "deploy")
            for one in self._workflows.list_executions(
                stateMachineArn=self._machines[workflow], maxResults=20
            )["executions"]
        ]
