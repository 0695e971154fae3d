"""The workflows against AWS's own rules: parameters, paths, failures, rights."""

import re
from collections.abc import Mapping
from typing import Any

import pytest

from areyouacat.errors import RegistryError, StalePointerError
from areyouacat.lease import training_job_name
from infra_cdk.settings import FUNCTIONS, TRAINING, Target
from tests.infrastructure import asl_simulator, aws_shapes, workflows
from tests.infrastructure.asl_simulator import Run, TaskFailure
from tests.infrastructure.template_reading import Template, actions_of, as_list, identity_statements
from tests.infrastructure.workflows import NAMES, RESULTS, succeed

TRANSIENT = {
    "Lambda.ClientExecutionTimeoutException",
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.TooManyRequestsException",
}
MANAGED_RULE = {"events:PutTargets", "events:PutRule", "events:DescribeRule"}
NEEDED_ACTIONS = {
    # Source: "IAM policies for integrated services", Step Functions developer guide.
    "arn:aws:states:::lambda:invoke": {"lambda:InvokeFunction"},
    "arn:aws:states:::sns:publish": {"sns:Publish"},
    "arn:aws:states:::sagemaker:createTrainingJob.sync": {
        "sagemaker:CreateTrainingJob",
        "sagemaker:DescribeTrainingJob",
        "sagemaker:StopTrainingJob",
        "sagemaker:AddTags",
        "sagemaker:ListTags",
        "iam:PassRole",
        *MANAGED_RULE,
    },
    "arn:aws:states:::states:startExecution.sync:2": {
        "states:StartExecution",
        "states:DescribeExecution",
        "states:StopExecution",
        *MANAGED_RULE,
    },
}


def tasks(definition: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    return {name: state for name, state in definition["States"].items() if state["Type"] == "Task"}


def simulate(
    template: Template,
    name: str,
    execution_input: Any,
    changed: Mapping[str, Any] | None = None,
) -> Run:
    """Run a workflow; `changed` names answers, or failures, that differ from success.

    Every task's parameters are held against the API on the way.
    """
    definition = workflows.definition(template, name)

    def result_of(state: str, parameters: Any) -> Any:
        resource = definition["States"][state]["Resource"]
        assert aws_shapes.problems(resource, parameters) == [], state
        answer = (changed or {}).get(state)
        if isinstance(answer, TaskFailure):
            raise answer
        return succeed(state, parameters) if answer is None else {"Payload": answer}

    return asl_simulator.run(definition, execution_input, result_of)


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
        assert caught == [["States.DataLimitExceeded"], ["States.ALL"]]


OWN_TRANSIENT = {
    "RegisterModel": {RegistryError.__name__},
    "RecordRejection": {RegistryError.__name__},
    "RecordFailure": {RegistryError.__name__},
    "MoveAlias": {RegistryError.__name__},
    "Promote": {StalePointerError.__name__},
}
"""Errors of our own that pass: MLflow comes back, the next reader finds the newer pointer."""


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


@pytest.mark.parametrize("name", NAMES)
def test_the_role_may_do_what_the_tasks_need_and_nothing_else(
    template: Template, name: str
) -> None:
    machine = workflows.machine_resource(template, name)
    role = machine["RoleArn"]["Fn::GetAtt"][0]
    resources_used = {
        state["Resource"] for state in tasks(workflows.definition(template, name)).values()
    }

    needed = set().union(*(NEEDED_ACTIONS[resource] for resource in resources_used))
    granted = {
        action for action in actions_of(template, role) if not re.match("logs:|xray:", action)
    }
    assert granted == needed


@pytest.mark.parametrize("name", NAMES)
def test_the_role_may_invoke_exactly_the_functions_of_the_definition(
    template: Template, name: str
) -> None:
    machine = workflows.machine_resource(template, name)
    (invoke,) = (
        statement
        for owner, statement in identity_statements(template)
        if owner == machine["RoleArn"]["Fn::GetAtt"][0]
        and "lambda:InvokeFunction" in as_list(statement["Action"])
    )

    named = {
        value["Fn::GetAtt"][0]
        for key, value in machine["DefinitionSubstitutions"].items()
        if key.endswith("FunctionArn")
    }
    assert {resource["Fn::GetAtt"][0] for resource in as_list(invoke["Resource"])} == named


def test_sync_tasks_may_watch_their_managed_rules(template: Template) -> None:
    watched = str(
        [
            statement["Resource"]
            for _, statement in identity_statements(template)
            if "events:PutRule" in as_list(statement["Action"])
        ]
    )

    assert "rule/StepFunctionsGetEventsForSageMakerTrainingJobsRule" in watched
    assert "rule/StepFunctionsGetEventsForStepFunctionsExecutionRule" in watched


def test_the_role_may_create_jobs_of_the_name_that_the_lease_gives(template: Template) -> None:
    prefix = TRAINING.job_names.removesuffix("*")

    assert training_job_name("an execution").startswith(prefix)
    assert f"training-job/{TRAINING.job_names}" in str(list(identity_statements(template)))


def test_a_task_waits_longer_than_its_training_job_may_take(aws_template: Template) -> None:
    train = workflows.definition(aws_template, "train")["States"]["TrainModel"]

    assert train["TimeoutSeconds"] > TRAINING.max_seconds


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
        "TrainModel",
        "EvaluateCandidate",
        "PassesQualityGate?",
        "RegisterModel",
        "DeployModel",
        "ReleaseLease",
        "Succeeded",
    ]
    assert run.output["registration"]["version"] == "3"
    job = run.parameters["TrainModel"]
    assert job["HyperParameters"] == {"mode": "bootstrap"}
    assert job["Environment"]["DATASET_VERSION"] == "0123456789abcdef"
    deploy = run.parameters["DeployModel"]["Input"]
    assert deploy["AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID"].startswith("arn:aws:states:")


def test_who_does_not_get_the_lease_ends_without_touching_anything(
    aws_template: Template,
) -> None:
    busy = {**RESULTS["AcquireLease"], "acquired": False, "holder": "the other"}

    run = simulate(aws_template, "train", {}, {"AcquireLease": busy})

    assert run.visited == ["AcquireLease", "LeaseAcquired?", "AlreadyRunning"]
    assert run.output["lease"]["holder"] == "the other"


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


@pytest.mark.parametrize(
    ("execution_input", "reason"),
    [
        ({"version": "3"}, "deployed without a reason"),
        ({"version": "3", "reason": "rollback"}, "rollback"),
    ],
)
def test_a_version_is_staged_promoted_and_named_in_the_registry(
    aws_template: Template, execution_input: dict[str, str], reason: str
) -> None:
    run = simulate(aws_template, "deploy", execution_input)

    assert run.visited[-4:] == ["StageVariant", "Promote", "MoveAlias", "Succeeded"]
    assert run.parameters["Promote"]["Payload"]["reason"] == reason
    assert run.parameters["Promote"]["Payload"]["variant"] == workflows.VARIANT
    assert run.output["alias"]["moved"] is True


def test_a_registry_that_is_down_does_not_undo_a_deployment(aws_template: Template) -> None:
    run = simulate(
        aws_template, "deploy", {"version": "3"}, {"MoveAlias": TaskFailure("RegistryError")}
    )

    assert run.visited[-2:] == ["AliasStaysBehind", "Succeeded"]
    assert run.output["alias"] == {"moved": False}


@pytest.mark.parametrize("failing", ["StageVariant", "Promote"])
def test_a_deployment_that_fails_is_told_and_moves_no_alias(
    aws_template: Template, failing: str
) -> None:
    run = simulate(
        aws_template, "deploy", {"version": "3"}, {failing: TaskFailure("StalePointerError")}
    )

    assert run.visited[-2:] == ["NotifyOperators", "Failed"]
    assert "MoveAlias" not in run.visited


@pytest.mark.parametrize("execution_input", [{}, {"window_hours": 2}, {"source": "schedule"}])
def test_what_is_collected_is_published(
    aws_template: Template, execution_input: dict[str, Any]
) -> None:
    run = simulate(aws_template, "monitor", execution_input)

    assert run.visited == ["CollectWindow", "PublishMetrics", "Succeeded"]
    assert run.parameters["CollectWindow"]["Payload"] == execution_input
    assert run.parameters["PublishMetrics"]["Payload"] == RESULTS["CollectWindow"]


@pytest.mark.parametrize("failing", ["CollectWindow", "PublishMetrics"])
def test_a_monitor_that_fails_is_told(aws_template: Template, failing: str) -> None:
    run = simulate(aws_template, "monitor", {}, {failing: TaskFailure("States.Timeout")})

    assert run.visited[-2:] == ["NotifyOperators", "Failed"]


def test_a_parameter_that_aws_would_refuse_is_found() -> None:
    training = "arn:aws:states:::sagemaker:createTrainingJob.sync"

    found = aws_shapes.problems(training, {"TrainingJobName": "not a name", "Epochs": 3})

    assert "Unknown parameter" in found[0]
    assert "Missing required parameter" in found[0]
    assert any("TrainingJobName" in problem and "match" in problem for problem in found)
