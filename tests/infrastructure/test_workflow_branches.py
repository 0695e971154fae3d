"""Every way out of every state is taken by some run: nothing is deployed that was never tried."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import pytest

from tests.infrastructure import asl_simulator, workflows
from tests.infrastructure.asl_explorer import explore
from tests.infrastructure.asl_simulator import Run
from tests.infrastructure.template_reading import Template
from tests.infrastructure.workflow_answers import (
    GOLDEN_WRONG,
    PLANNED,
    REPORT_DUE,
    REPORT_NOT_PREPARED,
    RESULTS,
    ROLLED_BACK,
    UNCHANGED,
    checked,
    deployed,
    evaluated,
    staged,
    summarized,
)
from tests.infrastructure.workflows import NAMES

VERSION = {"version": "3"}
INPUTS: Mapping[str, Sequence[Mapping[str, Any]]] = {
    "train": [{}],
    "deploy": [VERSION, {**VERSION, "source": "train"}, {"strategy": "roll_back"}],
    "monitor": [{}],
    "batch": [{"source": "s3://lake/photos/"}],
}
TURNED_AWAY = {**RESULTS["AcquireLease"], "acquired": False}
ANSWERS: Mapping[str, Sequence[Mapping[str, Any]]] = {
    "AcquireLease": [
        {**TURNED_AWAY, "outcome": "already_running"},
        {**TURNED_AWAY, "outcome": "capped"},
    ],
    "EvaluateCandidate": [evaluated("trained"), evaluated("trained", accuracy=0.5)],
    "DeployModel": [deployed(ROLLED_BACK), deployed({"outcome": "not_deployed"})],
    "StageVariant": [staged(VERSION, serving=None)],
    "ScoreGoldenPhotos": [GOLDEN_WRONG],
    "CheckCanary": [checked("wait"), checked("roll_back")],
    "RollBack": [UNCHANGED],
    "CollectWindow": [REPORT_DUE, REPORT_NOT_PREPARED],
    "PlanBatch": [
        {**PLANNED, "planned": False, "anything_to_score": False},
        {**PLANNED, "anything_to_score": False},
    ],
    "SummarizeBatch": [summarized("00000001")],
}
"""What a task may answer beside the usual success, where the workflow heeds it."""


Explored = Mapping[str, tuple[Mapping[str, Any], Sequence[Run]]]


@pytest.fixture(scope="module")
def explored(aws_template: Template) -> Explored:
    """Every definition, and runs of it that find nothing new any more."""
    machines = {name: workflows.definition(aws_template, name) for name in NAMES}
    return {name: (machine, runs_of(name, machine)) for name, machine in machines.items()}


def runs_of(name: str, machine: Mapping[str, Any]) -> list[Run]:
    return list(explore(machine, INPUTS[name], ANSWERS, partial(workflows.play, machine)))


@pytest.mark.parametrize("name", NAMES)
def test_every_way_out_of_every_state_is_taken(explored: Explored, name: str) -> None:
    machine, runs = explored[name]

    taken = {way for run in runs for way in run.taken}

    assert sorted(asl_simulator.branches(machine) - taken) == []


def test_a_way_that_no_run_takes_is_found(aws_template: Template) -> None:
    machine = workflows.definition(aws_template, "monitor")
    due = machine["States"]["ReportDue?"]["Choices"]
    due.append({**due[0], "Next": "Succeeded"})

    taken = {way for run in runs_of("monitor", machine) for way in run.taken}

    assert asl_simulator.branches(machine) - taken == {"ReportDue?: Choices[2]"}


@pytest.mark.parametrize("name", NAMES)
def test_whatever_failed_is_what_operators_are_told(explored: Explored, name: str) -> None:
    _, runs = explored[name]

    failed = [run for run in runs if run.visited[-1] == "Failed"]

    assert failed
    for run in failed:
        assert run.visited[-2] == "NotifyOperators"
        assert f" {run.error}: " in run.parameters["NotifyOperators"]["Message"]


def test_a_training_that_began_gives_its_lease_back_however_it_ends(explored: Explored) -> None:
    _, runs = explored["train"]

    begun = [run for run in runs if "SnapshotDataset" in run.visited]

    assert begun
    assert all(any(name.startswith("ReleaseLease") for name in run.visited) for run in begun)


def test_a_deployment_that_touched_the_traffic_ends_it_however_it_ends(explored: Explored) -> None:
    _, runs = explored["deploy"]

    shifted = [run for run in runs if "AnnounceChallenger" in run.visited]

    ending = {"Promote", "RollBack", "WithdrawChallenger"}
    assert shifted
    assert all(ending & set(run.visited) for run in shifted)
