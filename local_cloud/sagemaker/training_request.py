"""The part of CreateTrainingJob that a job needs to run, and what this emulator refuses.

`shapes.validate` has checked the form; here is the meaning. What AWS would do and this machine
cannot is refused with a sentence, never silently ignored, where it changes what the job sees.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from local_cloud.sagemaker.errors import ResourceLimitError, ValidationError

# SageMaker's default for StoppingCondition.MaxRuntimeInSeconds: a day.
DEFAULT_MAX_RUNTIME_SECONDS = 86_400

_REFUSED_MEMBERS = {
    "CheckpointConfig": "checkpoints are not synchronised",
    "ServerlessJobConfig": "there are no serverless jobs",
    "EnableNetworkIsolation": "jobs share this machine's network",
}


@dataclass(frozen=True)
class S3Location:
    """A bucket and a key or key prefix (which may be empty)."""

    bucket: str
    key: str

    @classmethod
    def parse(cls, uri: str, member: str) -> "S3Location":
        """Read `s3://bucket/key`; ValidationError naming `member` for anything else."""
        scheme, _, rest = uri.partition("://")
        bucket, _, key = rest.partition("/")
        if scheme != "s3" or not bucket:
            raise ValidationError(f"{member} must have the form s3://bucket/key, not '{uri}'")
        return cls(bucket, key)

    @property
    def uri(self) -> str:
        """`s3://bucket/key`."""
        return f"s3://{self.bucket}/{self.key}"

    def below(self, *parts: str) -> "S3Location":
        """The location of `parts` below this one, as a folder."""
        folder = [self.key.rstrip("/")] if self.key.rstrip("/") else []
        return S3Location(self.bucket, "/".join([*folder, *parts]))


@dataclass(frozen=True)
class Channel:
    """One entry of InputDataConfig. `data_type` is S3Prefix or ManifestFile."""

    name: str
    data_type: str
    location: S3Location
    content_type: str | None


@dataclass(frozen=True)
class TrainingRequest:
    """What a container and its runner need to know of a CreateTrainingJob call."""

    name: str
    image: str
    role_arn: str
    hyperparameters: Mapping[str, str]
    environment: Mapping[str, str]
    channels: tuple[Channel, ...]
    output: S3Location
    output_kms_key: str | None
    compress_output: bool
    instance_type: str
    max_runtime: int
    entrypoint: tuple[str, ...] | None
    arguments: tuple[str, ...] | None
    metric_patterns: Mapping[str, str]

    @classmethod
    def parse(cls, payload: Mapping[str, Any]) -> "TrainingRequest":
        """Read a payload that `shapes.validate` accepted.

        Raises ValidationError or ResourceLimitError, with what to do instead.
        """
        for member, reason in _REFUSED_MEMBERS.items():
            if payload.get(member):
                raise ValidationError(f"{member} is not supported by the local cloud: {reason}")
        algorithm = payload.get("AlgorithmSpecification") or {}
        _refuse_modes(algorithm, "AlgorithmSpecification")
        output = payload["OutputDataConfig"]
        stopping = payload.get("StoppingCondition") or {}
        entrypoint = algorithm.get("ContainerEntrypoint")
        arguments = algorithm.get("ContainerArguments")
        return cls(
            name=payload["TrainingJobName"],
            image=_image(algorithm),
            role_arn=payload["RoleArn"],
            hyperparameters=dict(payload.get("HyperParameters") or {}),
            environment=dict(payload.get("Environment") or {}),
            channels=_channels(payload.get("InputDataConfig") or []),
            output=S3Location.parse(output["S3OutputPath"], "S3OutputPath"),
            output_kms_key=output.get("KmsKeyId") or None,
            compress_output=output.get("CompressionType", "GZIP") == "GZIP",
            instance_type=_instance_type(payload.get("ResourceConfig") or {}),
            max_runtime=stopping.get("MaxRuntimeInSeconds", DEFAULT_MAX_RUNTIME_SECONDS),
            entrypoint=tuple(entrypoint) if entrypoint else None,
            arguments=tuple(arguments) if arguments else None,
            metric_patterns=_metric_patterns(algorithm.get("MetricDefinitions") or []),
        )


def _image(algorithm: Mapping[str, Any]) -> str:
    image = algorithm.get("TrainingImage")
    if algorithm.get("AlgorithmName"):
        raise ValidationError(
            "AlgorithmName is not supported by the local cloud; name an image in TrainingImage"
        )
    if not image:
        raise ValidationError("You must specify TrainingImage in AlgorithmSpecification")
    return str(image)


def _instance_type(resources: Mapping[str, Any]) -> str:
    instance_type = resources.get("InstanceType")
    if not instance_type:
        raise ValidationError(
            "You must specify InstanceType in ResourceConfig"
            " (InstanceGroups are not supported by the local cloud)"
        )
    count = resources.get("InstanceCount", 1)
    if count > 1:
        raise ResourceLimitError(
            f"The account-level service limit '{instance_type} for training job usage' is 1"
            f" Instances, and the request is for {count} Instances: the local cloud trains on"
            " one machine. Set InstanceCount to 1"
        )
    return str(instance_type)


def _refuse_modes(member: Mapping[str, Any], where: str) -> None:
    mode = member.get("TrainingInputMode") or member.get("InputMode") or "File"
    if mode == "Pipe":
        raise ValidationError(
            f"Pipe mode in {where} is not supported by the local cloud; use File"
            " (FastFile is accepted, and downloads the data as File does)"
        )


def _channels(configs: list[Mapping[str, Any]]) -> tuple[Channel, ...]:
    channels = tuple(_channel(config) for config in configs)
    names = [channel.name for channel in channels]
    if len(set(names)) < len(names):
        raise ValidationError(f"Channel names must be unique, got: {', '.join(names)}")
    return channels


def _channel(config: Mapping[str, Any]) -> Channel:
    name = config["ChannelName"]
    where = f"channel '{name}'"
    if name in (".", ".."):
        raise ValidationError(f"'{name}' cannot be the name of a folder; rename the channel")
    _refuse_modes(config, where)
    for member in ("CompressionType", "RecordWrapperType"):
        if config.get(member, "None") != "None":
            raise ValidationError(f"{member} in {where} needs Pipe mode; leave it out in File mode")
    source = config["DataSource"].get("S3DataSource")
    if not source:
        raise ValidationError(f"The DataSource of {where} must be an S3DataSource")
    if source["S3DataType"] not in ("S3Prefix", "ManifestFile"):
        raise ValidationError(
            f"S3DataType {source['S3DataType']} in {where} is not supported by the local cloud;"
            " use S3Prefix or ManifestFile"
        )
    location = S3Location.parse(source["S3Uri"], f"S3Uri of {where}")
    return Channel(name, source["S3DataType"], location, config.get("ContentType"))


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
