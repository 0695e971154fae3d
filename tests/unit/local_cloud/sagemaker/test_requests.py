"""What the API accepts and refuses, with AWS's codes and words."""

from typing import Any

import pytest
from botocore.model import Shape, StructureShape

from local_cloud.sagemaker.requests.shapes import compiled, service_model
from local_cloud.sagemaker.requests.training_request import TrainingRequest
from tests.unit.local_cloud.sagemaker.tiny_cloud import (
    ACCOUNT,
    BUCKET,
    IMAGE,
    REGION,
    Cloud,
    channel,
    request,
)

DATA = channel("train", f"s3://{BUCKET}/data/")
S3_SOURCE = DATA["DataSource"]["S3DataSource"]


def algorithm(**members: Any) -> dict[str, Any]:
    base = {"TrainingImage": IMAGE, "TrainingInputMode": "File"}
    return {"AlgorithmSpecification": {**base, **members}}


def channels(**members: Any) -> dict[str, Any]:
    return {"InputDataConfig": [{**DATA, **members}]}


def source(**members: Any) -> dict[str, Any]:
    return channels(DataSource={"S3DataSource": {**S3_SOURCE, **members}})


@pytest.mark.parametrize(
    ("members", "said"),
    [
        (
            {"TrainingJobName": "under_score"},
            "1 validation error detected: Value 'under_score' at 'trainingJobName' failed to"
            " satisfy constraint: Member must satisfy regular expression pattern:"
            " [a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}",
        ),
        ({"TrainingJobName": "x" * 64}, "Member must have length less than or equal to 63"),
        (
            {"RoleArn": None},
            "Value null at 'roleArn' failed to satisfy constraint: Member must not",
        ),
        ({"RoleArn": "arn:aws:iam::1:role/x"}, "at 'roleArn' failed to satisfy constraint"),
        (
            {"OutputDataConfig": {}},
            "Value null at 'outputDataConfig.s3OutputPath' failed to satisfy constraint",
        ),
        (
            {"StoppingCondition": {"MaxRuntimeInSeconds": 0}},
            "Value '0' at 'stoppingCondition.maxRuntimeInSeconds' failed to satisfy constraint:"
            " Member must have value greater than or equal to 1",
        ),
        (algorithm(TrainingInputMode="Files"), "Member must satisfy enum value set: [Pipe, File"),
        ({"InputDataConfig": []}, "Member must have length greater than or equal to 1"),
        (
            channels(ChannelName="a/b"),
            "Value 'a/b' at 'inputDataConfig.1.member.channelName' failed to satisfy",
        ),
        ({"HyperParameters": {"long": "x" * 2501}}, "at 'hyperParameters.long.member' failed"),
        ({"Tags": [{"Key": "a!", "Value": ""}]}, "at 'tags.1.member.key' failed to satisfy"),
        ({"ResourceConfig": {}}, "You must specify InstanceType in ResourceConfig"),
        (algorithm(TrainingImage=""), "You must specify TrainingImage"),
        ({"AlgorithmSpecification": None}, "You must specify TrainingImage"),
        (
            algorithm(AlgorithmName="xgboost"),
            "does not support AlgorithmSpecification.AlgorithmName (",
        ),
        (algorithm(TrainingInputMode="Pipe"), "AlgorithmSpecification.TrainingInputMode Pipe ("),
        (channels(InputMode="Pipe"), "InputDataConfig[train].InputMode Pipe ("),
        (channels(CompressionType="Gzip"), "InputDataConfig[train].CompressionType Gzip ("),
        (channels(ChannelName=".."), "'..' cannot be the name of a folder"),
        (channels(DataSource={}), "DataSource of channel 'train' must be an S3DataSource"),
        (source(S3DataType="AugmentedManifestFile"), "S3DataType AugmentedManifestFile ("),
        (source(S3Uri="https://bucket/key"), "S3Uri of channel 'train' must have the form s3://"),
        (
            {"InputDataConfig": [DATA, DATA]},
            "Channel names must be unique, and 'train' comes twice",
        ),
        ({"OutputDataConfig": {"S3OutputPath": "https://x/y"}}, "S3OutputPath must have the form"),
        (
            algorithm(MetricDefinitions=[{"Name": "loss", "Regex": "loss=("}]),
            "The Regex of metric 'loss' is not a regular expression",
        ),
        (
            algorithm(MetricDefinitions=[{"Name": "loss", "Regex": "loss"}]),
            "The Regex of metric 'loss' needs a group that captures the value",
        ),
    ],
)
def test_a_request_that_cannot_be_run_is_refused_with_the_reason(
    cloud: Cloud, members: dict[str, Any], said: str
) -> None:
    code, message = cloud.refused("CreateTrainingJob", **{**request("bad"), **members})

    assert code == "ValidationException"
    assert said in message
    assert cloud.call("ListTrainingJobs")["TrainingJobSummaries"] == []


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ({"HyperParameters": {"epochs": 3}}, "hyperParameters.epochs.member must be a string"),
        ({"Environment": ["A"]}, "environment must be a map, not list"),
        ({"EnableManagedSpotTraining": 1}, "enableManagedSpotTraining must be a boolean"),
        ({"StoppingCondition": {"MaxRuntimeInSeconds": True}}, "must be a integer, not bool"),
    ],
)
def test_a_json_value_of_the_wrong_type_is_a_serialization_error(
    cloud: Cloud, members: dict[str, Any], said: str
) -> None:
    code, message = cloud.refused("CreateTrainingJob", **request("bad", **members))

    assert code == "SerializationException"
    assert said in message


@pytest.mark.parametrize("payload", [None, [], "text", 1])
def test_a_payload_that_is_no_object_is_refused(cloud: Cloud, payload: Any) -> None:
    status, body = cloud.service.handle("ListTrainingJobs", payload, ACCOUNT, REGION)

    assert (status, body["__type"]) == (400, "SerializationException")


def test_several_violations_are_all_named(cloud: Cloud) -> None:
    _, message = cloud.refused("CreateTrainingJob")

    assert message.startswith("3 validation errors detected: ")
    for member in ("trainingJobName", "roleArn", "outputDataConfig"):
        assert f"Value null at '{member}'" in message


def test_a_name_is_taken_for_ever_and_its_job_runs_once(cloud: Cloud) -> None:
    cloud.script("print('runs')")
    cloud.run("once")

    code, message = cloud.refused("CreateTrainingJob", **request("once"))
    cloud.restart()
    code_later, _ = cloud.refused("CreateTrainingJob", **request("once"))

    assert code == code_later == "ResourceInUse"
    arn = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:training-job/once"
    assert message == (
        "Training job names must be unique within an AWS account and region, and a training job"
        f" with this name already exists ({arn})"
    )
    assert cloud.log("once").count("runs") == 1
    assert cloud.describe("once")["TrainingJobStatus"] == "Completed"


def test_more_than_one_instance_is_over_the_limit(cloud: Cloud) -> None:
    resources = {"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 1}

    code, message = cloud.refused("CreateTrainingJob", **request("two", ResourceConfig=resources))

    assert code == "ResourceLimitExceeded"
    assert "'ml.m5.large for training job usage' is 1 Instances" in message


@pytest.mark.parametrize("action", ["DescribeTrainingJob", "StopTrainingJob"])
def test_an_unknown_job_is_a_validation_error_as_on_aws(cloud: Cloud, action: str) -> None:
    refusal = cloud.refused(action, TrainingJobName="nobody")

    assert refusal == ("ValidationException", "Requested resource not found.")


def test_an_action_that_does_not_exist_here_is_named(cloud: Cloud) -> None:
    code, message = cloud.refused("CreateEndpoint", EndpointName="x")

    assert code == "UnknownOperationException"
    assert (
        "does not have SageMaker's CreateEndpoint. It has: AddTags, CreateProcessingJob" in message
    )


def test_a_job_belongs_to_its_account_and_region(cloud: Cloud) -> None:
    cloud.script("")
    cloud.run("mine")

    for account, region in (("111111111111", REGION), (ACCOUNT, "eu-west-1")):
        payload = {"TrainingJobName": "mine"}
        status, _ = cloud.service.handle("DescribeTrainingJob", payload, account, region)
        assert status == 400
        _, listed = cloud.service.handle("ListTrainingJobs", {}, account, region)
        assert listed["TrainingJobSummaries"] == []


def test_what_describe_answers_fits_the_service_model(cloud: Cloud) -> None:
    cloud.script("")
    job = cloud.run("described", HyperParameters={"a": "b"}, Environment={"C": "d"})

    output = service_model().operation_model("DescribeTrainingJob").output_shape
    assert isinstance(output, StructureShape)
    assert set(output.required_members) <= set(job) <= set(output.members)
    sent = request("described", HyperParameters={"a": "b"}, Environment={"C": "d"})
    assert {name: job[name] for name in sent} == sent


def test_the_default_maximum_runtime_is_a_day() -> None:
    payload = request("default")
    del payload["StoppingCondition"]

    assert TrainingRequest.parse(payload).max_runtime == 24 * 60 * 60


@pytest.mark.parametrize(
    "action",
    ["CreateTrainingJob", "DescribeTrainingJob", "ListTrainingJobs", "StopTrainingJob"],
)
def test_every_pattern_of_our_actions_works_in_python(action: str) -> None:
    checked: set[str] = set()

    def check(shape: Shape) -> None:
        if shape.name in checked:
            return
        checked.add(shape.name)
        if pattern := shape.metadata.get("pattern"):
            compiled(pattern)
        for name in ("member", "key", "value"):
            if hasattr(shape, name):
                check(getattr(shape, name))
        for member in getattr(shape, "members", {}).values():
            check(member)

    shape = service_model().operation_model(action).input_shape
    assert shape is not None
    check(shape)
    assert len(checked) > 1
