"""Tags of jobs, and jobs that are deleted."""

from typing import Any

import pytest

from tests.unit.local_cloud.sagemaker.tiny_cloud import ACCOUNT, REGION, Cloud, request


def tag(key: str, value: str = "v") -> dict[str, str]:
    return {"Key": key, "Value": value}


def tags_of(cloud: Cloud, arn: str) -> dict[str, str]:
    listed = cloud.call("ListTags", ResourceArn=arn)["Tags"]
    return {entry["Key"]: entry["Value"] for entry in listed}


@pytest.fixture
def arn(cloud: Cloud) -> str:
    """A job that was created with two tags."""
    cloud.script("")
    cloud.run("tagged", Tags=[tag("team", "cats"), tag("cost", "low")])
    return str(cloud.describe("tagged")["TrainingJobArn"])


def test_tags_are_given_added_replaced_and_taken_away(cloud: Cloud, arn: str) -> None:
    assert tags_of(cloud, arn) == {"team": "cats", "cost": "low"}

    added = cloud.call("AddTags", ResourceArn=arn, Tags=[tag("cost", "high"), tag("new")])
    assert {entry["Key"] for entry in added["Tags"]} == {"team", "cost", "new"}
    cloud.call("DeleteTags", ResourceArn=arn, TagKeys=["team", "never there"])

    assert tags_of(cloud, arn) == {"cost": "high", "new": "v"}


def test_tags_outlive_the_cloud(cloud: Cloud, arn: str) -> None:
    cloud.restart()

    assert tags_of(cloud, arn) == {"team": "cats", "cost": "low"}


@pytest.mark.parametrize(
    ("tags", "complaint"),
    [
        ([tag("a"), tag("a")], "Duplicate tag key 'a'"),
        ([tag("aws:mine")], "begins with 'aws:'"),
        ([tag(f"k{number}") for number in range(49)], "at most 50 tags"),
    ],
)
def test_tags_that_aws_would_not_take_are_refused_whole(
    tags: list[dict[str, str]], complaint: str, cloud: Cloud, arn: str
) -> None:
    code, message = cloud.refused("AddTags", ResourceArn=arn, Tags=tags)

    assert code == "ValidationException"
    assert complaint in message
    assert tags_of(cloud, arn) == {"team": "cats", "cost": "low"}


@pytest.mark.parametrize(
    "resource",
    [
        f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:training-job/nobody",
        f"arn:aws:sagemaker:eu-west-1:{ACCOUNT}:training-job/tagged",
        f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:model/tagged",
    ],
)
@pytest.mark.parametrize(
    ("action", "members"),
    [("ListTags", {}), ("AddTags", {"Tags": []}), ("DeleteTags", {"TagKeys": ["a"]})],
)
def test_a_resource_that_is_not_there_has_no_tags(
    action: str, members: dict[str, Any], resource: str, cloud: Cloud, arn: str
) -> None:
    assert arn != resource

    code, message = cloud.refused(action, ResourceArn=resource, **members)

    assert code == "ValidationException"
    assert resource in message


def test_a_deleted_job_is_gone_and_its_name_is_free(cloud: Cloud, arn: str) -> None:
    cloud.call("DeleteTrainingJob", TrainingJobName="tagged")

    assert cloud.refused("ListTags", ResourceArn=arn)[0] == "ValidationException"
    assert cloud.refused("DeleteTrainingJob", TrainingJobName="tagged")[0] == "ResourceNotFound"
    cloud.restart()
    assert cloud.call("ListTrainingJobs")["TrainingJobSummaries"] == []
    assert cloud.run("tagged")["TrainingJobStatus"] == "Completed"


def test_a_job_that_runs_cannot_be_deleted(cloud: Cloud) -> None:
    cloud.script("import signal\nprint('up', flush=True)\nsignal.pause()")
    cloud.call("CreateTrainingJob", **request("busy"))
    cloud.logs("busy", "up")

    code, message = cloud.refused("DeleteTrainingJob", TrainingJobName="busy")

    assert code == "ResourceInUse"
    assert "stop it, or wait for its end" in message
