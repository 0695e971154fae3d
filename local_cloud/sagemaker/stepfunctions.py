"""The Step Functions integrations: `arn:aws:states:::sagemaker:create*Job[.sync]`."""

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Final

from botocore.model import ListShape, Shape, StructureShape

from local_cloud.sagemaker.errors import SageMakerError
from local_cloud.sagemaker.records.job_types import JOB_TYPES, JobType
from local_cloud.sagemaker.records.jobs import JobKey
from local_cloud.sagemaker.requests.shapes import service_model
from local_cloud.sagemaker.service import SageMakerService

_SYNC: Final = ".sync"
INTEGRATIONS: Final[Mapping[str, JobType]] = {
    f"arn:aws:states:::sagemaker:create{kind.noun}": kind for kind in JOB_TYPES.values()
}
"""Task resources, without `.sync`."""

_OTHER_ERRORS: Final = "SageMaker.AmazonSageMakerException"
_TASK_FAILED: Final = "States.TaskFailed"


class TaskFailed(Exception):  # noqa: N818 (States.TaskFailed is its name)
    """A task that failed: error name and cause, for the state's Retry and Catch."""

    def __init__(self, error: str, cause: str) -> None:
        super().__init__(f"{error}: {cause}")
        self.error = error
        self.cause = cause


class TaskAbandoned(Exception):  # noqa: N818 (it is nobody's error)
    """Nobody waits for the task any more; its job was told to stop."""


def run_task(
    service: SageMakerService,
    resource: str,
    arguments: Any,
    *,
    account: str,
    region: str,
    abandoned: Callable[[], bool] = lambda: False,
) -> dict[str, Any]:
    """Run a task state's resource and return its output. Blocks until the job ends for `.sync`.

    `abandoned`: whether the execution was stopped, or the state has timed out. Then the job is
    stopped, as Step Functions does, and TaskAbandoned raised.

    Output: that of Create*Job, or for `.sync` the job's description (timestamps are epoch
    milliseconds here, as Step Functions has them). Raises TaskFailed.
    """
    kind = INTEGRATIONS.get(resource.removesuffix(_SYNC))
    if kind is None:
        raise TaskFailed("States.Runtime", f"The local cloud does not have {resource}")
    action = f"Create{kind.noun}"
    try:
        created = service.call(action, arguments, account, region)
    except SageMakerError as error:
        cause = f"{error.message} (Service: SageMaker, Error Code: {error.code})"
        raise TaskFailed(_name(action, error), cause) from error
    if not resource.endswith(_SYNC):
        return created
    name = arguments[kind.name_member]
    job = service.wait(JobKey(account, region, name, kind.kind), abandoned)
    if not job.has_ended:
        with suppress(SageMakerError):  # it has ended meanwhile
            service.call(f"Stop{kind.noun}", {kind.name_member: name}, account, region)
        raise TaskAbandoned(job.key.arn)
    shape = service_model().operation_model(f"Describe{kind.noun}").output_shape
    if shape is None:
        raise RuntimeError(f"the service model has no output for Describe{kind.noun}")
    description = _in_milliseconds(shape, kind.describe(job))
    if job.status != "Completed":
        raise TaskFailed(_TASK_FAILED, json.dumps(description))
    return dict(description)


def _name(action: str, error: SageMakerError) -> str:
    """Step Functions' name for an error: that of the exception class of the SDK it calls with.

    Errors that the SageMaker model declares for an action have a class each, all others share one.
    """
    declared = {shape.name for shape in service_model().operation_model(action).error_shapes}
    return f"SageMaker.{error.code}Exception" if error.code in declared else _OTHER_ERRORS


def _in_milliseconds(shape: Shape, value: Any) -> Any:
    if shape.type_name == "timestamp":
        return int(value * 1000)
    if isinstance(shape, StructureShape) and isinstance(value, Mapping):
        return {name: _in_milliseconds(shape.members[name], item) for name, item in value.items()}
    if isinstance(shape, ListShape):
        return [_in_milliseconds(shape.member, item) for item in value]
    return value
