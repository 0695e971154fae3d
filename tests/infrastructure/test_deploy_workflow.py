"""Every way through the deploy workflow."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from lambdas.pipeline.handlers.roll_back import RollBackRequest
from tests.infrastructure import workflows
from tests.infrastructure.asl_simulator import TaskFailure
from tests.infrastructure.template_reading import Template
from tests.infrastructure.workflow_answers import (
    GOLDEN_WRONG,
    RESULTS,
    ROLLED_BACK,
    UNCHANGED,
    checked,
    staged,
)
from tests.infrastructure.workflows import simulate

CANARY = {"version": "3", "reason": "looks good"}
EXECUTION = "arn:aws:states:eu-west-1:111111111111:execution:machine:name"
UNTIL_SHIFT = [
    "RollBackAsked?",
    "StageVariant",
    "AllAtOnce?",
    "ScoreGoldenPhotos",
    "GoldenPhotosRight?",
    "ShiftTraffic",
]
LOOK = ["CheckCanary", "Verdict?"]
FOR_GOOD = ["States.Timeout", "States.DataLimitExceeded", "Lambda.Unknown"]
IN_THE_WAY = ["DeploymentInProgressError", "AbTestInProgressError"]


def cause(message: str) -> str:
    """What Lambda makes of an exception."""
    return json.dumps({"errorMessage": message, "errorType": "X", "stackTrace": []})


def test_the_first_version_of_all_takes_all_traffic_at_once(aws_template: Template) -> None:
    first = staged(CANARY, serving=None)

    run = simulate(aws_template, "deploy", CANARY, {"StageVariant": first})

    assert run.visited == [
        "RollBackAsked?",
        "StageVariant",
        "AllAtOnce?",
        "Promote",
        "MoveAlias",
        "Promoted?",
        "Succeeded",
    ]
    assert run.parameters["Promote"]["Payload"]["deployed"]["staged"] == first
    assert "result" in run.parameters["MoveAlias"]["Payload"]["deployed"]


def test_all_at_once_asks_no_caller_and_no_photo(aws_template: Template) -> None:
    run = simulate(aws_template, "deploy", {**CANARY, "strategy": "all_at_once"})

    assert run.visited[2:4] == ["AllAtOnce?", "Promote"]
    assert run.visited[-1] == "Succeeded"


@pytest.mark.parametrize("strategy", [None, "canary", "ab_test"])
def test_a_challenger_is_looked_at_until_it_is_promoted(
    aws_template: Template, strategy: str | None
) -> None:
    asked = {**CANARY, "strategy": strategy} if strategy else CANARY
    verdicts: list[workflows.Answer] = [
        checked("wait", wait_seconds=60),
        checked("wait", wait_seconds=1),
        checked("promote", "as good as the champion"),
    ]

    run = simulate(aws_template, "deploy", asked, {"CheckCanary": verdicts})

    again = [*LOOK, "WaitForEvidence"]
    assert run.visited == [
        *UNTIL_SHIFT,
        "AnnounceChallenger",
        *again,
        *again,
        *LOOK,
        "Promote",
        "MoveAlias",
        "Promoted?",
        "Succeeded",
    ]
    assert run.output["staged"]["strategy"] == (strategy or "canary")
    assert run.parameters["Promote"]["Payload"]["deployed"]["check"]["reasons"] == [
        "as good as the champion"
    ]
    assert run.output["alias"] == RESULTS["MoveAlias"]


def test_who_asks_is_told_to_those_who_move_the_pointer(aws_template: Template) -> None:
    run = simulate(aws_template, "deploy", CANARY)

    for state in ("ShiftTraffic", "CheckCanary", "Promote"):
        assert run.parameters[state]["Payload"]["execution_arn"] == EXECUTION


def test_a_challenger_that_does_harm_is_rolled_back_and_the_registry_told(
    aws_template: Template,
) -> None:
    harm = checked("roll_back", "12 of 30 requests failed")

    run = simulate(aws_template, "deploy", CANARY, {"CheckCanary": [checked("wait"), harm]})

    assert run.visited[-6:] == [*LOOK, "RollBack", "MoveAlias", "Promoted?", "RolledBack"]
    assert "Promote" not in run.visited
    assert run.error is None
    assert run.output["result"] == ROLLED_BACK
    assert run.parameters["RollBack"]["Payload"]["asked"]["check"]["reasons"] == [
        "12 of 30 requests failed"
    ]


def test_a_challenger_that_fails_the_golden_photos_meets_no_caller(aws_template: Template) -> None:
    run = simulate(aws_template, "deploy", CANARY, {"ScoreGoldenPhotos": GOLDEN_WRONG})

    assert run.visited == [
        *UNTIL_SHIFT[:-1],
        "RollBack",
        "MoveAlias",
        "Promoted?",
        "RolledBack",
    ]
    assert run.parameters["RollBack"]["Payload"]["asked"]["golden"] == GOLDEN_WRONG


def test_a_challenger_that_was_taken_out_meanwhile_is_not_promoted_but_rolled_back(
    aws_template: Template,
) -> None:
    superseded = TaskFailure("DeploymentSupersededError", cause("somebody rolled back"))

    run = simulate(aws_template, "deploy", CANARY, {"Promote": superseded})

    assert run.visited[-5:] == ["Promote", "RollBack", "MoveAlias", "Promoted?", "RolledBack"]
    asked = RollBackRequest.model_validate(run.parameters["RollBack"]["Payload"]).asked
    assert asked.reasons() == ["DeploymentSupersededError: somebody rolled back"]


def test_a_version_that_was_promoted_while_its_second_deployment_waited_is_a_success(
    aws_template: Template,
) -> None:
    run = simulate(
        aws_template,
        "deploy",
        CANARY,
        {"ShiftTraffic": TaskFailure("AlreadyServingError"), "Promote": UNCHANGED},
    )

    assert run.visited[-5:] == ["ShiftTraffic", "Promote", "MoveAlias", "Promoted?", "Succeeded"]
    assert run.error is None


@pytest.mark.parametrize("failing", ["ShiftTraffic", "Promote"])
@pytest.mark.parametrize("error", IN_THE_WAY)
def test_a_person_is_refused_while_another_deployment_has_the_traffic(
    aws_template: Template, failing: str, error: str
) -> None:
    failure = TaskFailure(error, cause("an A/B test has the traffic"))

    run = simulate(aws_template, "deploy", CANARY, {failing: failure})

    assert run.visited[-3:] == [failing, "StartedByTraining?", "Refused"]
    assert run.error == error


@pytest.mark.parametrize("failing", ["ShiftTraffic", "Promote"])
@pytest.mark.parametrize("error", IN_THE_WAY)
def test_a_training_leaves_its_version_for_later(
    aws_template: Template, failing: str, error: str
) -> None:
    asked = {**CANARY, "source": "train"}

    run = simulate(aws_template, "deploy", asked, {failing: TaskFailure(error)})

    assert run.visited[-4:] == [failing, "StartedByTraining?", "LeaveForLater", "NotDeployed"]
    assert run.error is None
    assert run.output["result"] == {"outcome": "not_deployed"}
    assert run.output["error"]["Error"] == error


@pytest.mark.parametrize("error", [*FOR_GOOD, "CorruptModelError"])
@pytest.mark.parametrize("failing", ["StageVariant", "ScoreGoldenPhotos"])
def test_what_fails_before_the_traffic_is_touched_is_told_and_leaves_it_alone(
    aws_template: Template, failing: str, error: str
) -> None:
    run = simulate(aws_template, "deploy", CANARY, {failing: TaskFailure(error)})

    assert run.visited[-3:] == [failing, "NotifyOperators", "Failed"]
    assert run.error == error
    assert error in run.parameters["NotifyOperators"]["Message"]
    assert not {"ShiftTraffic", "Promote", "MoveAlias"} & set(run.visited)


@pytest.mark.parametrize("error", [*FOR_GOOD, "StalePointerError"])
@pytest.mark.parametrize("failing", ["ShiftTraffic", "CheckCanary", "Promote"])
def test_what_fails_later_takes_the_challenger_out_and_is_told(
    aws_template: Template, failing: str, error: str
) -> None:
    run = simulate(aws_template, "deploy", CANARY, {failing: TaskFailure(error)})

    assert run.visited[-4:] == [failing, "WithdrawChallenger", "NotifyOperators", "Failed"]
    assert run.error == error
    assert error in run.parameters["NotifyOperators"]["Message"]
    withdrawn = run.parameters["WithdrawChallenger"]["Payload"]
    assert withdrawn["execution_arn"] == EXECUTION
    assert RollBackRequest.model_validate(withdrawn).asked.reasons() == [f"{error}: because"]


def test_a_task_that_took_too_long_has_no_cause_and_is_told_all_the_same(
    aws_template: Template,
) -> None:
    # AWS leaves the cause of a timeout empty.
    timeout = TaskFailure("States.Timeout", "")

    run = simulate(aws_template, "deploy", CANARY, {"CheckCanary": timeout})

    assert run.error == "States.Timeout"
    withdrawn = RollBackRequest.model_validate(run.parameters["WithdrawChallenger"]["Payload"])
    assert withdrawn.asked.reasons() == ["States.Timeout"]
    assert "States.Timeout" in run.parameters["NotifyOperators"]["Message"]


def test_nothing_that_may_follow_a_shift_gives_up_with_the_challenger_in_the_traffic(
    aws_template: Template,
) -> None:
    machine = workflows.definition(aws_template, "deploy")
    withdrawing = {"RollBack", "WithdrawChallenger"}

    reached: set[str] = set()
    ahead = ["ShiftTraffic"]
    while ahead:
        name = ahead.pop()
        if name not in reached | withdrawing:
            reached.add(name)
            ahead += _following(machine["States"][name])

    # The alias moves, and promoting has ended, only when the challenger has left or serves alone.
    assert "NotifyOperators" not in reached
    assert {"CheckCanary", "Promote", "WaitForEvidence"} <= reached


def _following(state: Mapping[str, Any]) -> list[str]:
    rules = (*state.get("Catch", []), *state.get("Choices", []))
    names = (state.get("Next"), state.get("Default"), *(rule["Next"] for rule in rules))
    return [name for name in names if name]


@pytest.mark.parametrize("error", FOR_GOOD)
def test_a_rollback_that_fails_is_told(aws_template: Template, error: str) -> None:
    run = simulate(
        aws_template,
        "deploy",
        CANARY,
        {"CheckCanary": checked("roll_back"), "RollBack": TaskFailure(error)},
    )

    assert run.visited[-3:] == ["RollBack", "NotifyOperators", "Failed"]
    assert run.error == error


@pytest.mark.parametrize("error", FOR_GOOD)
def test_no_failure_on_the_way_out_hides_the_first_one(aws_template: Template, error: str) -> None:
    run = simulate(
        aws_template,
        "deploy",
        CANARY,
        {
            "CheckCanary": TaskFailure("ClientError"),
            "WithdrawChallenger": TaskFailure(error),
            "NotifyOperators": TaskFailure(error),
        },
    )

    assert run.visited[-3:] == ["WithdrawChallenger", "NotifyOperators", "Failed"]
    assert run.error == "ClientError"
    assert "ClientError" in run.parameters["NotifyOperators"]["Message"]


@pytest.mark.parametrize("error", ["RegistryError", *FOR_GOOD])
def test_a_registry_that_is_down_stops_nothing(aws_template: Template, error: str) -> None:
    down = TaskFailure(error)

    run = simulate(aws_template, "deploy", CANARY, {"AnnounceChallenger": down, "MoveAlias": down})

    assert run.visited == [
        *UNTIL_SHIFT,
        "AnnounceChallenger",
        *LOOK,
        "Promote",
        "MoveAlias",
        "AliasStaysBehind",
        "Promoted?",
        "Succeeded",
    ]
    assert run.output["alias"] == {"moved": False}


@pytest.mark.parametrize("registry_down", [False, True])
@pytest.mark.parametrize(
    "asked",
    [
        {"strategy": "roll_back"},
        {"strategy": "roll_back", "from_version": 3, "reason": "it says cat to everything"},
        {"strategy": "roll_back", "challenger_only": True, "source": "alarm"},
        {"strategy": "roll_back", "deployment": EXECUTION, "source": "abandoned"},
    ],
)
def test_the_way_back_needs_no_version_and_no_registry(
    aws_template: Template, asked: dict[str, Any], registry_down: bool
) -> None:
    changed = {"MoveAlias": TaskFailure("RegistryError")} if registry_down else {}

    run = simulate(aws_template, "deploy", asked, changed)

    assert run.visited[:3] == ["RollBackAsked?", "RollBack", "MoveAlias"]
    assert run.visited[-2:] == ["Promoted?", "RolledBack"]
    assert ("AliasStaysBehind" in run.visited) is registry_down
    assert run.parameters["RollBack"]["Payload"]["asked"] == asked


def test_a_rollback_that_finds_nothing_to_leave_is_no_rollback(aws_template: Template) -> None:
    run = simulate(
        aws_template,
        "deploy",
        {"strategy": "roll_back", "from_version": "9"},
        {"RollBack": UNCHANGED},
    )

    assert run.visited[-2:] == ["Promoted?", "Succeeded"]
