"""What AWS limits: sizes of definitions and of what states hand on, lengths of names, histories.

Source: "Step Functions service quotas", Step Functions developer guide; "Publish", SNS reference.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

import pytest

from areyouacat.lease import training_job_name
from areyouacat.metrics import ALL
from areyouacat.settings import GOLDEN
from tests.infrastructure import workflows
from tests.infrastructure.asl_simulator import LARGEST_PAYLOAD_BYTES, TaskFailure
from tests.infrastructure.template_reading import Template
from tests.infrastructure.workflow_answers import (
    GOLDEN_RIGHT,
    PLANNED,
    REPORT_DUE,
    RESULTS,
    checked,
    deployed,
    evaluated,
)
from tests.infrastructure.workflows import NAMES, Answer, simulate, tasks

MOST_DEFINITION_BYTES = 1024 * 1024
MOST_NAME_CHARACTERS = 80  # of a state machine, an execution and a state
MOST_CAUSE_CHARACTERS = 32_768
MOST_SUBJECT_CHARACTERS = 99

LONG = "long " * 200
"""As much as a person or an alarm gives for a reason."""
WORST = TaskFailure("Lambda.Unknown", "x" * MOST_CAUSE_CHARACTERS)
HASHES = [f"{number:064x}" for number in range(GOLDEN.tried)]
LARGE: Mapping[str, Mapping[str, Answer | list[Answer]]] = {
    "train": {
        "AcquireLease": {**RESULTS["AcquireLease"], "reason": LONG, "answers": [LONG] * 20},
        "EvaluateCandidate": {
            **evaluated("trained"),
            "metrics": {f"a_metric_of_the_gate_{number}": 1 / 3 for number in range(200)},
        },
        "DeployModel": deployed(
            {**RESULTS["Promote"], "reasons": [LONG] * 20, "wrong": HASHES, "also": WORST.cause}
        ),
        "ReleaseLease": WORST,
        "RecordFailure": WORST,
        "ReleaseLeaseAfterFailure": WORST,
        "NotifyOperators": WORST,
    },
    "deploy": {
        "ScoreGoldenPhotos": {**GOLDEN_RIGHT, "wrong": HASHES},
        "AnnounceChallenger": WORST,
        "CheckCanary": checked("promote", *[LONG] * 20),
        "Promote": WORST,
        "WithdrawChallenger": WORST,
        "NotifyOperators": WORST,
    },
    "monitor": {
        "CollectWindow": {
            **REPORT_DUE,
            "metrics": {metric.name: 1 / 3 for metric in ALL},
            "drift": {"features": {f"a_feature_{number}": 1 / 3 for number in range(200)}},
        },
        "DriftReport": WORST,
        "NotifyOperators": WORST,
    },
    "batch": {
        "PlanBatch": {**PLANNED, "batch_id": "x" * 80, "run_key": "x" * 1024},
        "SummarizeBatch": WORST,
        "NotifyOperators": WORST,
    },
}
"""Answers and failures larger than any that were seen, all in one run."""


@pytest.mark.parametrize("name", NAMES)
def test_much_more_than_was_ever_seen_fits_between_states(
    aws_template: Template, name: str
) -> None:
    asked = {"version": "3", "reason": LONG}

    run = simulate(aws_template, name, asked, LARGE[name])

    assert run.visited[-2:] == ["NotifyOperators", "Failed"]
    assert MOST_CAUSE_CHARACTERS < run.largest_bytes < LARGEST_PAYLOAD_BYTES


def test_what_does_not_fit_is_found(aws_template: Template) -> None:
    too_large = {**RESULTS["SnapshotDataset"], "counts": "x" * LARGEST_PAYLOAD_BYTES}

    with pytest.raises(AssertionError, match="SnapshotDataset: 26"):
        simulate(aws_template, "train", {}, {"SnapshotDataset": too_large})


@pytest.mark.parametrize("name", NAMES)
def test_definitions_and_names_are_as_long_as_aws_allows(aws_template: Template, name: str) -> None:
    machine = workflows.definition(aws_template, name)
    own_name = workflows.machine_resource(aws_template, name)["StateMachineName"]

    assert len(json.dumps(machine, indent=2).encode()) < MOST_DEFINITION_BYTES
    assert all(len(state) <= MOST_NAME_CHARACTERS for state in machine["States"])
    assert re.fullmatch(rf"[A-Za-z0-9_-]{{1,{MOST_NAME_CHARACTERS}}}", own_name)


@pytest.mark.parametrize(
    "execution",
    ["x" * MOST_NAME_CHARACTERS, "_" * MOST_NAME_CHARACTERS, "ä-" * (MOST_NAME_CHARACTERS // 2)],
)
def test_every_execution_has_a_training_job_that_sagemaker_takes(
    aws_template: Template, execution: str
) -> None:
    lease = {**RESULTS["AcquireLease"], "training_job_name": training_job_name(execution)}

    run = simulate(aws_template, "train", {}, {"AcquireLease": lease})

    assert run.parameters["TrainModel"]["TrainingJobName"] == lease["training_job_name"]


@pytest.mark.parametrize("name", NAMES)
def test_operators_get_a_subject_that_sns_takes(aws_template: Template, name: str) -> None:
    (told,) = (
        state["Parameters"]
        for state in tasks(workflows.definition(aws_template, name)).values()
        if state["Resource"].endswith("sns:publish")
    )

    subject: Any = told["Subject"]
    assert subject.isascii()
    assert subject.isprintable()
    assert 0 < len(subject) <= MOST_SUBJECT_CHARACTERS
