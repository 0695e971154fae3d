"""The part of CreateTrainingJob that a job needs to run."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from local_cloud.sagemaker.errors import ValidationError
from local_cloud.sagemaker.requests import support
from local_cloud.sagemaker.requests.channel import Channel
from local_cloud.sagemaker.requests.job_request import (
    JobRequest,
    distinct,
    max_runtime,
    one_instance,
    words,
)
from local_cloud.sagemaker.requests.s3_location import S3Location

# SageMaker's names where the request gives none.
INSTANCE_GROUP = "homogeneousCluster"
CHECKPOINTS = "/opt/ml/checkpoints"
_OPT_ML = PurePosixPath("/opt/ml")
# What SageMaker itself fills: checkpoints may not lie over it.
_TAKEN = ("input", "model", "output", "code")


@dataclass(frozen=True)
class Checkpoints:
    """CheckpointConfig. `folder`: relative to /opt/ml."""

    location: S3Location
    folder: PurePosixPath


@dataclass(frozen=True)
class TrainingRequest(JobRequest):
    """What a container and its runner need to know of a CreateTrainingJob call."""

    hyperparameters: Mapping[str, str]
    output: S3Location
    compress_output: bool
    instance_group: str
    checkpoints: Checkpoints | None
    metric_patterns: Mapping[str, str]

    @classmethod
    def parse(cls, payload: Mapping[str, Any]) -> "TrainingRequest":
        """Read a payload that `shapes.validate` accepted.

        Raises ValidationError or ResourceLimitError, with what to do instead.
        """
        support.refuse("CreateTrainingJob", payload)
        algorithm = payload.get("AlgorithmSpecification") or {}
        output = payload["OutputDataConfig"]
        instance_type, group = _instance(payload.get("ResourceConfig") or {})
        configs = payload.get("InputDataConfig") or []
        distinct((config["ChannelName"] for config in configs), "channel")
        return cls(
            name=payload["TrainingJobName"],
            image=_image(algorithm),
            role_arn=payload["RoleArn"],
            hyperparameters=dict(payload.get("HyperParameters") or {}),
            environment=dict(payload.get("Environment") or {}),
            channels=tuple(_channel(config, group) for config in configs),
            output=S3Location.parse(output["S3OutputPath"], "S3OutputPath"),
            output_kms_key=output.get("KmsKeyId") or None,
            compress_output=output.get("CompressionType", "GZIP") == "GZIP",
            instance_type=instance_type,
            instance_group=group,
            max_runtime=max_runtime(payload),
            network_isolation=bool(payload.get("EnableNetworkIsolation")),
            entrypoint=words(algorithm.get("ContainerEntrypoint")),
            arguments=words(algorithm.get("ContainerArguments")),
            checkpoints=_checkpoints(payload.get("CheckpointConfig")),
            metric_patterns=_metric_patterns(algorithm.get("MetricDefinitions") or []),
            notes=(*support.ignored("CreateTrainingJob", payload), *_fast_files(payload)),
        )


def _image(algorithm: Mapping[str, Any]) -> str:
    image = algorithm.get("TrainingImage")
    if not image:
        raise ValidationError("You must specify TrainingImage in AlgorithmSpecification")
    return str(image)


def _instance(resources: Mapping[str, Any]) -> tuple[str, str]:
    """The type of the one instance, and the name of its group."""
    groups = resources.get("InstanceGroups") or []
    if groups and resources.get("InstanceType"):
        raise ValidationError("Give either InstanceType or InstanceGroups in ResourceConfig")
    if len(groups) > 1:
        names = ", ".join(group["InstanceGroupName"] for group in groups)
        raise ValidationError(
            f"The local cloud runs a job on one machine, and InstanceGroups has {len(groups)}"
            f" groups ({names}). Give one group of one instance"
        )
    one = groups[0] if groups else resources
    instance_type = one.get("InstanceType")
    if not instance_type:
        raise ValidationError("You must specify InstanceType in ResourceConfig")
    one_instance(instance_type, one.get("InstanceCount", 1), "training")
    return str(instance_type), str(one.get("InstanceGroupName", INSTANCE_GROUP))


def _channel(config: Mapping[str, Any], group: str) -> Channel:
    name = config["ChannelName"]
    source = config["DataSource"].get("S3DataSource")
    if not source:
        raise ValidationError(f"The DataSource of channel '{name}' must be an S3DataSource")
    others = [other for other in source.get("InstanceGroupNames") or [] if other != group]
    if others:
        raise ValidationError(
            f"Channel '{name}' is for the instance groups {', '.join(others)}, which the request"
            " does not have in InstanceGroups"
        )
    location = S3Location.parse(source["S3Uri"], f"S3Uri of channel '{name}'")
    return Channel(name, source["S3DataType"], location, config.get("ContentType"))


def _fast_files(payload: Mapping[str, Any]) -> list[str]:
    default = payload["AlgorithmSpecification"].get("TrainingInputMode")
    return [
        f"Channel {config['ChannelName']}: FastFile is done as File, everything is downloaded first"
        for config in payload.get("InputDataConfig") or []
        if (config.get("InputMode") or default) == "FastFile"
    ]


def _checkpoints(config: Mapping[str, Any] | None) -> Checkpoints | None:
    if not config:
        return None
    location = S3Location.parse(config["S3Uri"], "S3Uri of CheckpointConfig")
    path = PurePosixPath(config.get("LocalPath") or CHECKPOINTS)
    inside = path.is_relative_to(_OPT_ML) and path != _OPT_ML and ".." not in path.parts
    if not inside or path.relative_to(_OPT_ML).parts[0] in _TAKEN:
        raise ValidationError(
            f"LocalPath {path} of CheckpointConfig must be a folder of its own below /opt/ml"
            f" (and not in {', '.join(f'/opt/ml/{taken}' for taken in _TAKEN)}): nothing else is"
            f" the job's alone here. Leave it out for {CHECKPOINTS}"
        )
    return Checkpoints(location, path.relative_to(_OPT_ML))


def _metric_patterns(definitions: list[Mapping[str, str]]) -> dict[str, str]:
    for definition in definitions:
        try:
            groups = re.compile(definition["Regex"]).groups
        except re.error as error:
            raise ValidationError(
                f"The Regex of metric '{definition['Name']}' is not a regular expression: {error}"
            ) from None
        if groups < 1:
            raise ValidationError(
                f"The Regex of metric '{definition['Name']}' needs a group that captures the value"
            )
    return {definition["Name"]: definition["Regex"] for definition in definitions}
