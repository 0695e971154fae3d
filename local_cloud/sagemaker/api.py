"""The actions of the SageMaker API, on plain values."""

import time
from collections.abc import Callable, Mapping
from typing import Any

from local_cloud.sagemaker.config import SageMakerConfig
from local_cloud.sagemaker.errors import UnknownOperationError, ValidationError
from local_cloud.sagemaker.job_queue import JobQueue
from local_cloud.sagemaker.jobs import JobKey, Outcome, TrainingJob
from local_cloud.sagemaker.listing import list_jobs
from local_cloud.sagemaker.shapes import validate
from local_cloud.sagemaker.store import JobStore
from local_cloud.sagemaker.training_request import TrainingRequest

Payload = Mapping[str, Any]
_NEVER_STARTED = Outcome("Stopped", "Stopped", "Training job stopped before it started")


class TrainingApi:
    """CreateTrainingJob, DescribeTrainingJob, ListTrainingJobs, StopTrainingJob."""

    def __init__(self, config: SageMakerConfig, store: JobStore, jobs: JobQueue) -> None:
        self._config = config
        self._store = store
        self._jobs = jobs
        self._actions: dict[str, Callable[[Payload, str, str], dict[str, Any]]] = {
            "CreateTrainingJob": self._create,
            "DescribeTrainingJob": self._describe,
            "ListTrainingJobs": self._list,
            "StopTrainingJob": self._stop,
        }

    def call(self, action: str, payload: Any, account: str, region: str) -> dict[str, Any]:
        """The action's output; SageMakerError if it is refused."""
        handler = self._actions.get(action)
        if handler is None:
            raise UnknownOperationError(
                f"The local cloud does not have SageMaker's {action}."
                f" It has: {', '.join(self._actions)}"
            )
        validate(action, payload)
        return handler(payload, account, region)

    def _create(self, payload: Payload, account: str, region: str) -> dict[str, Any]:
        request = TrainingRequest.parse(payload)
        key = JobKey(account, region, request.name)
        self._check_role(request.role_arn)
        self._store.create(TrainingJob.created(key, payload, time.time()))
        self._jobs.put(key)
        return {"TrainingJobArn": key.arn}

    def _check_role(self, role_arn: str) -> None:
        try:
            self._config.role_credentials(role_arn, "SageMaker")
        except Exception as error:
            raise ValidationError(
                f"Could not assume role {role_arn}. Please ensure that the role exists and allows"
                f" principal 'sagemaker.amazonaws.com' to assume the role. ({error})"
            ) from error

    def _describe(self, payload: Payload, account: str, region: str) -> dict[str, Any]:
        return self._existing(payload, account, region).describe()

    def _list(self, payload: Payload, account: str, region: str) -> dict[str, Any]:
        jobs = self._store.all()
        owned = [job for job in jobs if (job.key.account, job.key.region) == (account, region)]
        return list_jobs(owned, payload)

    def _stop(self, payload: Payload, account: str, region: str) -> dict[str, Any]:
        key = self._existing(payload, account, region).key
        self._store.update(key, _asked_to_stop)
        self._jobs.stop(key)
        return {}

    def _existing(self, payload: Payload, account: str, region: str) -> TrainingJob:
        job = self._store.get(JobKey(account, region, payload["TrainingJobName"]))
        if job is None:
            # AWS's code and words, although its model also knows ResourceNotFound.
            raise ValidationError("Requested resource not found.")
        return job


def _asked_to_stop(job: TrainingJob) -> TrainingJob:
    if job.has_ended:
        raise ValidationError(
            f"The request was rejected because the training job is in status {job.status}."
        )
    if job.secondary_status == "Pending":
        return job.ended(_NEVER_STARTED, time.time())
    if job.status == "Stopping":
        return job
    return job.moved_to("Stopping", "Stopping the job: StopTrainingJob", time.time())
