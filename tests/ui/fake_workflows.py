# ruff: noqa: A002, N801, N803, N818 - the names are those of boto3
"""Step Functions, SageMaker and CloudWatch Logs as far as the Training page uses them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

ROOT = Path(__file__).resolve().parents[2]
MACHINES = {
    name: f"arn:aws:states:eu-west-1:123456789012:stateMachine:AreYouACat-{name}"
    for name in ("train", "deploy", "monitor")
}
START = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
JOB = "areyouacat-one"


def arn_of(name: str, machine: str = "train") -> str:
    return f"{MACHINES[machine].replace(':stateMachine:', ':execution:')}:{name}"


class Told:
    """A history; every event is 2 s after the one before."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []

    def add(self, kind: str, **details: Any) -> Told:
        at = START + timedelta(seconds=2 * len(self.events))
        self.events.append({"id": len(self.events) + 1, "type": kind, "timestamp": at, **details})
        return self

    def entered(self, name: str, kind: str = "Task") -> Told:
        return self.add(f"{kind}StateEntered", stateEnteredEventDetails={"name": name})

    def exited(self, name: str, kind: str = "Task", **output: Any) -> Told:
        details = {"name": name, "output": json.dumps(output)}
        return self.add(f"{kind}StateExited", stateExitedEventDetails=details)

    def passed(self, name: str, kind: str = "Task", **output: Any) -> Told:
        return self.entered(name, kind).exited(name, kind, **output)


def leased() -> Told:
    """A training that got the lease."""
    lease = {"acquired": True, "training_job_name": JOB, "reason": "more photos"}
    return Told().add("ExecutionStarted").passed("AcquireLease", lease=lease)


def train_output(**changes: Any) -> dict[str, Any]:
    """Of a training that ended well."""
    return {
        "lease": {"acquired": True, "reason": "more photos", "source": "manual"},
        "dataset": {"version": "0123abcd"},
        "evaluation": {
            "gate": {"passed": True, "applicable": True, "reason": "all 9 rules passed"}
        },
        "registration": {"version": "4"},
        "deployment": {"output": {"result": {"outcome": "promoted", "version": "4"}}},
        **changes,
    }


@dataclass
class FakeExecution:
    """As Step Functions keeps it."""

    name: str
    status: str = "SUCCEEDED"
    input: Any = field(default_factory=lambda: {"reason": "more photos"})
    output: Any = None
    history: Told = field(default_factory=Told)
    machine: str = "train"
    started: datetime = START
    cause: str | None = None

    @property
    def arn(self) -> str:
        return arn_of(self.name, self.machine)

    def described(self) -> dict[str, Any]:
        found = {
            "executionArn": self.arn,
            "name": self.name,
            "status": self.status,
            "startDate": self.started,
            "input": self.input if isinstance(self.input, str) else json.dumps(self.input),
        }
        if self.status != "RUNNING":
            found["stopDate"] = self.started + timedelta(seconds=151)
        if self.output is not None:
            found["output"] = json.dumps(self.output)
        if self.cause is not None:
            found |= {"error": "AnError", "cause": self.cause}
        return found


class ExecutionAlreadyExists(Exception):
    pass


class ResourceNotFoundException(Exception):
    pass


class FakeWorkflows:
    """All three services in one; `executions` are the oldest first.

    `broken`: whatever is asked, AWS refuses. `page`: executions and events in one answer at most.
    """

    class exceptions:
        ExecutionAlreadyExists = ExecutionAlreadyExists
        ResourceNotFoundException = ResourceNotFoundException
        ClientError = ClientError

    def __init__(self, *executions: FakeExecution) -> None:
        self.executions = list(executions)
        self.job: dict[str, Any] | None = None
        self.log: list[str] | None = None
        self.broken = False
        self.page = 1_000
        self.events_read = 0
        self.described: list[str] = []

    def _check(self) -> None:
        if self.broken:
            raise ClientError({"Error": {"Code": "AccessDeniedException"}}, "Any")

    def list_executions(
        self,
        stateMachineArn: str,
        maxResults: int,
        nextToken: str = "0",
        statusFilter: str | None = None,
    ) -> dict[str, Any]:
        self._check()
        newest = [
            each
            for each in reversed(self.executions)
            if MACHINES[each.machine] == stateMachineArn
            and (statusFilter is None or each.status == statusFilter)
        ]
        first, last = int(nextToken), int(nextToken) + min(maxResults, self.page)
        answer: dict[str, Any] = {
            "executions": [{"executionArn": each.arn} for each in newest[first:last]]
        }
        return answer | ({"nextToken": str(last)} if last < len(newest) else {})

    def describe_execution(self, executionArn: str) -> dict[str, Any]:
        self._check()
        self.described.append(executionArn)
        for each in self.executions:
            if each.arn == executionArn:
                return each.described()
        raise ClientError({"Error": {"Code": "ExecutionDoesNotExist"}}, "DescribeExecution")

    def get_execution_history(
        self,
        executionArn: str,
        maxResults: int,
        reverseOrder: bool,
        nextToken: str = "0",
    ) -> dict[str, Any]:
        self._check()
        assert reverseOrder
        told = next(x for x in self.executions if x.arn == executionArn).history.events
        events = list(reversed(told))
        first, last = int(nextToken), int(nextToken) + min(maxResults, self.page)
        answer: dict[str, Any] = {"events": events[first:last]}
        self.events_read += len(answer["events"])
        return answer | ({"nextToken": str(last)} if last < len(events) else {})

    def describe_state_machine_for_execution(self, executionArn: str) -> dict[str, Any]:
        self._check()
        name = next(each.machine for each in self.executions if each.arn == executionArn)
        return {"definition": (ROOT / "statemachine" / f"{name}.asl.json").read_text()}

    def start_execution(self, stateMachineArn: str, name: str, input: str) -> dict[str, Any]:
        self._check()
        machine = stateMachineArn.rpartition("-")[2]
        if any(each.name == name for each in self.executions):
            raise ExecutionAlreadyExists
        fresh = FakeExecution(name, "RUNNING", json.loads(input), machine=machine)
        self.executions.append(fresh)
        return {"executionArn": fresh.arn}

    def stop_execution(self, executionArn: str, error: str, cause: str) -> None:
        self._check()
        stopped = next(x for x in self.executions if x.arn == executionArn)
        if stopped.status != "RUNNING":
            raise ClientError({"Error": {"Code": "ValidationException"}}, "StopExecution")
        stopped.status, stopped.cause = "ABORTED", cause
        stopped.history.add("ExecutionAborted")
        assert error == "StoppedByHand"

    def describe_training_job(self, TrainingJobName: str) -> Mapping[str, Any]:
        self._check()
        if self.job is None:
            raise ClientError({"Error": {"Code": "ValidationException"}}, "DescribeTrainingJob")
        return {"TrainingJobName": TrainingJobName, **self.job}

    def describe_log_streams(self, logGroupName: str, logStreamNamePrefix: str) -> dict[str, Any]:
        self._check()
        assert logGroupName == "/aws/sagemaker/TrainingJobs"
        if self.log is None:
            raise ResourceNotFoundException
        return {"logStreams": [{"logStreamName": f"{logStreamNamePrefix}algo-1"}]}

    def get_log_events(self, **asked: Any) -> dict[str, Any]:
        assert asked["startFromHead"] is False
        assert self.log is not None
        return {"events": [{"message": line} for line in self.log[-asked["limit"] :]]}
