"""The part of CreateProcessingJob that a job needs to run."""

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

_PROCESSING = PurePosixPath("/opt/ml/processing")
_CONTINUOUS = "Continuous"


@dataclass(frozen=True)
class Output:
    """One entry of ProcessingOutputConfig.Outputs. `folder`: relative to /opt/ml."""

    name: str
    folder: PurePosixPath
    location: S3Location
    continuous: bool


@dataclass(frozen=True)
class ProcessingRequest(JobRequest):
    """What a container and its runner need to know of a CreateProcessingJob call.

    `folders`: where each of the channels goes, relative to /opt/ml, by its InputName.
    """

    folders: Mapping[str, PurePosixPath]
    outputs: tuple[Output, ...]

    @classmethod
    def parse(cls, payload: Mapping[str, Any]) -> "ProcessingRequest":
        """Read a payload that `shapes.validate` accepted.

        Raises ValidationError or ResourceLimitError, with what to do instead.
        """
        support.refuse("CreateProcessingJob", payload)
        application = payload["AppSpecification"]
        cluster = payload["ProcessingResources"]["ClusterConfig"]
        instance_type = cluster.get("InstanceType")
        if not instance_type:
            raise ValidationError("You must specify InstanceType in ClusterConfig")
        one_instance(instance_type, cluster.get("InstanceCount", 1), "processing")
        inputs = payload.get("ProcessingInputs") or []
        distinct((config["InputName"] for config in inputs), "input")
        # What the application manages itself is not this side's to move.
        inputs = [config for config in inputs if not config.get("AppManaged")]
        output_config = payload.get("ProcessingOutputConfig") or {}
        outputs = output_config.get("Outputs") or []
        distinct((config["OutputName"] for config in outputs), "output")
        return cls(
            name=payload["ProcessingJobName"],
            image=application["ImageUri"],
            role_arn=payload["RoleArn"],
            environment=dict(payload.get("Environment") or {}),
            entrypoint=words(application.get("ContainerEntrypoint")),
            arguments=words(application.get("ContainerArguments")),
            instance_type=instance_type,
            max_runtime=max_runtime(payload),
            network_isolation=bool(
                (payload.get("NetworkConfig") or {}).get("EnableNetworkIsolation")
            ),
            output_kms_key=output_config.get("KmsKeyId") or None,
            channels=tuple(_input(config) for config in inputs),
            folders=_folders(inputs),
            outputs=tuple(_output(config) for config in outputs if not config.get("AppManaged")),
            notes=tuple(support.ignored("CreateProcessingJob", payload)),
        )


def _input(config: Mapping[str, Any]) -> Channel:
    name = config["InputName"]
    source = config.get("S3Input")
    if not source:
        raise ValidationError(f"The input '{name}' must have an S3Input")
    location = S3Location.parse(source["S3Uri"], f"S3Uri of input '{name}'")
    return Channel(name, source["S3DataType"], location, None)


def _folders(inputs: list[Mapping[str, Any]]) -> dict[str, PurePosixPath]:
    folders = {
        config["InputName"]: _folder(
            config["S3Input"].get("LocalPath"), f"input '{config['InputName']}'"
        )
        for config in inputs
        if config.get("S3Input")
    }
    if len(set(folders.values())) < len(folders):
        raise ValidationError("Two inputs have the same LocalPath; give each a folder of its own")
    return folders


def _output(config: Mapping[str, Any]) -> Output:
    name = config["OutputName"]
    target = config.get("S3Output")
    if not target:
        raise ValidationError(f"The output '{name}' must have an S3Output")
    return Output(
        name=name,
        folder=_folder(target.get("LocalPath"), f"output '{name}'"),
        location=S3Location.parse(target["S3Uri"], f"S3Uri of output '{name}'"),
        continuous=target["S3UploadMode"] == _CONTINUOUS,
    )


def _folder(local_path: str | None, where: str) -> PurePosixPath:
    path = PurePosixPath(local_path or "")
    if not path.is_relative_to(_PROCESSING) or path == _PROCESSING or ".." in path.parts:
        raise ValidationError(
            f"LocalPath '{path if local_path else ''}' of {where} must be a folder below"
            f" {_PROCESSING}"
        )
    return path.relative_to(_PROCESSING.parent)
