"""The workflows against AWS's own rules: parameters, paths, failures, rights."""

import re
from typing import Any

import pytest

from areyouacat import errors
from areyouacat.errors import DeploymentInProgressError, RegistryError, StalePointerError
from areyouacat.lease import training_job_name
from infra_cdk.settings import FUNCTIONS, REPORT, TRAINING
from tests.infrastructure import asl_simulator, aws_shapes, workflows
from tests.infrastructure.asl_simulator import TaskFailure
from tests.infrastructure.template_reading import Template, actions_of, as_list, identity_statements
from tests.infrastructure.workflows import NAMES, REPORT_DUE, RESULTS, simulate, tasks
from training_job.drift_report.environment import read_environment

TRANSIENT = {
    "Lambda.ClientExecutionTimeoutException",
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.TooManyRequestsException",
}


@pytest.mark.parametrize("name", NAMES)
def test_every_substitution_is_used_and_none_is_missing(template: Template, name: str) -> None:
    given = workflows.machine_resource(template, name)["DefinitionSubstitutions"]

    assert set(given) == workflows.placeholders(name)


@pytest.mark.parametrize("name", NAMES)
def test_every_task_ends_retries_and_is_caught(aws_template: Template, name: str) -> None:
    definition = workflows.definition(aws_template, name)

    assert definition["TimeoutSeconds"] > 0
    for state in tasks(definition).values():
        assert state["TimeoutSeconds"] > 0
        assert all(retry["MaxAttempts"] > 0 for retry in state["Retry"])
        caught = [catcher["ErrorEquals"] for catcher in state["Catch"]]
        # States.ALL catches everything but this one; it must come last.
        assert caught[-2:] == [["States.DataLimitExceeded"], ["States.ALL"]]
        own = {error for names in caught[:-2] for error in names}
        assert all(issubclass(getattr(errors, error), errors.PipelineError) for error in own)


OWN_TRANSIENT = {
    "RegisterModel": {RegistryError.__name__},
    "RecordRejection": {RegistryError.__name__},
    "RecordFailure": {RegistryError.__name__},
    "MoveAlias": {RegistryError.__name__},
    "ShiftTraffic": {StalePointerError.__name__, DeploymentInProgressError.__name__},
    "Promote": {StalePointerError.__name__, DeploymentInProgressError.__name__},
    "RollBack": {StalePointerError.__name__},
    "WithdrawChallenger": {StalePointerError.__name__},
}
"""Errors of our own that pass.

MLflow comes back, the next reader finds the newer pointer, and a canary ends.
"""


@pytest.mark.parametrize("name", NAMES)
def test_functions_are_tried_again_after_errors_that_pass(
    aws_template: Template, name: str
) -> None:
    for title, state in tasks(workflows.definition(aws_template, name)).items():
        if state["Resource"].endswith("lambda:invoke"):
            assert {error for retry in state["Retry"] for error in retry["ErrorEquals"]} == (
                TRANSIENT | OWN_TRANSIENT.get(title, set())
            )


@pytest.mark.parametrize("name", NAMES)
def test_a_task_waits_longer_than_its_function_may_take(name: str, template: Template) -> None:
    given = workflows.machine_resource(template, name)["DefinitionSubstitutions"]
    raw = asl_simulator.load(workflows.FOLDER / f"{name}.asl.json", {})
    names = {key: _kebab(key.removesuffix("FunctionArn")) for key in given}

    waits = [
        (state["TimeoutSeconds"], FUNCTIONS[names[found[1]]].timeout_seconds)
        for state in tasks(raw).values()
        if (
            found := re.fullmatch(
                r"\$\{(\w+FunctionArn)\}", str(state["Parameters"].get("FunctionName"))
            )
        )
    ]
    assert waits
    assert all(wait > function for wait, function in waits)


def _kebab(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "-", name).lower()


@pytest.mark.parametrize("name", NAMES)
def test_every_state_can_be_reached(aws_template: Template, name: str) -> None:
    definition = workflows.definition(aws_template, name)

    reached, ahead = set(), [definition["StartAt"]]
    while ahead:
        state_name = ahead.pop()
        if state_name not in reached:
            reached.add(state_name)
            state = definition["States"][state_name]
            ahead += [
                state.get("Next"),
                state.get("Default"),
                *(rule["Next"] for rule in (*state.get("Catch", []), *state.get("Choices", []))),
            ]
            ahead = [name for name in ahead if name]
    assert reached == set(definition["States"])


def test_the_role_may_create_jobs_of_the_name_that_the_lease_gives(template: Template) -> None:
    prefix = TRAINING.job_names.removesuffix("*")

    assert training_job_name("an execution").startswith(prefix)
    assert f"training-job/{TRAINING.job_names}" in str(list(identity_statements(template)))


def test_the_role_may_create_the_reports_job_and_no_training(template: Template) -> None:
    role = workflows.machine_resource(template, "monitor")["RoleArn"]["Fn::GetAtt"][0]
    jobs = str(
        [
            statement["Resource"]
            for owner, statement in identity_statements(template)
            if owner == role and "sagemaker:CreateProcessingJob" in as_list(statement["Action"])
        ]
    )

    assert REPORT_DUE["report"]["job_name"].startswith(REPORT.job_names.removesuffix("*"))
    assert f"processing-job/{REPORT.job_names}" in jobs
    assert not actions_of(template, role) & {"sagemaker:CreateTrainingJob"}


@pytest.mark.parametrize(
    ("name", "state", "most"),
    [
        ("train", "TrainModel", TRAINING.max_seconds),
        ("monitor", "DriftReport", REPORT.max_seconds),
    ],
)
def test_a_task_waits_longer_than_its_job_may_take(
    aws_template: Template, name: str, state: str, most: int
) -> None:
    definition = workflows.definition(aws_template, name)

    assert definition["TimeoutSeconds"] > definition["States"][state]["TimeoutSeconds"] > most


METRICS_FIRST = ["CollectWindow", "PublishMetrics", "StartPending", "ReportDue?"]


@pytest.mark.parametrize("execution_input", [{}, {"window_hours": 2}, {"source": "schedule"}])
def test_what_is_collected_is_published(
    aws_template: Template, execution_input: dict[str, Any]
) -> None:
    run = simulate(aws_template, "monitor", execution_input)

    assert run.visited == [*METRICS_FIRST, "Succeeded"]
    assert run.parameters["CollectWindow"]["Payload"] == execution_input
    assert run.parameters["PublishMetrics"]["Payload"] == RESULTS["CollectWindow"]


def test_a_report_that_is_due_is_made_of_both_samples_when_all_else_is_done(
    aws_template: Template,
) -> None:
    run = simulate(aws_template, "monitor", {}, {"CollectWindow": REPORT_DUE})

    assert run.visited == [*METRICS_FIRST, "DriftReport", "Succeeded"]
    job, due = run.parameters["DriftReport"], REPORT_DUE["report"]
    assert job["ProcessingJobName"] == due["job_name"]
    assert {given["InputName"]: given["S3Input"]["S3Uri"] for given in job["ProcessingInputs"]} == {
        "reference": due["reference_uri"],
        "window": due["window_uri"],
    }
    (output,) = job["ProcessingOutputConfig"]["Outputs"]
    assert output["S3Output"]["S3Uri"] == due["report_uri"]
    told = read_environment(job["Environment"])
    assert (told.model_version, told.window_end) == ("3", "2026-01-01T00:00:00Z")
    assert (told.job_name, told.reason) == (due["job_name"], "drift of brightness")
    assert run.output["report"]["job_name"] == due["job_name"]


@pytest.mark.parametrize("error", ["SageMaker.ResourceLimitExceededException", "States.TaskFailed"])
def test_a_report_that_fails_is_told_and_keeps_no_metric_back(
    aws_template: Template, error: str
) -> None:
    answers: dict[str, workflows.Answer | list[workflows.Answer]] = {
        "CollectWindow": REPORT_DUE,
        "DriftReport": TaskFailure(error, "the container failed"),
    }

    run = simulate(aws_template, "monitor", {}, answers)

    assert run.visited == [*METRICS_FIRST, "DriftReport", "NotifyOperators", "Failed"]
    assert "the container failed" in run.parameters["NotifyOperators"]["Message"]


def test_a_report_that_could_not_be_prepared_is_told_after_the_metrics(
    aws_template: Template,
) -> None:
    report = {"due": False, "failed": True, "why": "AccessDenied"}
    answer = {**RESULTS["CollectWindow"], "report": report}

    run = simulate(aws_template, "monitor", {}, {"CollectWindow": answer})

    assert run.visited == [*METRICS_FIRST, "ReportNotPrepared", "NotifyOperators", "Failed"]
    assert run.error == "ReportNotPrepared"
    assert "AccessDenied" in run.parameters["NotifyOperators"]["Message"]


@pytest.mark.parametrize("failing", ["CollectWindow", "PublishMetrics", "StartPending"])
def test_a_monitor_that_fails_is_told(aws_template: Template, failing: str) -> None:
    run = simulate(aws_template, "monitor", {}, {failing: TaskFailure("States.Timeout")})

    assert run.visited[-2:] == ["NotifyOperators", "Failed"]


def test_a_parameter_that_aws_would_refuse_is_found() -> None:
    training = "arn:aws:states:::sagemaker:createTrainingJob.sync"

    found = aws_shapes.problems(training, {"TrainingJobName": "not a name", "Epochs": 3})

    assert "Unknown parameter" in found[0]
    assert "Missing required parameter" in found[0]
    assert any("TrainingJobName" in problem and "match" in problem for problem in found)
