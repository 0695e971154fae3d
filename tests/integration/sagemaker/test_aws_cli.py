"""The AWS CLI as a client, with no more than what `.local/env` says."""

import json
from typing import Any

from tests.integration.instance import eventually
from tests.integration.sagemaker.gateway_cloud import GatewayCloud


def answer(cloud: GatewayCloud, *arguments: str) -> Any:
    """The JSON that a command prints, which must succeed."""
    done = cloud.aws("sagemaker", *arguments)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout) if done.stdout else None


def has_ended(cloud: GatewayCloud, name: str) -> bool:
    job = cloud.client("sagemaker").describe_training_job(TrainingJobName=name)
    return job["TrainingJobStatus"] in ("Completed", "Failed")


def test_a_training_job_is_created_described_tagged_listed_and_deleted(
    cloud: GatewayCloud,
) -> None:
    request = json.dumps(cloud.training("cli-trains"))
    name = ("--training-job-name", "cli-trains")

    created = answer(
        cloud, "create-training-job", "--cli-input-json", request, "--tags", "Key=team,Value=cats"
    )
    arn = created["TrainingJobArn"]
    # The CLI's own waiter looks every two minutes.
    eventually("it has ended", lambda: has_ended(cloud, "cli-trains"))
    answer(cloud, "wait", "training-job-completed-or-stopped", *name)

    job = answer(cloud, "describe-training-job", *name)
    assert (job["TrainingJobArn"], job["TrainingJobStatus"]) == (arn, "Completed")
    listed = answer(
        cloud, "list-training-jobs", "--name-contains", "cli-trains", "--max-items", "5"
    )
    assert [each["TrainingJobArn"] for each in listed["TrainingJobSummaries"]] == [arn]
    tags = answer(cloud, "list-tags", "--resource-arn", arn)
    assert tags["Tags"] == [{"Key": "team", "Value": "cats"}]
    answer(cloud, "delete-training-job", *name)
    gone = cloud.aws("sagemaker", "describe-training-job", *name)
    assert gone.returncode != 0
    assert "(ValidationException)" in gone.stderr
    assert "Requested resource not found." in gone.stderr


def test_waiting_for_a_job_that_failed_fails(cloud: GatewayCloud) -> None:
    request = json.dumps(cloud.training("cli-fails", HyperParameters={}))
    answer(cloud, "create-training-job", "--cli-input-json", request)
    eventually("it has ended", lambda: has_ended(cloud, "cli-fails"))

    waited = cloud.aws(
        "sagemaker",
        "wait",
        "training-job-completed-or-stopped",
        "--training-job-name",
        "cli-fails",
    )

    assert waited.returncode != 0
    assert "terminal failure state" in waited.stderr


def test_a_processing_job_is_created_stopped_and_waited_for(cloud: GatewayCloud) -> None:
    request = json.dumps(cloud.processing("cli-report", "import signal; signal.pause()"))
    name = ("--processing-job-name", "cli-report")

    answer(cloud, "create-processing-job", "--cli-input-json", request)
    answer(cloud, "stop-processing-job", *name)

    def status() -> str:
        job = cloud.client("sagemaker").describe_processing_job(ProcessingJobName="cli-report")
        return str(job["ProcessingJobStatus"])

    eventually("it has stopped", lambda: status() == "Stopped")
    answer(cloud, "wait", "processing-job-completed-or-stopped", *name)
    listed = answer(cloud, "list-processing-jobs", "--name-contains", "cli-report")
    (job,) = listed["ProcessingJobSummaries"]
    assert job["ProcessingJobStatus"] == "Stopped"
