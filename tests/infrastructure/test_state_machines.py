"""What holds of all workflows alike: every task ends, is tried again and is caught."""

import re

import pytest

from areyouacat import errors
from areyouacat.errors import DeploymentInProgressError, RegistryError, StalePointerError
from infra_cdk.settings import FUNCTIONS, REPORT, TRAINING
from tests.infrastructure import asl_simulator, workflows
from tests.infrastructure.template_reading import Template
from tests.infrastructure.workflows import NAMES, tasks

_SAGEMAKER = {
    "SageMaker.ResourceLimitExceededException",
    "SageMaker.ResourceLimitExceeded",
    "SageMaker.AmazonSageMakerException",
    "SageMaker.ThrottlingException",
    "SageMaker.SdkClientException",
}
TRANSIENT = {
    # Source: "Handle transient Lambda service exceptions", Step Functions developer guide.
    "arn:aws:states:::lambda:invoke": {
        "Lambda.ClientExecutionTimeoutException",
        "Lambda.ServiceException",
        "Lambda.AWSLambdaException",
        "Lambda.SdkClientException",
        "Lambda.TooManyRequestsException",
    },
    "arn:aws:states:::sagemaker:createTrainingJob.sync": _SAGEMAKER,
    "arn:aws:states:::sagemaker:createProcessingJob.sync": _SAGEMAKER,
    "arn:aws:states:::states:startExecution.sync:2": {
        "StepFunctions.ExecutionLimitExceededException",
        "StepFunctions.ExecutionLimitExceeded",
        "StepFunctions.AWSStepFunctionsException",
        "StepFunctions.ThrottlingException",
        "StepFunctions.SdkClientException",
    },
    "arn:aws:states:::sns:publish": {"States.TaskFailed"},  # every error but a timeout
}
"""A service's errors that pass.

An integration's errors are named as the Java SDK names its exceptions. What its API does not list,
a throttled call among it, has the name of the service's own exception; an API's limits are written
both with and without `Exception` in AWS's guides and samples, so both are named. That a call did
not come through at all is `SdkClientException`.
"""


@pytest.mark.parametrize("name", NAMES)
def test_every_substitution_is_used_and_none_is_missing(template: Template, name: str) -> None:
    given = workflows.machine_resource(template, name)["DefinitionSubstitutions"]

    assert set(given) == workflows.placeholders(name)


@pytest.mark.parametrize("name", NAMES)
def test_every_task_ends_retries_and_is_caught(aws_template: Template, name: str) -> None:
    definition = workflows.definition(aws_template, name)

    assert definition["TimeoutSeconds"] > 0
    assert all(state["TimeoutSeconds"] > 0 for state in tasks(definition).values())
    for state in definition["States"].values():
        if state["Type"] not in {"Task", "Map"}:
            continue
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
    "PlanBatch": {StalePointerError.__name__},
    "ScoreChunk": {"States.TaskFailed"},
}
"""Errors of our own that pass.

MLflow comes back, the next reader finds the newer pointer, and a canary ends. A chunk is tried
again whatever failed: one of thousands that fails for good is a batch that has to be resumed.
"""


@pytest.mark.parametrize("name", NAMES)
def test_tasks_are_tried_again_after_errors_that_pass_and_after_no_other(
    aws_template: Template, name: str
) -> None:
    for title, state in tasks(workflows.definition(aws_template, name)).items():
        assert {error for retry in state["Retry"] for error in retry["ErrorEquals"]} == (
            TRANSIENT[state["Resource"]] | OWN_TRANSIENT.get(title, set())
        ), title


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
    states = asl_simulator.states_of(definition)

    reached, ahead = set(), [definition["StartAt"]]
    while ahead:
        state_name = ahead.pop()
        if state_name not in reached:
            reached.add(state_name)
            state = states[state_name]
            ahead += [
                state.get("ItemProcessor", {}).get("StartAt"),
                state.get("Next"),
                state.get("Default"),
                *(rule["Next"] for rule in (*state.get("Catch", []), *state.get("Choices", []))),
            ]
            ahead = [name for name in ahead if name]
    assert reached == set(states)


def test_a_child_that_fails_for_good_fails_alone(aws_template: Template) -> None:
    scoring = workflows.definition(aws_template, "batch")["States"]["ScoreChunks"]

    assert scoring["ToleratedFailurePercentage"] == 100
    assert all("Catch" not in state for state in scoring["ItemProcessor"]["States"].values())


@pytest.mark.parametrize(
    ("name", "state", "most"),
    [
        ("train", "TrainModel", TRAINING.max_seconds),
        ("train", "TrainModel", TRAINING.spot_max_seconds),
        ("monitor", "DriftReport", REPORT.max_seconds),
    ],
)
def test_a_task_waits_longer_than_its_job_may_take(
    aws_template: Template, name: str, state: str, most: int
) -> None:
    definition = workflows.definition(aws_template, name)

    assert definition["TimeoutSeconds"] > definition["States"][state]["TimeoutSeconds"] > most
