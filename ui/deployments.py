"""The deploy workflow's executions: what is being tried, how others ended, and the way back."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from ui import aws
from ui.configuration import Configuration

ROLL_BACK: Final = "roll_back"
RUNNING, SUCCEEDED, FAILED = "RUNNING", "SUCCEEDED", "FAILED"
RECENT: Final = 10
_EVENTS: Final = 100
"""More than one look at a challenger leaves in a history, with all its retries."""
_TRIES: Final = 5
"""To roll back from one version: each has a name, and none is ever used twice."""


@dataclass(frozen=True)
class VariantResults:
    """What CheckCanary saw of one version.

    `requests`, `failures`, `latency_p95_ms` (`None` without an answer): of the last hour at most.
    `feedback`, `feedback_right`: answers that people judged since it began. `golden`,
    `golden_right`: photos that have to be known.
    """

    version: str
    requests: int
    failures: int
    latency_p95_ms: float | None
    feedback: int
    feedback_right: int
    golden: int
    golden_right: int


@dataclass(frozen=True)
class Check:
    """A look at both. `better`, `worse`: the odds so far that the challenger is, to 1; >= 0."""

    verdict: str
    reasons: tuple[str, ...]
    checked_at: datetime
    next_at: datetime
    champion: VariantResults
    challenger: VariantResults
    better: float
    worse: float


@dataclass(frozen=True)
class Trial:
    """A challenger in the traffic. `check`: the last look at it, `None` before the first."""

    execution_arn: str
    version: str
    strategy: str
    ends_at: datetime
    reason: str
    check: Check | None


@dataclass(frozen=True)
class Deployment:
    """An execution of the deploy workflow; what it did not say is `None`.

    `status`: Step Functions' own. `asked_version`: to be deployed, or left by a rollback.
    `outcome`: of `promotion.MoveOutcome`, or `not_deployed`. `version` serves after it,
    `moved_version` came or went, `previous_version` served before. `why`: a sentence each.
    """

    execution_arn: str
    status: str
    started_at: datetime
    ended_at: datetime | None
    strategy: str | None
    asked_version: str | None
    asked_reason: str | None
    outcome: str | None
    version: str | None
    moved_version: str | None
    previous_version: str | None
    why: tuple[str, ...]

    @property
    def is_rollback(self) -> bool:
        """Whether it was asked to go back."""
        return self.strategy == ROLL_BACK


class Deployments:
    """The deploy workflow. All calls raise `aws.AwsError`."""

    def __init__(self, configuration: Configuration, stepfunctions: Any = None) -> None:
        """`stepfunctions`: a boto3 client; by default the one of `configuration`."""
        if configuration.deploy_machine is None:
            raise aws.AwsError(aws.NO_WORKFLOW)
        self._machine = configuration.deploy_machine
        self._stepfunctions = stepfunctions or aws.client(configuration, "stepfunctions")
        self._ended: dict[str, Deployment] = {}

    def recent(self) -> tuple[Deployment, ...]:
        """The last ones, the newest first; `RECENT` at most."""
        with aws.in_words():
            listed = self._stepfunctions.list_executions(
                stateMachineArn=self._machine, maxResults=RECENT
            )["executions"]
        found = tuple(
            self._ended.get(each["executionArn"]) or self.one(each["executionArn"])
            for each in listed
        )
        # Step Functions lists by when they ended; people look for when they began.
        found = tuple(sorted(found, key=lambda each: each.started_at, reverse=True))
        self._ended = {each.execution_arn: each for each in found if each.status != RUNNING}
        return found

    def one(self, execution_arn: str) -> Deployment:
        """One execution as it stands."""
        with aws.in_words():
            described = self._stepfunctions.describe_execution(executionArn=execution_arn)
        return _deployment(described)

    def trial(self, began_at: datetime) -> Trial | None:
        """The running deployment whose challenger came into the traffic at that moment."""
        with aws.in_words():
            running = self._stepfunctions.list_executions(
                stateMachineArn=self._machine, statusFilter=RUNNING, maxResults=RECENT
            )["executions"]
        for each in running:
            with aws.in_words():
                events = self._stepfunctions.get_execution_history(
                    executionArn=each["executionArn"], reverseOrder=True, maxResults=_EVENTS
                )["events"]
            state = _newest_state(events)
            with _sense():
                if state and _moment(state["shifted"]["began_at"]) == began_at:
                    return _trial(each["executionArn"], state)
        return None

    def roll_back(self, from_version: str, since: datetime, reason: str) -> str:
        """Leave `from_version`, which has served since `since`; the ARN of who does it.

        Asked for twice it is one execution; one that failed is followed by another.
        """
        asked = json.dumps(
            {
                "strategy": ROLL_BACK,
                "from_version": from_version,
                "reason": reason,
                "source": "ui",
            }
        )
        name = f"roll-back-from-{from_version}-{since:%Y%m%dT%H%M%S%f}"
        for attempt in range(1, _TRIES + 1):
            arn = self._started(f"{name}-{attempt}", asked)
            if self.one(arn).status in {RUNNING, SUCCEEDED}:
                return arn
        raise aws.AwsError(
            f"Going back from version {from_version} has failed {_TRIES} times. The last "
            "deployments say why; `make rollback` tries again."
        )

    def deploy(self, name: str, asked: Mapping[str, Any]) -> str:
        """Deploy a version; asked for twice under one name, it is done once. Gives the ARN.

        `asked`: the workflow's input, as docs/deployment.md has it.
        """
        return self._started(name, json.dumps({**asked, "source": "ui"}))

    def _started(self, name: str, asked: str) -> str:
        """The ARN of the execution of that name, started now or before."""
        known = f"{self._machine.replace(':stateMachine:', ':execution:', 1)}:{name}"
        with aws.in_words():
            try:
                started = self._stepfunctions.start_execution(
                    stateMachineArn=self._machine, name=name, input=asked
                )
            except self._stepfunctions.exceptions.ExecutionAlreadyExists:
                return known
        return str(started["executionArn"])


def _deployment(described: Mapping[str, Any]) -> Deployment:
    asked, said = _object(described.get("input")), _object(described.get("output"))
    result = said.get("result") or {}
    strategy = (said.get("staged") or {}).get("strategy") or asked.get("strategy")
    ended_at = described.get("stopDate")
    is_rollback = asked.get("strategy") == ROLL_BACK
    return Deployment(
        execution_arn=str(described["executionArn"]),
        status=str(described["status"]),
        started_at=described["startDate"].astimezone(UTC),
        ended_at=ended_at.astimezone(UTC) if ended_at else None,
        strategy=_text(strategy),
        asked_version=_text(asked.get("from_version" if is_rollback else "version")),
        asked_reason=_text(asked.get("reason")),
        outcome=_text(result.get("outcome")),
        version=_text(result.get("version")),
        moved_version=_text(result.get("moved_version")),
        previous_version=_text(result.get("previous_version")),
        why=_why(described, said, result),
    )


def _why(
    described: Mapping[str, Any], said: Mapping[str, Any], result: Mapping[str, Any]
) -> tuple[str, ...]:
    if reasons := result.get("reasons"):
        return tuple(str(reason) for reason in reasons)
    error = said.get("error") or {"Error": described.get("error"), "Cause": described.get("cause")}
    words = _message(error.get("Cause")) or _text(error.get("Error"))
    return (words,) if words else ()


def _message(cause: object) -> str | None:
    """What a person can read of a cause: Lambda's is JSON with a stack trace."""
    text = _text(cause)
    return _text(_object(text).get("errorMessage")) or text


def _newest_state(events: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The state's data when it was last left, if traffic has been shifted by then."""
    for event in events:
        state = _object(event.get("stateExitedEventDetails", {}).get("output"))
        if "shifted" in state:
            return state
    return None


def _trial(arn: str, state: Mapping[str, Any]) -> Trial:
    staged, shifted, check = state["staged"], state["shifted"], state.get("check")
    began_at = _moment(shifted["began_at"])
    return Trial(
        execution_arn=arn,
        version=str(shifted["challenger_version"]),
        strategy=str(staged["strategy"]),
        ends_at=began_at + timedelta(seconds=float(staged["bake_seconds"])),
        reason=str(staged["reason"]),
        check=None if check is None else _check(check),
    )


def _check(check: Mapping[str, Any]) -> Check:
    checked_at = _moment(check["checked_at"])
    return Check(
        verdict=str(check["verdict"]),
        reasons=tuple(str(reason) for reason in check["reasons"]),
        checked_at=checked_at,
        next_at=checked_at + timedelta(seconds=float(check["wait_seconds"])),
        champion=VariantResults(**check["champion"]),
        challenger=VariantResults(**check["challenger"]),
        better=float(check["test"]["better"]),
        worse=float(check["test"]["worse"]),
    )


@contextmanager
def _sense() -> Iterator[None]:
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise aws.AwsError("The deploy workflow said something that makes no sense.") from error


def _object(text: object) -> dict[str, Any]:
    """A JSON object; empty if it is none, since people may start the workflow with anything."""
    try:
        found = json.loads(text) if isinstance(text, str) else None
    except ValueError:
        found = None
    return found if isinstance(found, dict) else {}


def _text(value: object) -> str | None:
    return str(value) if isinstance(value, (str, int)) and str(value) else None


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
