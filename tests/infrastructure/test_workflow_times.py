"""How long the workflows wait for each other, and that AWS's limits leave them the time."""

import math
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from areyouacat.predictions import PredictionItem
from areyouacat.serving_pointer import Strategy
from areyouacat.settings import MAX_BAKE_SECONDS
from infra_cdk.targets import TARGETS
from lambdas.pipeline.logic.canary import Trial, check
from tests.infrastructure import workflows
from tests.infrastructure.template_reading import Template
from tests.infrastructure.workflow_answers import staged
from tests.infrastructure.workflows import tasks

CANARY = {"version": "3"}
LOOK = ["CheckCanary", "Verdict?", "WaitForEvidence"]
EVENTS = {"Task": 5, "Choice": 2, "Wait": 2}
"""What a state leaves in an execution's history when nothing goes wrong: entered, scheduled,
started, succeeded, exited."""
EVENTS_OF_A_RETRY = 3  # scheduled, started, failed
MOST_EVENTS = 25_000  # AWS's own limit, and so is the next
LONGEST_WAIT_SECONDS = 99_999_999


def longest_wait(machine: Mapping[str, Any], state: str, error: str) -> float:
    """How long a task is tried again after an error that stays, in seconds."""
    (retry,) = (
        retry for retry in machine["States"][state]["Retry"] if retry["ErrorEquals"] == [error]
    )
    assert retry["BackoffRate"] == 1
    return float(retry["IntervalSeconds"] * retry["MaxAttempts"])


@pytest.mark.parametrize("state", ["ShiftTraffic", "Promote"])
def test_a_second_deployment_waits_longer_than_a_canary_takes(
    aws_template: Template, state: str
) -> None:
    machine = workflows.definition(aws_template, "deploy")

    bakes = [target.canary_bake_seconds for target in TARGETS.values()]
    assert longest_wait(machine, state, "DeploymentInProgressError") > max(bakes) + max(
        task["TimeoutSeconds"] for task in tasks(machine).values()
    )


def test_training_waits_for_another_canary_and_for_its_own(aws_template: Template) -> None:
    deploy = workflows.definition(aws_template, "deploy")
    waiting = workflows.definition(aws_template, "train")["States"]["DeployModel"]

    around = sum(
        task["TimeoutSeconds"] for name, task in tasks(deploy).items() if name != "NotifyOperators"
    )
    for target in TARGETS.values():
        assert waiting["TimeoutSeconds"] > (
            longest_wait(deploy, "ShiftTraffic", "DeploymentInProgressError")
            + target.canary_bake_seconds
            + around
        )


def test_training_itself_outlasts_its_deployment_and_its_job(aws_template: Template) -> None:
    train = workflows.definition(aws_template, "train")

    assert train["TimeoutSeconds"] > sum(task["TimeoutSeconds"] for task in tasks(train).values())


def test_a_deployment_outlasts_the_longest_bake_and_the_wait_for_another(
    aws_template: Template,
) -> None:
    deploy = workflows.definition(aws_template, "deploy")

    waits = longest_wait(deploy, "ShiftTraffic", "DeploymentInProgressError")
    assert deploy["TimeoutSeconds"] > MAX_BAKE_SECONDS + waits


class NoPredictions:
    """A table in which nothing was predicted."""

    def predicted_between(self, start: datetime, end: datetime) -> Iterable[PredictionItem]:
        del start, end
        return []

    def labelled_between(self, start: datetime, end: datetime) -> Iterable[PredictionItem]:
        del start, end
        return []


@pytest.mark.parametrize("bake_seconds", [1, 30, 1800, MAX_BAKE_SECONDS])
@pytest.mark.parametrize("check_seconds", [1, 60, 3600])
@pytest.mark.parametrize("share_gone", [0.0, 0.5, 0.9999, 1.0, 2.0])
def test_a_wait_is_neither_nothing_nor_longer_than_the_bake_or_aws_allows(
    bake_seconds: int, check_seconds: int, share_gone: float
) -> None:
    began = datetime(2026, 1, 1, tzinfo=UTC)
    asked = {**CANARY, "bake_seconds": bake_seconds, "check_seconds": check_seconds}
    chosen = staged(asked)["check_seconds"]
    gone = bake_seconds * share_gone
    trial = Trial("arn", Strategy.CANARY, "2", "3", began, bake_seconds, chosen, 50, 50)

    wait = check(NoPredictions(), None, trial, began + timedelta(seconds=gone)).wait_seconds

    assert isinstance(wait, int)
    assert 1 <= wait <= min(chosen, max(1, bake_seconds - gone + 1), LONGEST_WAIT_SECONDS)


@pytest.mark.parametrize("strategy", ["canary", "ab_test"])
@pytest.mark.parametrize("bake_seconds", [None, 30, MAX_BAKE_SECONDS])
def test_the_longest_deployment_fits_into_an_executions_history(
    aws_template: Template, strategy: str, bake_seconds: int | None
) -> None:
    states = workflows.definition(aws_template, "deploy")["States"]
    asked = {**CANARY, "strategy": strategy, "bake_seconds": bake_seconds, "check_seconds": 1}

    plan = staged(asked)
    looks = math.ceil(plan["bake_seconds"] / plan["check_seconds"])
    of_a_look = sum(EVENTS[states[name]["Type"]] for name in LOOK)
    # As if every state were passed, every task tried again as often as it may be, and every
    # second look tried twice.
    beside = sum(EVENTS.get(state["Type"], 2) for state in states.values())
    retries = sum(
        retry["MaxAttempts"] for state in states.values() for retry in state.get("Retry", [])
    )
    again = EVENTS_OF_A_RETRY * (retries + looks / 2)
    assert looks * of_a_look + beside + again < MOST_EVENTS
