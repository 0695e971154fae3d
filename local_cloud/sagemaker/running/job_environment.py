"""What a container is started with: its command and its environment variables."""

from collections.abc import Mapping

from local_cloud.sagemaker.config import SageMakerConfig
from local_cloud.sagemaker.records.jobs import JobKey
from local_cloud.sagemaker.running.tasks import Task


def command(task: Task, image_command: tuple[str, ...]) -> tuple[str, ...]:
    """The argument list: the image's command, or what the request puts in its place.

    ContainerEntrypoint replaces the command, ContainerArguments what SageMaker gives it.
    """
    request = task.request
    if request.entrypoint:
        return (*request.entrypoint, *(request.arguments or ()))
    return (*image_command, *(request.arguments or task.arguments))


def variables(
    config: SageMakerConfig, key: JobKey, task: Task, credentials: Mapping[str, str]
) -> dict[str, str]:
    """The request's Environment, and what SageMaker sets, which wins.

    A container without a network gets neither endpoint nor credentials, as on AWS.
    """
    if task.request.network_isolation:
        access: dict[str, str] = {}
    else:
        access = {"AWS_ENDPOINT_URL": config.endpoint_url, **credentials}
        if config.ca_bundle:
            access["AWS_CA_BUNDLE"] = str(config.ca_bundle)
    return {
        **task.request.environment,
        **task.variables,
        "AWS_REGION": key.region,
        "AWS_DEFAULT_REGION": key.region,
        **access,
    }
