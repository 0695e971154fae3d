"""The Step Functions integration: `arn:aws:states:::sagemaker:createTrainingJob[.sync]`."""

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from botocore.model import ListShape, Shape, StructureShape

from local_cloud.sagemaker import training_job
from local_cloud.sagemaker.errors import (
    ResourceInUseError,
    ResourceLimitError,
    SageMakerError,
)
from local_cloud.sagemaker.jobs import JobKey
from local_cloud.sagemaker.service import SageMakerService
from local_cloud.sagemaker.shapes import service_model

CREATE_TRAINING_JOB = "arn:aws:states:::sagemaker:createTrainingJob"

# Step Functions names an error after the exception class of the SDK it calls with. Errors that
# the SageMaker model declares for CreateTrainingJob have a class each, all others share one.
_DECLARED_ERRORS = {
    ResourceInUseError: "SageMaker.ResourceInUseException",
    ResourceLimitError: "SageMaker.ResourceLimitExceededException",
}
_OTHER_ERRORS = "SageMaker.AmazonSageMakerException"
_TASK_FAILED = "States.TaskFailed"


class TaskFailed(Exception):  # noqa: N818 (States.TaskFailed is its name)
    """A task that failed: error name and cause, for the state's Retry and Catch."""

    def __init__(self, error: str, cause: str) -> None:
        super().__init__(f"{error}: {cause}")
        self.error = error
        self.cause = cause


def run_task(
    service: SageMakerService, resource: str, arguments: Any, account: str, region: str
) -> dict[str, Any]:
    """Run a task state's resource and return its output. Blocks until the job ends for `.sync`.

    Output: the CreateTrainingJob output, or for `.sync` the job's description (timestamps are
    epoch milliseconds here, as Step Functions has them). Raises TaskFailed.
    """
    if resource not in (CREATE_TRAINING_JOB, f"{CREATE_TRAINING_JOB}.sync"):
        raise TaskFailed("States.Runtime", f"The local cloud does not have {resource}")
    try:
        created = service.call("CreateTrainingJob", arguments, account, region)
    except SageMakerError as error:
        name = _DECLARED_ERRORS.get(type(error), _OTHER_ERRORS)
        cause = f"{error.message} (Service: SageMaker, Error Code: {error.code})"
        raise TaskFailed(name, cause) from error
    if not resource.endswith(".sync"):
        return created
    job = service.wait(JobKey(account, region, arguments["TrainingJobName"]))
    description = _in_milliseconds(_description_shape(), training_job.describe(job))
    if job.status != "Completed":
        raise TaskFailed(_TASK_FAILED, json.dumps(description))
    return dict(description)


@lru_cache(maxsize=1)
def _description_shape() -> Shape:
    shape = service_model().operation_model("DescribeTrainingJob").output_shape
    if shape is None:
        raise RuntimeError("the service model has no output for DescribeTrainingJob")
    return shape


def _in_milliseconds(shape: Shape, value: Any) -> Any:
    if shape.type_name == "timestamp":
        return int(value * 1000)
    if isinstance(shape, StructureShape) and isinstance(value, Mapping):
        return {name: _in_milliseconds(shape.members[name], item) for name, item in value.items()}
    if isinstance(shape, ListShape):
        return [_in_milliseconds(shape.member, item) for item in value]
    return value
