"""sagemaker:createTrainingJob and createProcessingJob as a task state sees them."""

import json
from typing import Any

import pytest

from local_cloud.sagemaker.stepfunctions import TaskAbandoned, TaskFailed, run_task
from tests.unit.local_cloud.sagemaker.tiny_cloud import (
    ACCOUNT,
    REGION,
    Cloud,
    processing,
    request,
)

CREATE_TRAINING_JOB = "arn:aws:states:::sagemaker:createTrainingJob"
CREATE_PROCESSING_JOB = "arn:aws:states:::sagemaker:createProcessingJob"
SYNC = f"{CREATE_TRAINING_JOB}.sync"


def run(cloud: Cloud, resource: str, arguments: Any) -> dict[str, Any]:
    return run_task(cloud.service, resource, arguments, account=ACCOUNT, region=REGION)


def failed(cloud: Cloud, resource: str, arguments: Any) -> TaskFailed:
    with pytest.raises(TaskFailed) as raised:
        run(cloud, resource, arguments)
    return raised.value


def test_a_plain_task_answers_at_once_with_the_arn(cloud: Cloud) -> None:
    cloud.script("import signal\nsignal.pause()")

    output = run(cloud, CREATE_TRAINING_JOB, request("plain"))

    assert output == {"TrainingJobArn": cloud.describe("plain")["TrainingJobArn"]}
    assert cloud.describe("plain")["TrainingJobStatus"] == "InProgress"


def test_a_sync_task_answers_with_the_completed_job_in_milliseconds(cloud: Cloud) -> None:
    cloud.script("")

    output = run(cloud, SYNC, request("waits"))

    described = cloud.describe("waits")
    assert output["TrainingJobStatus"] == "Completed"
    assert output["ModelArtifacts"] == described["ModelArtifacts"]
    assert output["CreationTime"] == int(described["CreationTime"] * 1000)
    step, described_step = (job["SecondaryStatusTransitions"][0] for job in (output, described))
    assert step["StartTime"] == int(described_step["StartTime"] * 1000)
    assert output["TrainingTimeInSeconds"] == described["TrainingTimeInSeconds"]
    json.dumps(output)


def test_a_sync_task_fails_with_the_description_of_the_failed_job(cloud: Cloud) -> None:
    cloud.script("raise SystemExit(3)")

    failure = failed(cloud, SYNC, request("fails"))

    assert failure.error == "States.TaskFailed"
    cause = json.loads(failure.cause)
    assert cause["TrainingJobStatus"] == "Failed"
    assert cause["FailureReason"] == "AlgorithmError: , exit code: 3"


def test_a_sync_task_fails_if_its_job_is_stopped(cloud: Cloud) -> None:
    cloud.script("import signal\nsignal.pause()")

    failure = failed(cloud, SYNC, request("over", StoppingCondition={"MaxRuntimeInSeconds": 1}))

    assert failure.error == "States.TaskFailed"
    assert json.loads(failure.cause)["SecondaryStatus"] == "MaxRuntimeExceeded"


@pytest.mark.parametrize(
    ("members", "error", "code"),
    [
        ({"RoleArn": "nobody"}, "SageMaker.AmazonSageMakerException", "ValidationException"),
        (
            {"ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 9}},
            "SageMaker.ResourceLimitExceededException",
            "ResourceLimitExceeded",
        ),
    ],
)
def test_a_refused_job_fails_the_task_with_the_sdks_name_for_it(
    cloud: Cloud, members: dict[str, Any], error: str, code: str
) -> None:
    failure = failed(cloud, SYNC, request("refused", **members))

    assert failure.error == error
    assert failure.cause.endswith(f"(Service: SageMaker, Error Code: {code})")


def test_a_name_that_is_taken_fails_the_task(cloud: Cloud) -> None:
    cloud.script("")
    run(cloud, SYNC, request("taken"))

    assert failed(cloud, SYNC, request("taken")).error == "SageMaker.ResourceInUseException"


def test_a_plain_processing_task_answers_at_once_with_the_arn(cloud: Cloud) -> None:
    cloud.script("import signal\nsignal.pause()")

    output = run(cloud, CREATE_PROCESSING_JOB, processing("plain"))

    described = cloud.call("DescribeProcessingJob", ProcessingJobName="plain")
    assert output == {"ProcessingJobArn": described["ProcessingJobArn"]}
    assert described["ProcessingJobStatus"] == "InProgress"


def test_a_sync_processing_task_answers_with_the_completed_job(cloud: Cloud) -> None:
    cloud.script("")

    output = run(cloud, f"{CREATE_PROCESSING_JOB}.sync", processing("waits"))

    described = cloud.call("DescribeProcessingJob", ProcessingJobName="waits")
    assert output["ProcessingJobStatus"] == "Completed"
    assert output["ProcessingEndTime"] == int(described["ProcessingEndTime"] * 1000)


def test_a_sync_processing_task_fails_with_the_description_of_the_failed_job(
    cloud: Cloud,
) -> None:
    cloud.script("raise SystemExit(3)")

    failure = failed(cloud, f"{CREATE_PROCESSING_JOB}.sync", processing("fails"))

    assert failure.error == "States.TaskFailed"
    assert json.loads(failure.cause)["FailureReason"] == "AlgorithmError: , exit code: 3"


def test_a_refused_processing_job_has_the_sdks_name_for_it(cloud: Cloud) -> None:
    failure = failed(cloud, CREATE_PROCESSING_JOB, processing("refused", RoleArn="nobody"))

    assert failure.error == "SageMaker.AmazonSageMakerException"


def test_a_job_that_nobody_waits_for_any_more_is_stopped(cloud: Cloud) -> None:
    cloud.script("print('up', flush=True)\nimport signal\nsignal.pause()")

    def abandoned() -> bool:
        path = cloud.log_file("left")
        return path.exists() and "up" in path.read_text()

    with pytest.raises(TaskAbandoned):
        run_task(
            cloud.service,
            SYNC,
            request("left"),
            account=ACCOUNT,
            region=REGION,
            abandoned=abandoned,
        )

    assert cloud.ended("left")["TrainingJobStatus"] == "Stopped"


def test_another_integration_is_refused(cloud: Cloud) -> None:
    failure = failed(cloud, "arn:aws:states:::sagemaker:createModel", {})

    assert failure.error == "States.Runtime"
    assert "does not have arn:aws:states:::sagemaker:createModel" in failure.cause
