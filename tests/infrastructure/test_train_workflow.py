"""Every way through the train workflow."""

import copy
from collections.abc import Mapping
from typing import Any

import pytest

from infra_cdk.settings import TRAINING
from infra_cdk.targets import Target
from tests.infrastructure import workflows
from tests.infrastructure.asl_simulator import TaskFailure
from tests.infrastructure.template_reading import Template
from tests.infrastructure.workflow_answers import PROMOTED, RESULTS, ROLLED_BACK, deployed
from tests.infrastructure.workflows import simulate


@pytest.mark.parametrize("target", list(Target))
@pytest.mark.parametrize("execution_input", [{}, {"reason": "daily schedule", "source": "x"}])
def test_a_good_candidate_is_registered_and_deployed(
    templates: Mapping[Target, Template], target: Target, execution_input: dict[str, str]
) -> None:
    run = simulate(templates[target], "train", execution_input)

    assert run.visited == [
        "AcquireLease",
        "LeaseAcquired?",
        "SnapshotDataset",
        "ChooseCapacity",
        "TrainModel",
        "EvaluateCandidate",
        "PassesQualityGate?",
        "RegisterModel",
        "DeployModel",
        "ReleaseLease",
        "Promoted?",
        "Succeeded",
    ]
    assert run.output["registration"]["version"] == "3"
    job = run.parameters["TrainModel"]
    assert job["HyperParameters"] == {"mode": "bootstrap"}
    assert job["Environment"]["DATASET_VERSION"] == "0123456789abcdef"
    assert job["EnableManagedSpotTraining"] is False
    assert job["StoppingCondition"] == {"MaxRuntimeInSeconds": TRAINING.max_seconds}
    deploy = run.parameters["DeployModel"]["Input"]
    assert deploy["AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID"].startswith("arn:aws:states:")


def test_spot_capacity_comes_with_the_limit_that_sagemaker_wants_with_it_alone(
    aws_template: Template,
) -> None:
    template = copy.deepcopy(dict(aws_template))
    given = workflows.machine_resource(template, "train")["DefinitionSubstitutions"]
    given["TrainingCapacity"] = "spot"

    job = simulate(template, "train", {}).parameters["TrainModel"]

    assert job["EnableManagedSpotTraining"] is True
    assert job["StoppingCondition"] == {
        "MaxRuntimeInSeconds": TRAINING.max_seconds,
        "MaxWaitTimeInSeconds": TRAINING.spot_max_seconds,
    }


def test_waiting_for_spot_capacity_takes_the_training_itself_in() -> None:
    assert TRAINING.spot_max_seconds >= TRAINING.max_seconds  # AWS's own condition


@pytest.mark.parametrize(
    ("result", "end"),
    [
        (PROMOTED, "Succeeded"),
        ({**PROMOTED, "outcome": "unchanged"}, "Succeeded"),
        (ROLLED_BACK, "RolledBack"),
        ({"outcome": "not_deployed"}, "NotDeployed"),
    ],
)
def test_what_became_of_the_candidate_among_callers_is_the_end_and_frees_the_lease(
    aws_template: Template, result: dict[str, Any], end: str
) -> None:
    run = simulate(aws_template, "train", {}, {"DeployModel": deployed(result)})

    assert run.visited[-3:] == ["ReleaseLease", "Promoted?", end]
    assert run.error is None
    assert run.output["deployment"]["output"]["result"] == result


def test_deploy_knows_that_training_started_it(aws_template: Template) -> None:
    given = simulate(aws_template, "train", {}).parameters["DeployModel"]["Input"]

    run = simulate(aws_template, "deploy", given)

    assert run.output["staged"]["source"] == "train"
    assert run.output["staged"]["reason"] == "daily schedule"
    assert run.output["staged"]["strategy"] == "canary"


@pytest.mark.parametrize(
    ("outcome", "holder", "end"),
    [
        ("already_running", "the other", "AlreadyRunning"),
        ("cooling_down", None, "TooSoon"),
        ("capped", None, "TooSoon"),
    ],
)
def test_who_does_not_get_the_lease_ends_without_touching_anything(
    aws_template: Template, outcome: str, holder: str | None, end: str
) -> None:
    asked = {"acquired": False, "outcome": outcome, "holder": holder, "why": "so"}

    run = simulate(
        aws_template, "train", {}, {"AcquireLease": {**RESULTS["AcquireLease"], **asked}}
    )

    assert run.visited == ["AcquireLease", "LeaseAcquired?", end]
    assert (run.output["lease"]["holder"], run.output["lease"]["why"]) == (holder, "so")


@pytest.mark.parametrize("recording_fails", [False, True])
def test_a_candidate_that_is_not_better_is_rejected_with_the_reason(
    aws_template: Template, recording_fails: bool
) -> None:
    gate = {"passed": False, "applicable": True, "rules": [], "reason": "accuracy 0.5 < 0.9"}
    changed: dict[str, Any] = {"EvaluateCandidate": {**RESULTS["EvaluateCandidate"], "gate": gate}}
    if recording_fails:
        changed["RecordRejection"] = TaskFailure("RegistryError")

    run = simulate(aws_template, "train", {}, changed)

    assert run.visited[-3:] == ["RecordRejection", "ReleaseLeaseAfterRejection", "Rejected"]
    assert run.output["evaluation"]["gate"]["reason"] == "accuracy 0.5 < 0.9"
    assert run.parameters["RecordRejection"]["Payload"] == {
        "outcome": "rejected",
        "reason": "accuracy 0.5 < 0.9",
        "mlflow_run_id": "run",
        "evaluation": run.output["evaluation"],
    }


@pytest.mark.parametrize("error", ["Lambda.Unknown", "States.Timeout", "States.DataLimitExceeded"])
def test_a_failure_before_there_is_a_lease_tells_operators(
    aws_template: Template, error: str
) -> None:
    run = simulate(aws_template, "train", {}, {"AcquireLease": TaskFailure(error)})

    assert run.visited[-4:] == [
        "TrainingJobKnown?",
        "ReleaseLeaseAfterFailure",
        "NotifyOperators",
        "Failed",
    ]
    assert run.error == error
    assert error in run.parameters["NotifyOperators"]["Message"]


@pytest.mark.parametrize("error", ["DatasetError", "States.Timeout", "States.DataLimitExceeded"])
@pytest.mark.parametrize(
    "failing",
    [
        "SnapshotDataset",
        "TrainModel",
        "EvaluateCandidate",
        "RegisterModel",
        "DeployModel",
        "ReleaseLease",
    ],
)
def test_a_failure_after_that_marks_the_run_frees_the_lease_and_tells_operators(
    aws_template: Template, failing: str, error: str
) -> None:
    run = simulate(aws_template, "train", {}, {failing: TaskFailure(error)})

    assert run.visited[-5:] == [
        "TrainingJobKnown?",
        "RecordFailure",
        "ReleaseLeaseAfterFailure",
        "NotifyOperators",
        "Failed",
    ]
    assert run.error == error
    assert error in run.parameters["NotifyOperators"]["Message"]
    assert run.parameters["RecordFailure"]["Payload"] == {
        "outcome": "failed",
        "reason": f"{error}: because",
        "training_job_name": "areyouacat-name-0123abcd",
    }


def test_no_failure_on_the_way_out_hides_the_first_one(aws_template: Template) -> None:
    run = simulate(
        aws_template,
        "train",
        {},
        {
            state: TaskFailure(error)
            for state, error in {
                "DeployModel": "StalePointerError",
                "RecordFailure": "RegistryError",
                "ReleaseLeaseAfterFailure": "Lambda.Unknown",
                "NotifyOperators": "SNS.NotFoundException",
            }.items()
        },
    )

    assert run.visited[-1] == "Failed"
    assert run.error == "StalePointerError"
