"""boto3 as a client, over TLS: every action that there is."""

import io
import tarfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest
from botocore.exceptions import ClientError, WaiterError

from tests.integration.instance import eventually
from tests.integration.sagemaker.gateway_cloud import GatewayCloud

EVERY_SECOND: Final = {"Delay": 1, "MaxAttempts": 60}
FOREVER: Final = {"ContainerEntrypoint": ["python", "-c", "import signal; signal.pause()"]}


@pytest.fixture
def sagemaker(cloud: GatewayCloud) -> Any:
    return cloud.client("sagemaker")


def wait_for_training(sagemaker: Any, name: str) -> dict[str, Any]:
    waiter = sagemaker.get_waiter("training_job_completed_or_stopped")
    waiter.wait(TrainingJobName=name, WaiterConfig=EVERY_SECOND)
    found: dict[str, Any] = sagemaker.describe_training_job(TrainingJobName=name)
    return found


def wait_for_processing(sagemaker: Any, name: str) -> dict[str, Any]:
    waiter = sagemaker.get_waiter("processing_job_completed_or_stopped")
    waiter.wait(ProcessingJobName=name, WaiterConfig=EVERY_SECOND)
    found: dict[str, Any] = sagemaker.describe_processing_job(ProcessingJobName=name)
    return found


def endless(cloud: GatewayCloud, name: str) -> dict[str, Any]:
    request = cloud.training(name)
    return {**request, "AlgorithmSpecification": {**request["AlgorithmSpecification"], **FOREVER}}


def refusal(call: Callable[..., Any], **arguments: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as refused:
        call(**arguments)
    error = refused.value.response["Error"]
    return error["Code"], error["Message"]


def test_a_training_job_reads_its_channel_logs_measures_and_leaves_a_model(
    cloud: GatewayCloud, sagemaker: Any
) -> None:
    request = cloud.training("reads")
    definitions = [{"Name": "loss", "Regex": r"loss=(\S+)"}]
    specification = {**request["AlgorithmSpecification"], "MetricDefinitions": definitions}
    before = datetime.now(UTC)

    created = sagemaker.create_training_job(**{**request, "AlgorithmSpecification": specification})
    job = wait_for_training(sagemaker, "reads")

    assert job["TrainingJobArn"] == created["TrainingJobArn"]
    assert job["TrainingJobStatus"] == job["SecondaryStatus"] == "Completed"
    assert before - timedelta(seconds=1) < job["CreationTime"] <= job["TrainingStartTime"]
    assert job["TrainingStartTime"] < job["TrainingEndTime"]
    assert [step["Status"] for step in job["SecondaryStatusTransitions"]][-3:] == [
        "Training",
        "Uploading",
        "Completed",
    ]
    (loss,) = job["FinalMetricDataList"]
    assert (loss["MetricName"], loss["Value"]) == ("loss", 0.5)
    model = cloud.get(job["ModelArtifacts"]["S3ModelArtifacts"])
    with tarfile.open(fileobj=io.BytesIO(model)) as archive:
        member = archive.extractfile("rows")
        assert member is not None
        assert member.read() == b"3"
    assert "epoch=1 loss=0.5" in cloud.log("TrainingJobs", "reads/")


def test_a_training_job_that_fails_says_why_and_its_waiter_does(
    cloud: GatewayCloud, sagemaker: Any
) -> None:
    sagemaker.create_training_job(**cloud.training("fails", HyperParameters={"epochs": "two"}))

    with pytest.raises(WaiterError, match="Failed"):
        wait_for_training(sagemaker, "fails")

    job = sagemaker.describe_training_job(TrainingJobName="fails")
    assert job["FailureReason"].startswith("AlgorithmError")
    assert "exit code: 1" in job["FailureReason"]


def test_a_training_job_that_runs_can_be_stopped_and_not_deleted(
    cloud: GatewayCloud, sagemaker: Any
) -> None:
    def runs() -> bool:
        job = sagemaker.describe_training_job(TrainingJobName="endless")
        return bool(job["SecondaryStatus"] == "Training")

    sagemaker.create_training_job(**endless(cloud, "endless"))
    eventually("the job runs", runs)

    assert refusal(sagemaker.delete_training_job, TrainingJobName="endless")[0] == "ResourceInUse"
    sagemaker.stop_training_job(TrainingJobName="endless")
    assert wait_for_training(sagemaker, "endless")["TrainingJobStatus"] == "Stopped"


def test_training_jobs_are_listed_by_name_status_and_time_in_order_and_in_pages(
    cloud: GatewayCloud, sagemaker: Any
) -> None:
    names = ["listed-a", "listed-b", "listed-c"]
    for name in names:
        epochs = "none" if name == "listed-b" else "1"
        sagemaker.create_training_job(**cloud.training(name, HyperParameters={"epochs": epochs}))

    def ended(name: str) -> bool:
        job = sagemaker.describe_training_job(TrainingJobName=name)
        return job["TrainingJobStatus"] in ("Completed", "Failed")

    eventually("all have ended", lambda: all(ended(name) for name in names))

    def listed(**filters: Any) -> list[list[str]]:
        pages = sagemaker.get_paginator("list_training_jobs").paginate(
            NameContains="listed-", PaginationConfig={"PageSize": 2}, **filters
        )
        return [[job["TrainingJobName"] for job in page["TrainingJobSummaries"]] for page in pages]

    assert listed(SortBy="Name", SortOrder="Descending") == [["listed-c", "listed-b"], ["listed-a"]]
    assert listed(SortBy="Name", StatusEquals="Completed") == [["listed-a", "listed-c"]]
    assert listed(StatusEquals="Failed") == [["listed-b"]]
    second = sagemaker.describe_training_job(TrainingJobName="listed-b")["CreationTime"]
    assert listed(CreationTimeBefore=second - timedelta(seconds=60)) == [[]]
    assert listed(CreationTimeAfter=second + timedelta(seconds=60)) == [[]]


def test_a_training_jobs_name_is_taken_until_it_is_deleted(
    cloud: GatewayCloud, sagemaker: Any
) -> None:
    sagemaker.create_training_job(**cloud.training("taken"))
    wait_for_training(sagemaker, "taken")

    with pytest.raises(sagemaker.exceptions.ResourceInUse):
        sagemaker.create_training_job(**cloud.training("taken"))
    sagemaker.delete_training_job(TrainingJobName="taken")

    unknown = ("ValidationException", "Requested resource not found.")
    assert refusal(sagemaker.describe_training_job, TrainingJobName="taken") == unknown
    assert refusal(sagemaker.stop_training_job, TrainingJobName="taken") == unknown
    with pytest.raises(sagemaker.exceptions.ResourceNotFound):
        sagemaker.delete_training_job(TrainingJobName="taken")


def test_tags_are_given_added_listed_and_taken_away(cloud: GatewayCloud, sagemaker: Any) -> None:
    team = {"Key": "team", "Value": "cats"}
    arn = sagemaker.create_training_job(**cloud.training("tagged", Tags=[team]))["TrainingJobArn"]

    def tags() -> dict[str, str]:
        pages = sagemaker.get_paginator("list_tags").paginate(ResourceArn=arn)
        return {tag["Key"]: tag["Value"] for page in pages for tag in page["Tags"]}

    assert tags() == {"team": "cats"}
    sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "cost", "Value": "7"}])
    assert tags() == {"team": "cats", "cost": "7"}
    sagemaker.delete_tags(ResourceArn=arn, TagKeys=["team", "unknown"])
    assert tags() == {"cost": "7"}


def test_a_processing_job_brings_its_output_home(cloud: GatewayCloud, sagemaker: Any) -> None:
    source = {
        "S3Uri": "s3://data/train/",
        "LocalPath": "/opt/ml/processing/in",
        "S3DataType": "S3Prefix",
        "S3InputMode": "File",
    }
    target = {
        "S3Uri": "s3://data/counted",
        "LocalPath": "/opt/ml/processing/out",
        "S3UploadMode": "EndOfJob",
    }
    code = (
        "import shutil; shutil.copytree('/opt/ml/processing/in', '/opt/ml/processing/out',"
        " dirs_exist_ok=True); print('copied')"
    )

    created = sagemaker.create_processing_job(
        **cloud.processing(
            "copies",
            code,
            ProcessingInputs=[{"InputName": "rows", "S3Input": source}],
            ProcessingOutputConfig={"Outputs": [{"OutputName": "rows", "S3Output": target}]},
        )
    )
    job = wait_for_processing(sagemaker, "copies")

    assert job["ProcessingJobArn"] == created["ProcessingJobArn"]
    assert job["ProcessingJobStatus"] == "Completed"
    assert job["ProcessingStartTime"] < job["ProcessingEndTime"]
    assert cloud.get("s3://data/counted/rows.csv") == b"1\n2\n3\n"
    assert "copied" in cloud.log("ProcessingJobs", "copies/")


def test_processing_jobs_fail_stop_are_listed_and_deleted(
    cloud: GatewayCloud, sagemaker: Any
) -> None:
    sagemaker.create_processing_job(**cloud.processing("sorts-out", "raise SystemExit(3)"))
    sagemaker.create_processing_job(**cloud.processing("sorts-on", "import signal; signal.pause()"))
    with pytest.raises(WaiterError, match="Failed"):
        wait_for_processing(sagemaker, "sorts-out")
    failed = sagemaker.describe_processing_job(ProcessingJobName="sorts-out")
    assert "exit code: 3" in failed["FailureReason"].lower()
    in_use = refusal(sagemaker.delete_processing_job, ProcessingJobName="sorts-on")
    assert in_use[0] == "ResourceInUse"
    sagemaker.stop_processing_job(ProcessingJobName="sorts-on")
    assert wait_for_processing(sagemaker, "sorts-on")["ProcessingJobStatus"] == "Stopped"

    pages = sagemaker.get_paginator("list_processing_jobs").paginate(
        NameContains="sorts", SortBy="Name", PaginationConfig={"PageSize": 1}
    )
    listed = [job for page in pages for job in page["ProcessingJobSummaries"]]
    assert [(job["ProcessingJobName"], job["ProcessingJobStatus"]) for job in listed] == [
        ("sorts-on", "Stopped"),
        ("sorts-out", "Failed"),
    ]
    for job in listed:
        sagemaker.delete_processing_job(ProcessingJobName=job["ProcessingJobName"])
    assert refusal(sagemaker.describe_processing_job, ProcessingJobName="sorts-on") == (
        "ValidationException",
        "Could not find requested job with name: sorts-on",
    )
