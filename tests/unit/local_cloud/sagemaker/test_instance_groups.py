"""ResourceConfig.InstanceGroups: one group of one instance is what there is."""

import json
from typing import Any

import pytest

from tests.unit.local_cloud.sagemaker.tiny_cloud import BUCKET, Cloud, channel, request

GROUP = {"InstanceType": "ml.g5.xlarge", "InstanceCount": 1, "InstanceGroupName": "workers"}


def resources(*groups: dict[str, Any], **members: Any) -> dict[str, Any]:
    return {"ResourceConfig": {"InstanceGroups": list(groups), "VolumeSizeInGB": 1, **members}}


def data_for(*groups: str) -> dict[str, Any]:
    data = channel("train", f"s3://{BUCKET}/data/")
    data["DataSource"]["S3DataSource"]["InstanceGroupNames"] = list(groups)
    return {"InputDataConfig": [data]}


def test_the_container_is_told_its_group_and_gets_the_groups_data(cloud: Cloud) -> None:
    cloud.put("data/a", "A")
    cloud.script("print(open('/opt/ml/input/config/resourceconfig.json').read())")

    job = cloud.run("grouped", **resources(GROUP), **data_for("workers"))

    told = json.loads(cloud.log("grouped").splitlines()[-1])
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    assert told["current_group_name"] == "workers"
    assert told["current_instance_type"] == "ml.g5.xlarge"
    assert told["instance_groups"] == [
        {
            "instance_group_name": "workers",
            "instance_type": "ml.g5.xlarge",
            "hosts": ["algo-1"],
        }
    ]


@pytest.mark.parametrize(
    ("members", "said"),
    [
        (resources(GROUP, {**GROUP, "InstanceGroupName": "b"}), "has 2 groups (workers, b)"),
        (resources({**GROUP, "InstanceCount": 2}), "Set InstanceCount to 1"),
        (resources(GROUP, InstanceType="ml.m5.large"), "either InstanceType or InstanceGroups"),
        ({**resources(GROUP), **data_for("others")}, "for the instance groups others, which"),
    ],
)
def test_more_than_that_is_refused(members: dict[str, Any], said: str, cloud: Cloud) -> None:
    _, message = cloud.refused("CreateTrainingJob", **request("bad", **members))

    assert said in message
