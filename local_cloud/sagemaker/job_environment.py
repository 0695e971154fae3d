"""What a training container is started with: its command and its environment variables."""

from collections.abc import Mapping
from pathlib import Path

from local_cloud.sagemaker.config import SageMakerConfig
from local_cloud.sagemaker.images import Image
from local_cloud.sagemaker.jobs import JobKey
from local_cloud.sagemaker.training_request import TrainingRequest

# SageMaker starts a training image as `docker run <image> train`.
_TRAIN = ("train",)


def command(request: TrainingRequest, image: Image) -> tuple[str, ...]:
    """The argument list: the image's command and `train`, or what the request puts in their place.

    ContainerEntrypoint replaces the command, ContainerArguments replaces `train`.
    """
    if request.entrypoint:
        return (*request.entrypoint, *(request.arguments or ()))
    return (*image.command, *(request.arguments or _TRAIN))


def variables(
    config: SageMakerConfig,
    *,
    key: JobKey,
    request: TrainingRequest,
    image: Image,
    python: Path,
    home: Path,
    credentials: Mapping[str, str],
) -> dict[str, str]:
    """The whole environment: nothing of this process's own gets in.

    Later entries win: defaults, the image's ENV, the request's Environment, what SageMaker sets.
    """
    endpoint = {"AWS_ENDPOINT_URL": config.endpoint_url}
    if config.ca_bundle:
        endpoint["AWS_CA_BUNDLE"] = str(config.ca_bundle)
    return {
        "PATH": f"{python / 'bin'}:/usr/local/bin:/usr/bin:/bin",
        "HOME": str(home),
        "TMPDIR": str(home),
        "LANG": "C.UTF-8",
        "PYTHONUNBUFFERED": "1",
        **image.environment,
        **request.environment,
        "TRAINING_JOB_NAME": key.name,
        "TRAINING_JOB_ARN": key.arn,
        "AWS_REGION": key.region,
        "AWS_DEFAULT_REGION": key.region,
        **endpoint,
        **credentials,
    }
