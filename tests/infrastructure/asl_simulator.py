"""Runs a state machine's definition with made-up task results, strictly.

Every JSONPath must resolve, as on AWS, and a task sees its parameters as AWS would build them.
It knows the part of the Amazon States Language that our definitions use, and refuses the rest.
"""

import copy
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Json = Any
TaskResult = Callable[[str, Json], Json]
"""Gives the result of a task by its state's name and its parameters; may raise `TaskFailure`."""

_STEP_LIMIT = 50
_STRING_TO_JSON = re.compile(r"States\.StringToJson\('(?P<text>[^']*)'\)")
_FORMAT = re.compile(r"States\.Format\('(?P<text>[^']*)', (?P<paths>.*)\)")


class TaskFailure(Exception):  # noqa: N818 - the specification's own word
    """A task ended with an error name and a cause."""

    def __init__(self, error: str, cause: str = "because") -> None:
        super().__init__(error, cause)
        self.error = error
        self.cause = cause


@dataclass
class Run:
    """What an execution did."""

    visited: list[str] = field(default_factory=list)
    parameters: dict[str, Json] = field(default_factory=dict)
    output: Json = None
    error: str | None = None


def load(path: Path, substitutions: Mapping[str, str]) -> dict[str, Any]:
    """A definition with its `${...}` filled in, as CloudFormation does it."""
    text = path.read_text()
    for name, value in substitutions.items():
        text = text.replace(f"${{{name}}}", value)
    definition: dict[str, Any] = json.loads(text)
    return definition


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
        match state["Type"]:
            case "Succeed":
                self.done.output = data
                return None, data
            case "Fail":
                self.done.error = _resolve(state["ErrorPath"], data, self._context)
                _resolve(state["CausePath"], data, self._context)
                return None, data
            case "Pass":
                made = (
                    state["Result"]
                    if "Result" in state
                    else _build(state["Parameters"], data, self._context)
                )
                return state["Next"], _put(data, state["ResultPath"], made)
            case "Choice":
                return _choose(state, data), data
            case "Wait":
                seconds = _resolve(state["SecondsPath"], data, self._context)
                assert isinstance(seconds, int), seconds
                assert seconds > 0, name
                return state["Next"], data
            case "Task":
                return self._task(name, state, data)
            case unknown:
                raise NotImplementedError(unknown)

    def _task(self, name: str, state: Mapping[str, Any], data: Json) -> tuple[str, Json]:
        parameters = _build(state["Parameters"], data, self._context)
        self.done.parameters[name] = parameters
        try:
            result = self._result_of(name, parameters)
        except TaskFailure as failure:
            error = {"Error": failure.error, "Cause": failure.cause}
            for catcher in state["Catch"]:
                if failure.error in catcher["ErrorEquals"] or _catches_all(catcher, failure):
                    return catcher["Next"], _put(data, catcher["ResultPath"], error)
            raise AssertionError(f"{name} does not catch {failure.error}") from failure
        if "ResultSelector" in state:
            result = _build(state["ResultSelector"], result, self._context)
        return state["Next"], _put(data, state["ResultPath"], result)


def _catches_all(catcher: Mapping[str, Any], failure: TaskFailure) -> bool:
    beyond = {"States.DataLimitExceeded", "States.Runtime"}
    return catcher["ErrorEquals"] == ["States.ALL"] and failure.error not in beyond


def _choose(state: Mapping[str, Any], data: Json) -> str:
    for rule in state["Choices"]:
        if _holds(rule, data):
            return str(rule["Next"])
    return str(state["Default"])


def _holds(rule: Mapping[str, Any], data: Json) -> bool:
    if "And" in rule:
        return all(_holds(part, data) for part in rule["And"])
    if "IsPresent" in rule:
        try:
            _resolve(rule["Variable"], data, {})
        except KeyError:
            return not rule["IsPresent"]
        return bool(rule["IsPresent"])
    value = _resolve(rule["Variable"], data, {})
    if "BooleanEquals" in rule:
        return bool(value == rule["BooleanEquals"])
    if "StringEquals" in rule:
        return isinstance(value, str) and value == rule["StringEquals"]
    if "IsString" in rule:
        return isinstance(value, str) == bool(rule["IsString"])
    raise NotImplementedError(str(rule))


def _build(template: Json, data: Json, context: Json) -> Json:
    """A payload template with its `.$` keys resolved."""
    if isinstance(template, dict):
        return {
            key.removesuffix(".$"): (
                _resolve(value, data, context)
                if key.endswith(".$")
                else _build(value, data, context)
            )
            for key, value in template.items()
        }
    if isinstance(template, list):
        return [_build(element, data, context) for element in template]
    return template


def _resolve(expression: str, data: Json, context: Json) -> Json:
    if found := _STRING_TO_JSON.fullmatch(expression):
        return json.loads(found["text"])
    if found := _FORMAT.fullmatch(expression):
        values = [_resolve(path, data, context) for path in found["paths"].split(", ")]
        assert found["text"].count("{}") == len(values), expression
        return found["text"].format(*values)
    root, path = (
        (context, expression[2:]) if expression.startswith("$$") else (data, expression[1:])
    )
    if not re.fullmatch(r"(\.\w+)*", path):
        raise NotImplementedError(expression)
    for part in path.split(".")[1:]:
        root = root[part]  # a KeyError here is AWS's States.Runtime: the execution dies
    return copy.deepcopy(root)


def _put(data: Json, path: str | None, value: Json) -> Json:
    if path is None:
        return data
    if path == "$":
        return value
    assert re.fullmatch(r"\$\.\w+", path), path
    return {**data, path[2:]: value}
