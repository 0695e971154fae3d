"""Executions of a workflow as the Training page sees them: found, told, started and stopped."""

from __future__ import annotations

import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

from botocore.exceptions import ClientError

from areyouacat.execution_history import Ending, outcome, readable
from ui import aws
from ui.configuration import Configuration
from ui.execution_events import Events
from ui.steps import Story, story

RUNNING, SUCCEEDED = "RUNNING", "SUCCEEDED"
STOPPED_BY_HAND: Final = "StoppedByHand"
_AT_ONCE: Final = 8  # executions that are described at the same time
_CHILDREN: Final = 20  # running executions among which a child is looked for
_PARENT: Final = "AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID"
_MANUAL: Final = "manual"


@dataclass(frozen=True)
class Rule:
    """One rule of the quality gate: what was measured, what was asked, and both in words."""

    name: str
    passed: bool
    value: float
    limit: float
    detail: str


@dataclass(frozen=True)
class Gate:
    """What the quality gate said of a candidate."""

    passed: bool
    applicable: bool
    reason: str
    rules: tuple[Rule, ...] = ()


@dataclass(frozen=True)
class Execution:
    """One of them; what it did not say is `None`.

    `status`: Step Functions' own. `input`, `output`: as they stand. `ending`: of a train execution
    that ended, `told`: how, in a sentence. `parent`: the ARN of the execution that started it.
    """

    arn: str
    name: str
    status: str
    started_at: datetime
    ended_at: datetime | None
    input: str
    output: str | None
    reason: str | None
    source: str | None
    dataset_version: str | None
    model_version: str | None
    gate: Gate | None
    ending: Ending | None
    told: str | None
    parent: str | None = None

    @property
    def is_running(self) -> bool:
        """Whether it is under way."""
        return self.status == RUNNING

    def seconds(self, now: datetime) -> float:
        """How long it took, or has taken by `now`."""
        return max(0.0, ((self.ended_at or now) - self.started_at).total_seconds())


class Executions:
    """The executions of state machines. All calls raise `aws.AwsError`."""

    def __init__(self, configuration: Configuration, stepfunctions: Any = None) -> None:
        """`stepfunctions`: a boto3 client; by default the one of `configuration`."""
        self._stepfunctions = stepfunctions or aws.client(configuration, "stepfunctions")
        self._ended: dict[str, Execution] = {}
        self._events = Events(self._stepfunctions)
        self._definitions: dict[str, Mapping[str, Any]] = {}

    def recent(self, machine: str, count: int) -> tuple[Execution, ...]:
        """The last `count` at most, the newest first."""
        found: list[str] = []
        more: dict[str, str] = {}
        with aws.in_words():
            while len(found) < count:
                page = self._stepfunctions.list_executions(
                    stateMachineArn=machine, maxResults=min(count - len(found), 1_000), **more
                )
                found += [str(each["executionArn"]) for each in page["executions"]]
                if not page.get("nextToken"):
                    break
                more = {"nextToken": page["nextToken"]}
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            described = list(pool.map(self.one, found))
        return tuple(sorted(described, key=lambda each: each.started_at, reverse=True))

    def one(self, arn: str) -> Execution:
        """One as it stands."""
        if arn not in self._ended:
            with aws.in_words():
                described = self._stepfunctions.describe_execution(executionArn=arn)
            found = execution(described)
            if found.is_running:
                return found
            self._ended[arn] = found
        return self._ended[arn]

    def story(self, one: Execution) -> Story:
        """What happened in it, state by state."""
        return story(self._events.of(one.arn, running=one.is_running))

    def child(self, machine: str, parent: str) -> str | None:
        """The ARN of the execution of `machine` that runs for another execution, if one does.

        AWS says so in the parent's history; MiniStack tells it only there.
        """
        with aws.in_words():
            page = self._stepfunctions.list_executions(
                stateMachineArn=machine, statusFilter=RUNNING, maxResults=_CHILDREN
            )
        running = (self.one(str(each["executionArn"])) for each in page["executions"])
        return next((each.arn for each in running if each.parent == parent), None)

    def definition(self, arn: str) -> Mapping[str, Any]:
        """The ASL that an execution runs by; its machine may have another one since."""
        if arn not in self._definitions:
            with aws.in_words():
                described = self._stepfunctions.describe_state_machine_for_execution(
                    executionArn=arn
                )
            self._definitions[arn] = _object(described.get("definition"))
        return self._definitions[arn]

    def start(self, machine: str, name: str, reason: str) -> str:
        """Start one; asked for twice with the same name, it starts once. Gives its ARN."""
        with aws.in_words():
            try:
                started = self._stepfunctions.start_execution(
                    stateMachineArn=machine, name=name, input=json.dumps({"reason": reason})
                )
            except self._stepfunctions.exceptions.ExecutionAlreadyExists:
                return f"{machine.replace(':stateMachine:', ':execution:')}:{name}"
        return str(started["executionArn"])

    def stop(self, arn: str, cause: str) -> None:
        """Stop one; one that has ended stays as it is."""
        with aws.in_words():
            try:
                self._stepfunctions.stop_execution(
                    executionArn=arn, error=STOPPED_BY_HAND, cause=cause
                )
            except ClientError as error:
                # MiniStack's answer for one that has ended meanwhile; AWS itself takes it.
                if error.response["Error"]["Code"] != "ValidationException":
                    raise


def execution(described: Mapping[str, Any]) -> Execution:
    """What `DescribeExecution` says, in the words of the train workflow where it is one."""
    asked, said = _object(described.get("input")), _object(described.get("output"))
    status, ended_at = str(described["status"]), described.get("stopDate")
    ending, told = _ended(described, said)
    found = Execution(
        arn=str(described["executionArn"]),
        name=str(described["name"]),
        status=status,
        started_at=described["startDate"].astimezone(UTC),
        ended_at=ended_at.astimezone(UTC) if ended_at else None,
        input=str(described.get("input") or "{}"),
        output=described.get("output"),
        reason=_text(asked.get("reason")),
        source=_text(asked.get("source")) or _MANUAL,
        dataset_version=None,
        model_version=None,
        gate=None,
        ending=ending,
        told=told,
        parent=_text(asked.get(_PARENT)),
    )
    return with_data(found, said)


def with_data(one: Execution, said: Mapping[str, Any]) -> Execution:
    """With what the workflow's data say: its output, or, before that, what a state handed on."""
    lease, gate = _part(said, "lease"), _part(said, "evaluation").get("gate")
    return replace(
        one,
        reason=_text(lease.get("reason")) or one.reason,
        source=_text(lease.get("source")) or one.source,
        dataset_version=_text(_part(said, "dataset").get("version")) or one.dataset_version,
        model_version=_text(_part(said, "registration").get("version")) or one.model_version,
        gate=_gate(gate) if isinstance(gate, Mapping) else one.gate,
    )


def _ended(
    described: Mapping[str, Any], said: Mapping[str, Any]
) -> tuple[Ending | None, str | None]:
    if described["status"] == RUNNING:
        return None, None
    if described["status"] == "ABORTED":
        return Ending.FAILED, f"Stopped by hand: {readable(described.get('cause'))}"
    found = outcome(described, _last_state(said).value)
    return found.ending, found.sentence[:1].upper() + found.sentence[1:]


def _last_state(said: Mapping[str, Any]) -> Ending:
    """Where a train execution ended, by what it gave; the history would say it, too."""
    lease, gate = _part(said, "lease"), _part(_part(said, "evaluation"), "gate")
    if lease.get("acquired") is False:
        holds = lease.get("outcome") == "already_running"
        return Ending.ALREADY_RUNNING if holds else Ending.TOO_SOON
    if gate.get("passed") is False:
        return Ending.REJECTED
    deployed = _part(_part(said, "deployment"), "output") or said
    moved = _part(deployed, "result").get("outcome")
    return {"rolled_back": Ending.ROLLED_BACK, "not_deployed": Ending.NOT_DEPLOYED}.get(
        str(moved), Ending.SUCCEEDED
    )


def _gate(gate: Mapping[str, Any]) -> Gate:
    return Gate(
        passed=bool(gate.get("passed")),
        applicable=bool(gate.get("applicable", True)),
        reason=str(gate.get("reason") or ""),
        rules=tuple(
            Rule(
                str(each["name"]),
                bool(each["passed"]),
                float(each["value"]),
                float(each["limit"]),
                str(each["detail"]),
            )
            for each in gate.get("rules", ())
        ),
    )


def _part(value: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = value.get(key)
    return found if isinstance(found, Mapping) else {}


def _object(text: object) -> Mapping[str, Any]:
    """A JSON object; empty if it is none, since people may start a workflow with anything."""
    try:
        found = json.loads(text) if isinstance(text, str) else None
    except ValueError:
        found = None
    return found if isinstance(found, dict) else {}


def _text(value: object) -> str | None:
    return str(value) if isinstance(value, (str, int)) and str(value) else None
