"""Runs a state machine's definition with made-up task results, strictly.

Every JSONPath must resolve, as on AWS, and a task sees its parameters as AWS would build them.
It knows the part of the Amazon States Language that our definitions use, and refuses the rest.
"""

import copy
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.infrastructure.asl_paths import Json, build, put, resolve

TaskResult = Callable[[str, Json], Json]
"""Gives the result of a task by its state's name and its parameters; may raise `TaskFailure`."""

LARGEST_PAYLOAD_BYTES = 256 * 1024
"""What Step Functions lets a state take or give: more ends in States.DataLimitExceeded."""
_STEP_LIMIT = 50


class TaskFailure(Exception):  # noqa: N818 - the specification's own word
    """A task ended with an error name and a cause."""

    def __init__(self, error: str, cause: str = "because") -> None:
        super().__init__(error, cause)
        self.error = error
        self.cause = cause


@dataclass
class Run:
    """What an execution did.

    `taken`: the ways out of states, as `branches` names them. `asked`: every task that was begun,
    with the fields that were known then. `largest_bytes`: of all that states took or gave.
    """

    visited: list[str] = field(default_factory=list)
    parameters: dict[str, Json] = field(default_factory=dict)
    taken: set[str] = field(default_factory=set)
    asked: list[tuple[str, frozenset[str]]] = field(default_factory=list)
    largest_bytes: int = 0
    output: Json = None
    error: str | None = None


def load(path: Path, substitutions: Mapping[str, str]) -> dict[str, Any]:
    """A definition with its `${...}` filled in, as CloudFormation does it."""
    text = path.read_text()
    for name, value in substitutions.items():
        text = text.replace(f"${{{name}}}", value)
    definition: dict[str, Any] = json.loads(text)
    return definition


def branches(definition: Mapping[str, Any]) -> set[str]:
    """Every way out of every state, such as `TrainModel: Catch[1]`; an end is one, too.

    A retry is a way of its own: that of a task that was tried again until nothing was left.
    """
    ways = set()
    for name, state in states_of(definition).items():
        for kind in ("Choices", "Retry", "Catch"):
            ways |= {f"{name}: {kind}[{number}]" for number in range(len(state.get(kind, [])))}
        ways |= {f"{name}: {kind}" for kind in ("Next", "Default") if kind in state}
        if state["Type"] in {"Succeed", "Fail"} or "End" in state:
            ways.add(f"{name}: end")
    return ways


def states_of(definition: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """All states by name, those of the children of a map included."""
    found: dict[str, dict[str, Any]] = {}
    for name, state in definition["States"].items():
        found[name] = state
        if state["Type"] == "Map":
            found |= states_of(state["ItemProcessor"])
    return found


def run(definition: Mapping[str, Any], execution_input: Json, result_of: TaskResult) -> Run:
    """Execute until a terminal state."""
    execution = _Execution(execution_input, result_of)
    name, data = definition["StartAt"], copy.deepcopy(execution_input)
    for _ in range(_STEP_LIMIT):
        following, data = execution.step(name, definition["States"][name], data)
        if following is None:
            return execution.done
        name = following
    raise AssertionError(f"still running after {_STEP_LIMIT} states: {execution.done.visited}")


class _Execution:
    def __init__(self, execution_input: Json, result_of: TaskResult) -> None:
        self.done = Run()
        self._result_of = result_of
        self._context = {
            "Execution": {
                "Id": "arn:aws:states:eu-west-1:111111111111:execution:machine:name",
                "Name": "name",
                "Input": execution_input,
            }
        }

    def step(self, name: str, state: Mapping[str, Any], data: Json) -> tuple[str | None, Json]:
        """The next state, None at the end, and its input."""
        self.done.visited.append(name)
        way, following, data = self._way_out(name, state, data)
        self.done.taken.add(f"{name}: {way}")
        self._measure(name, data)
        return following, data

    def _way_out(
        self, name: str, state: Mapping[str, Any], data: Json
    ) -> tuple[str, str | None, Json]:
        match state["Type"]:
            case "Succeed":
                self.done.output = data
                return "end", None, data
            case "Fail":
                self.done.error = resolve(state["ErrorPath"], data, self._context)
                cause = resolve(state["CausePath"], data, self._context)
                assert isinstance(cause, str), name
                return "end", None, data
            case "Pass":
                made = (
                    state["Result"]
                    if "Result" in state
                    else build(state["Parameters"], data, self._context)
                )
                return "Next", state["Next"], put(data, state["ResultPath"], made)
            case "Choice":
                return *_choose(state, data), data
            case "Wait":
                seconds = resolve(state["SecondsPath"], data, self._context)
                assert isinstance(seconds, int), seconds
                assert seconds > 0, name
                return "Next", state["Next"], data
            case "Task" | "Map":
                return (self._task if state["Type"] == "Task" else self._map)(name, state, data)
            case unknown:
                raise NotImplementedError(unknown)

    def _task(
        self, name: str, state: Mapping[str, Any], data: Json
    ) -> tuple[str, str | None, Json]:
        self.done.asked.append((name, frozenset(data)))
        parameters = build(state["Parameters"], data, self._context)
        self.done.parameters[name] = parameters
        self._measure(name, parameters)
        try:
            result = self._result_of(name, parameters)
        except TaskFailure as failure:
            return self._failed(name, state, data, failure)
        self._measure(name, result)
        if "ResultSelector" in state:
            result = build(state["ResultSelector"], result, self._context)
        data = put(data, state["ResultPath"], result)
        return ("end", None, data) if "End" in state else ("Next", state["Next"], data)

    def _map(self, name: str, state: Mapping[str, Any], data: Json) -> tuple[str, str | None, Json]:
        """One child stands for all; the map goes on whatever becomes of it, if it says so."""
        self.done.asked.append((name, frozenset(data)))
        for part in ("ItemReader", "ResultWriter"):
            self.done.parameters[f"{name}: {part}"] = build(
                state[part]["Parameters"], data, self._context
            )
        most = resolve(state["MaxConcurrencyPath"], data, self._context)
        assert isinstance(most, int), name
        assert most > 0, name
        try:
            item = self._result_of(name, self.done.parameters[f"{name}: ItemReader"])
        except TaskFailure as failure:
            return self._failed(name, state, data, failure)
        context = {**self._context, "Map": {"Item": {"Index": 0, "Value": item}}}
        try:
            self._child(state["ItemProcessor"], build(state["ItemSelector"], data, context))
        except TaskFailure:
            assert state["ToleratedFailurePercentage"] == 100, name
        return "Next", state["Next"], put(data, state["ResultPath"], [])

    def _child(self, processor: Mapping[str, Any], data: Json) -> None:
        following: str | None = processor["StartAt"]
        while following is not None:
            following, data = self.step(following, processor["States"][following], data)

    def _failed(
        self, name: str, state: Mapping[str, Any], data: Json, failure: TaskFailure
    ) -> tuple[str, str | None, Json]:
        """A failure stays, however often the task is tried again; then somebody catches it."""
        for number, retrier in enumerate(state["Retry"]):
            if _matches(retrier, failure.error):
                self.done.taken.add(f"{name}: Retry[{number}]")
                break
        error = {"Error": failure.error, "Cause": failure.cause}
        for number, catcher in enumerate(state.get("Catch", [])):
            if _matches(catcher, failure.error):
                caught = put(data, catcher["ResultPath"], error)
                return f"Catch[{number}]", catcher["Next"], caught
        if "Catch" not in state:  # a child's: it fails, and the map decides
            raise failure
        raise AssertionError(f"{name} does not catch {failure.error}") from failure

    def _measure(self, name: str, payload: Json) -> None:
        size = len(json.dumps(payload, ensure_ascii=False).encode())
        assert size <= LARGEST_PAYLOAD_BYTES, f"{name}: {size} bytes"
        self.done.largest_bytes = max(self.done.largest_bytes, size)


def _matches(rule: Mapping[str, Any], error: str) -> bool:
    """Whether a retrier or a catcher is meant by an error, its wildcards included."""
    names = rule["ErrorEquals"]
    if error in names:
        return True
    if error in {"States.DataLimitExceeded", "States.Runtime"}:
        return False
    return "States.ALL" in names or ("States.TaskFailed" in names and error != "States.Timeout")


def _choose(state: Mapping[str, Any], data: Json) -> tuple[str, str]:
    for number, rule in enumerate(state["Choices"]):
        if _holds(rule, data):
            return f"Choices[{number}]", str(rule["Next"])
    return "Default", str(state["Default"])


def _holds(rule: Mapping[str, Any], data: Json) -> bool:
    if "And" in rule:
        return all(_holds(part, data) for part in rule["And"])
    if "IsPresent" in rule:
        try:
            resolve(rule["Variable"], data, {})
        except KeyError:
            return not rule["IsPresent"]
        return bool(rule["IsPresent"])
    value = resolve(rule["Variable"], data, {})
    if "BooleanEquals" in rule:
        return bool(value == rule["BooleanEquals"])
    if "StringEquals" in rule:
        return isinstance(value, str) and value == rule["StringEquals"]
    if "IsString" in rule:
        return isinstance(value, str) == bool(rule["IsString"])
    raise NotImplementedError(str(rule))
