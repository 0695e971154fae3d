"""The table of what is honoured, ignored and refused: complete, and what requests get of it."""

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.model import ListShape, Shape, StructureShape

from local_cloud.sagemaker.errors import ValidationError
from local_cloud.sagemaker.requests import support
from local_cloud.sagemaker.requests.shapes import service_model, validate
from local_cloud.sagemaker.requests.support_table import Member, Treatment
from tests.unit.local_cloud.sagemaker.tiny_cloud import BUCKET, IMAGE, channel, request

OPERATIONS = list(support.TABLE)
TRAINING, PROCESSING = OPERATIONS
ROWS = [
    pytest.param(operation, member, id=f"{operation}:{member.path}")
    for operation, members in support.TABLE.items()
    for member in members
]
URI = f"s3://{BUCKET}/x"


def input_shape(operation: str) -> Shape:
    shape = service_model().operation_model(operation).input_shape
    assert shape is not None
    return shape


def leaves(shape: Shape, path: str = "") -> Iterator[str]:
    if isinstance(shape, StructureShape):
        for name, below in shape.members.items():
            yield from leaves(below, f"{path}.{name}" if path else name)
    elif isinstance(shape, ListShape) and isinstance(shape.member, StructureShape):
        yield from leaves(shape.member, f"{path}[]")
    else:
        yield path


def shape_at(operation: str, path: str) -> Shape | None:
    shape: Shape | None = input_shape(operation)
    for name in path.split("."):
        shape = getattr(shape, "members", {}).get(name.removesuffix("[]"))
        if name.endswith("[]"):
            shape = getattr(shape, "member", None)
    return shape


def stands_for(member: Member, leaf: str) -> bool:
    whole = member.treatment is not Treatment.HONOURED
    return leaf == member.path or (
        whole and leaf.startswith((f"{member.path}.", f"{member.path}["))
    )


def put(path: str, value: Any) -> dict[str, Any]:
    """A payload with nothing but this value at this path."""
    for name in reversed(path.split(".")):
        value = {name.removesuffix("[]"): [value] if name.endswith("[]") else value}
    return dict(value)


def refusal(operation: str, payload: dict[str, Any]) -> str:
    with pytest.raises(ValidationError) as caught:
        support.refuse(operation, payload)
    return caught.value.message


def training(**members: Any) -> dict[str, Any]:
    payload = {**request("job"), **members}
    validate(TRAINING, payload)
    return payload


@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_member_that_aws_has_is_in_one_row(operation: str) -> None:
    counted = {
        leaf: [member.path for member in support.TABLE[operation] if stands_for(member, leaf)]
        for leaf in leaves(input_shape(operation))
    }

    assert {leaf: rows for leaf, rows in counted.items() if len(rows) != 1} == {}


@pytest.mark.parametrize("operation", OPERATIONS)
def test_no_row_names_what_aws_does_not_have(operation: str) -> None:
    for member in support.TABLE[operation]:
        shape = shape_at(operation, member.path)

        assert shape is not None, member.path
        assert set(member.only) <= set(shape.metadata.get("enum", ())), member.path
        assert not member.off or member.off in getattr(shape, "members", {}), member.path


@pytest.mark.parametrize("operation", OPERATIONS)
def test_what_is_not_honoured_has_its_reason(operation: str) -> None:
    for member in support.TABLE[operation]:
        honoured = member.treatment is Treatment.HONOURED

        assert honoured or member.note, member.path
        assert honoured or not member.only, member.path
        assert bool(member.only) == bool(member.otherwise), member.path


@pytest.mark.parametrize(("operation", "member"), ROWS)
def test_a_row_acts_as_it_says(operation: str, member: Member) -> None:
    payload = put(member.path, {"Some": "thing"} if not member.only else member.only[0])

    if member.treatment is Treatment.REFUSED:
        assert member.note in refusal(operation, payload)
    else:
        support.refuse(operation, payload)
    said = support.ignored(operation, payload)
    assert len(said) == (member.treatment is Treatment.IGNORED)
    assert all(sentence.endswith(f" is ignored: {member.note}") for sentence in said)


@pytest.mark.parametrize(
    ("operation", "member"), [row for row in ROWS if getattr(row.values[1], "only", ())]
)
def test_of_a_member_with_choices_only_those_in_the_table_pass(
    operation: str, member: Member
) -> None:
    shape = shape_at(operation, member.path)
    assert shape is not None

    for choice in shape.metadata["enum"]:
        payload = put(member.path, choice)
        if choice in member.only:
            support.refuse(operation, payload)
        else:
            message = refusal(operation, payload)
            assert f"{choice} ({member.otherwise})" in message


def test_all_that_is_refused_is_named_at_once_with_place_reason_and_remedy() -> None:
    source = {"S3DataType": "S3Prefix", "S3Uri": URI, "AttributeNames": ["label"]}
    payload = training(
        AlgorithmSpecification={
            "TrainingImage": IMAGE,
            "AlgorithmName": "mine",
            "TrainingInputMode": "File",
        },
        InputDataConfig=[
            channel("train", URI),
            {"ChannelName": "test", "DataSource": {"S3DataSource": source}, "InputMode": "Pipe"},
        ],
    )

    assert refusal(TRAINING, payload) == (
        "The local cloud does not support AlgorithmSpecification.AlgorithmName (algorithm resources"
        " and the Marketplace are AWS's; give TrainingImage);"
        " InputDataConfig[test].DataSource.S3DataSource.AttributeNames (they belong to"
        " AugmentedManifestFile, which needs Pipe mode; list the files in a ManifestFile);"
        " InputDataConfig[test].InputMode Pipe (data cannot be streamed here; choose File)"
    )


def test_what_is_refused_of_a_processing_job_is_named_by_input_and_output() -> None:
    payload = {
        "ProcessingInputs": [
            {"InputName": "photos", "S3Input": {"S3InputMode": "Pipe"}},
            {"S3Input": {"S3CompressionType": "Gzip"}},
        ],
        "ProcessingOutputConfig": {
            "Outputs": [{"OutputName": "features", "FeatureStoreOutput": {"FeatureGroupName": "f"}}]
        },
    }

    message = refusal(PROCESSING, payload)

    assert "ProcessingInputs[photos].S3Input.S3InputMode Pipe (" in message
    assert "ProcessingInputs[2].S3Input.S3CompressionType Gzip (" in message
    assert "ProcessingOutputConfig.Outputs[features].FeatureStoreOutput (" in message


@pytest.mark.parametrize(
    "members",
    [
        {"VpcConfig": None},
        {"InputDataConfig": None},
        {"InputDataConfig": [{**channel("train", URI), "CompressionType": "None"}]},
        {"InputDataConfig": [{**channel("train", URI), "RecordWrapperType": "None"}]},
        {"InputDataConfig": [{**channel("train", URI), "InputMode": "File"}]},
        {"InputDataConfig": [{**channel("train", URI), "ShuffleConfig": None}]},
        {"DebugRuleConfigurations": []},
        {"ProfilerRuleConfigurations": None},
        {"ProfilerConfig": {"DisableProfiler": True}},
        {"ProfilerConfig": {"DisableProfiler": True, "S3OutputPath": URI}},
        {"ProfilerConfig": {}},
        {"RemoteDebugConfig": {"EnableRemoteDebug": False}},
        {"InfraCheckConfig": {"EnableInfraCheck": False}},
        {"SessionChainingConfig": {"EnableSessionTagChaining": False}},
        {"EnableManagedSpotTraining": False},
        {"EnableInterContainerTrafficEncryption": False},
        {"ModelPackageConfig": None},
        {"MlflowConfig": None},
        {"ResourceConfig": {"InstanceType": "ml.m5.large", "KeepAlivePeriodInSeconds": 0}},
    ],
)
def test_a_value_that_asks_for_nothing_is_let_through_in_silence(members: dict[str, Any]) -> None:
    payload = training(**members)

    support.refuse(TRAINING, payload)
    spoken = support.ignored(TRAINING, {name: payload[name] for name in members})
    assert spoken == []


def test_the_log_is_told_of_each_member_that_changes_nothing() -> None:
    payload = training(
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 30},
        EnableManagedSpotTraining=True,
        ProfilerConfig={"S3OutputPath": URI, "DisableProfiler": False},
        InputDataConfig=[{**channel("train", URI), "ShuffleConfig": {"Seed": 1}}],
    )

    support.refuse(TRAINING, payload)
    assert support.ignored(TRAINING, payload) == [
        "InputDataConfig[train].ShuffleConfig is ignored: it orders what is streamed; the files of"
        " a folder have no order",
        "ResourceConfig.VolumeSizeInGB is ignored: a job may use what room the disk has",
        "EnableManagedSpotTraining is ignored: a job here is never interrupted",
        "ProfilerConfig is ignored: no instance of AWS to profile",
    ]


def test_what_the_sagemaker_sdks_trainer_sends_is_not_refused() -> None:
    uploaded = {**channel("code", f"{URI}/code/"), "InputMode": "File"}
    payload = training(
        AlgorithmSpecification={
            "TrainingImage": IMAGE,
            "TrainingInputMode": "File",
            "MetricDefinitions": [{"Name": "loss", "Regex": "loss=(.*)"}],
            "ContainerEntrypoint": ["/bin/bash"],
            "ContainerArguments": ["-c", "chmod +x /opt/ml/input/data/sm_drivers/sm_train.sh"],
            "TrainingImageConfig": {"TrainingRepositoryAccessMode": "Platform"},
        },
        HyperParameters={"sagemaker_region": '"us-east-1"'},
        InputDataConfig=[uploaded],
        ResourceConfig={"InstanceType": "ml.m5.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 30},
        VpcConfig={"SecurityGroupIds": ["sg-0"], "Subnets": ["subnet-0"]},
        StoppingCondition={"MaxRuntimeInSeconds": 3600, "MaxWaitTimeInSeconds": 3600},
        CheckpointConfig={"S3Uri": URI, "LocalPath": "/opt/ml/checkpoints"},
        EnableManagedSpotTraining=True,
        EnableInterContainerTrafficEncryption=True,
        EnableNetworkIsolation=False,
        Environment={"A": "b"},
        RemoteDebugConfig={"EnableRemoteDebug": True},
        RetryStrategy={"MaximumRetryAttempts": 3},
        InfraCheckConfig={"EnableInfraCheck": True},
        SessionChainingConfig={"EnableSessionTagChaining": True},
    )

    support.refuse(TRAINING, payload)


def test_the_debugger_and_profiler_that_sdk_2_sends_unasked_are_not_refused() -> None:
    payload = training(
        DebugHookConfig={"S3OutputPath": URI, "CollectionConfigurations": []},
        ProfilerConfig={"S3OutputPath": URI, "DisableProfiler": False},
    )

    support.refuse(TRAINING, payload)
    said = " ".join(support.ignored(TRAINING, payload))
    assert "DebugHookConfig.S3OutputPath is ignored" in said
    assert "ProfilerConfig is ignored" in said


def test_what_the_sagemaker_sdks_processor_sends_passes_and_only_the_volume_is_ignored() -> None:
    payload = {
        "ProcessingJobName": "job",
        "RoleArn": request("job")["RoleArn"],
        "ProcessingInputs": [
            {
                "InputName": "code",
                "AppManaged": False,
                "S3Input": {
                    "S3Uri": URI,
                    "LocalPath": "/opt/ml/processing/input/code",
                    "S3DataType": "S3Prefix",
                    "S3InputMode": "File",
                    "S3DataDistributionType": "FullyReplicated",
                    "S3CompressionType": "None",
                },
            }
        ],
        "ProcessingResources": {
            "ClusterConfig": {
                "InstanceType": "ml.m5.large",
                "InstanceCount": 1,
                "VolumeSizeInGB": 30,
            }
        },
        "AppSpecification": {"ImageUri": IMAGE, "ContainerEntrypoint": ["python3", "x.py"]},
        "NetworkConfig": {
            "EnableNetworkIsolation": False,
            "EnableInterContainerTrafficEncryption": False,
        },
    }
    validate(PROCESSING, payload)

    support.refuse(PROCESSING, payload)
    assert support.ignored(PROCESSING, payload) == [
        "ProcessingResources.ClusterConfig.VolumeSizeInGB is ignored: a job may use what room the"
        " disk has"
    ]
