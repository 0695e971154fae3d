"""The definitions keep every rule of the Amazon States Language that its linter knows.

CloudFormation's linter finds little of this, and the emulator less.
"""

import json
from collections.abc import Callable
from typing import Any

import pytest
from statelint.config import Config
from statelint.linter import Linter
from statelint.problem import ProblemType

from tests.infrastructure import workflows
from tests.infrastructure.template_reading import Template
from tests.infrastructure.workflows import NAMES

# A BackoffRate of 2 is as good as one of 2.0: JSON has one kind of numbers.
NOT_OURS = {ProblemType.FLOAT}
# The specification leaves a ReaderConfig's fields to its reader; S3's needs this one.
UNKNOWN_TO_IT = 'Field "InputType" not allowed in'


def problems(machine: dict[str, Any]) -> list[str]:
    found: list[str] = Linter.validate(machine, Config(NOT_OURS))
    return [problem for problem in found if not problem.startswith(UNKNOWN_TO_IT)]


@pytest.mark.parametrize("name", NAMES)
def test_the_linter_finds_nothing(aws_template: Template, name: str) -> None:
    assert problems(workflows.definition(aws_template, name)) == []


@pytest.mark.parametrize(
    ("spoil", "found"),
    [
        (lambda state: state.update(Next="Nowhere"), 'No state found named "Nowhere"'),
        (lambda state: state["Catch"].reverse(), "States.ALL can only appear in the last element"),
        (lambda state: state.update(ResultPath="$.jobs[*]"), "should be a Reference Path"),
        (lambda state: state["Parameters"].update({"Tags.$": "States.Fmt($)"}), "intrinsic"),
        (lambda state: state["Retry"][0].update(MaxAttempts="3"), "should be an Integer"),
        (lambda state: state["Retry"][0].update(BackoffRate=0.5), "allowed floor is 1"),
        (lambda state: state["Retry"][1].update(JitterStrategy="SOME"), "allowed values"),
        (lambda state: state.update(TimeoutSecond=1), '"TimeoutSecond" not allowed'),
    ],
)
def test_what_aws_would_refuse_is_found(
    aws_template: Template, spoil: Callable[[dict[str, Any]], None], found: str
) -> None:
    machine = json.loads(json.dumps(workflows.definition(aws_template, "train")))

    spoil(machine["States"]["TrainModel"])

    assert any(found in problem for problem in problems(machine))
