"""What tasks give to AWS's services, and what they take of their answers, is what the APIs know."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.infrastructure import aws_shapes, workflows
from tests.infrastructure.template_reading import Template
from tests.infrastructure.workflow_answers import REPORT_DUE, TRAINED
from tests.infrastructure.workflows import NAMES, simulate, tasks

TRAINING = "arn:aws:states:::sagemaker:createTrainingJob.sync"
NESTED = "arn:aws:states:::states:startExecution.sync:2"


@pytest.mark.parametrize("name", NAMES)
def test_only_what_a_service_answers_is_taken_of_its_answer(
    aws_template: Template, name: str
) -> None:
    for title, state in tasks(workflows.definition(aws_template, name)).items():
        # Kept without a selector, it would be read by states that nobody holds against the API.
        assert ("ResultSelector" in state) is (state["ResultPath"] is not None), title
        for path in _paths(state.get("ResultSelector", {})):
            assert aws_shapes.answers(state["Resource"], path), f"{title}: {path}"


def _paths(selector: Any) -> Iterator[str]:
    for key, value in selector.items():
        assert key.endswith(".$"), key
        yield value


@pytest.mark.parametrize(
    ("resource", "path", "known"),
    [
        (TRAINING, "$.ModelArtifacts.S3ModelArtifacts", True),
        (TRAINING, "$.ModelArtifacts.S3Uri", False),
        (TRAINING, "$.TrainingJobArn.Name", False),
        (NESTED, "$.Output.result.outcome", True),
        (NESTED, "$.output", False),  # Step Functions gives every name a capital
        (NESTED, "$.Payload", False),
        ("arn:aws:states:::lambda:invoke", "$.Payload.version", True),
        ("arn:aws:states:::lambda:invoke", "$.version", False),
    ],
)
def test_a_path_into_a_services_answer_is_known_or_not(
    resource: str, path: str, known: bool
) -> None:
    assert aws_shapes.answers(resource, path) is known


def test_an_answer_that_aws_would_not_give_is_found() -> None:
    artifacts = {"S3ModelArtifacts": "s3://lake/model.tar.gz", "Url": "s3://lake/model"}

    found = aws_shapes.foreign(TRAINING, {**TRAINED, "ModelArtifacts": artifacts, "Job": "1"})

    assert found == [f"{TRAINING}.ModelArtifacts: Url", f"{TRAINING}: Job"]


def test_a_parameter_that_aws_would_refuse_is_found() -> None:
    found = aws_shapes.problems(TRAINING, {"TrainingJobName": "not a name", "Epochs": 3})

    assert "Unknown parameter" in found[0]
    assert "Missing required parameter" in found[0]
    assert any("TrainingJobName" in problem and "match" in problem for problem in found)


@pytest.mark.parametrize(
    ("group", "change"),
    [
        ("ResourceConfig", {"InstanceType": "ml.m5.enormous"}),
        ("ResourceConfig", {"VolumeSizeInGB": -1}),
        ("StoppingCondition", {"MaxRuntimeInSeconds": 0}),
        ("Environment", {"REASON": "x" * 513}),
        ("Environment", {"1": "x"}),
    ],
)
def test_a_size_a_number_or_a_word_that_aws_would_refuse_is_found(
    aws_template: Template, group: str, change: dict[str, Any]
) -> None:
    given: Any = simulate(aws_template, "train", {}).parameters["TrainModel"]
    assert aws_shapes.problems(TRAINING, given) == []

    found = aws_shapes.problems(TRAINING, {**given, group: {**given[group], **change}})

    assert len(found) == 1


def test_a_list_that_is_too_long_for_aws_is_found(aws_template: Template) -> None:
    run = simulate(aws_template, "monitor", {}, {"CollectWindow": REPORT_DUE})
    given = run.parameters["DriftReport"]

    found = aws_shapes.problems(
        "arn:aws:states:::sagemaker:createProcessingJob.sync",
        {**given, "ProcessingInputs": given["ProcessingInputs"] * 6},
    )

    assert len(found) == 1
    assert "12 is more than 10" in found[0]
