"""What the requests of both kinds of jobs have in common.

`shapes.validate` has checked the form, `support.refuse` what this machine cannot do; here is the
meaning of what is left.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from local_cloud.sagemaker.errors import ResourceLimitError, ValidationError
from local_cloud.sagemaker.requests.channel import Channel

# SageMaker's default for StoppingCondition.MaxRuntimeInSeconds: a day.
DEFAULT_MAX_RUNTIME_SECONDS = 86_400


@dataclass(frozen=True)
class JobRequest:
    """What a container and its runner need to know of a request, whatever the kind of job.

    `notes`: what the job's log must say of it, a sentence each.
    """

    name: str
    image: str
    role_arn: str
    environment: Mapping[str, str]
    entrypoint: tuple[str, ...] | None
    arguments: tuple[str, ...] | None
    instance_type: str
    max_runtime: int
    network_isolation: bool
    output_kms_key: str | None
    channels: tuple[Channel, ...]
    notes: tuple[str, ...]

    @property
    def encryption(self) -> dict[str, str]:
        """The arguments of an upload."""
        if not self.output_kms_key:
            return {}
        return {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": self.output_kms_key}

    def names(self, text: str) -> bool:
        """Whether the command line or the environment speaks of `text`."""
        said = (*(self.entrypoint or ()), *(self.arguments or ()), *self.environment.values())
        return any(text in word for word in said)


def words(values: Iterable[str] | None) -> tuple[str, ...] | None:
    """An entry point or its arguments; None where the request leaves them to the image."""
    return tuple(values) if values else None


def one_instance(instance_type: str, count: int, job: str) -> None:
    """Refuse a cluster: ResourceLimitError. `job`: training or processing."""
    if count > 1:
        raise ResourceLimitError(
            f"The account-level service limit '{instance_type} for {job} job usage' is 1"
            f" Instances, and the request is for {count} Instances: the local cloud runs each job"
            " on one machine. Set InstanceCount to 1"
        )


def distinct(names: Iterable[str], what: str) -> None:
    """Refuse names that come twice, or that cannot be those of a folder: ValidationError."""
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise ValidationError(
                f"{what.capitalize()} names must be unique, and '{name}' comes twice"
            )
        if name in (".", ".."):
            raise ValidationError(f"'{name}' cannot be the name of a folder; rename the {what}")
        seen.add(name)


def max_runtime(payload: Mapping[str, Any]) -> int:
    """MaxRuntimeInSeconds."""
    stopping = payload.get("StoppingCondition") or {}
    return int(stopping.get("MaxRuntimeInSeconds", DEFAULT_MAX_RUNTIME_SECONDS))
