"""Create, describe, list, stop and delete the jobs of one kind, on plain values."""

import time
from collections.abc import Mapping
from typing import Any

from local_cloud.sagemaker.api import tags
from local_cloud.sagemaker.api.listing import list_jobs
from local_cloud.sagemaker.config import SageMakerConfig
from local_cloud.sagemaker.errors import (
    ResourceInUseError,
    ResourceNotFoundError,
    ValidationError,
)
from local_cloud.sagemaker.records.job_types import JobType
from local_cloud.sagemaker.records.jobs import Job, JobKey, Outcome
from local_cloud.sagemaker.records.store import JobStore
from local_cloud.sagemaker.running.job_queue import JobQueue

Payload = Mapping[str, Any]
_NEVER_STARTED = Outcome("Stopped", "Stopped", "The job was stopped before it started")


class JobActions:
    """The actions on one kind of jobs. Each gives AWS's output, or raises SageMakerError."""

    def __init__(
        self, config: SageMakerConfig, store: JobStore, queue: JobQueue, kind: JobType
    ) -> None:
        self._config = config
        self._store = store
        self._queue = queue
        self._type = kind

    def create(self, payload: Payload, account: str, region: str) -> dict[str, Any]:
        """CreateTrainingJob, CreateProcessingJob."""
        request = self._type.parse(payload)
        given = tags.given(payload.get("Tags") or ())
        key = self._key(request.name, account, region)
        self._check_role(request.role_arn)
        self._store.create(Job.created(key, payload, time.time(), given))
        self._queue.put(key)
        return {f"{self._type.noun}Arn": key.arn}

    def describe(self, payload: Payload, account: str, region: str) -> dict[str, Any]:
        """DescribeTrainingJob, DescribeProcessingJob."""
        return self._type.describe(self._existing(payload, account, region))

    def list(self, payload: Payload, account: str, region: str) -> dict[str, Any]:
        """ListTrainingJobs, ListProcessingJobs."""
        place = (account, region, self._type.kind)
        owned = [
            job
            for job in self._store.all()
            if (job.key.account, job.key.region, job.key.kind) == place
        ]
        jobs, following = list_jobs(owned, payload)
        listed: dict[str, Any] = {
            f"{self._type.noun}Summaries": [self._type.summary(job) for job in jobs]
        }
        return {**listed, "NextToken": following} if following else listed

    def stop(self, payload: Payload, account: str, region: str) -> dict[str, Any]:
        """StopTrainingJob, StopProcessingJob."""
        key = self._existing(payload, account, region).key
        self._store.update(key, self._asked_to_stop)
        self._queue.stop(key)
        return {}

    def delete(self, payload: Payload, account: str, region: str) -> dict[str, Any]:
        """DeleteTrainingJob, DeleteProcessingJob: the record, not what the job left in S3."""
        name = payload[self._type.name_member]
        key = self._key(name, account, region)
        if self._store.get(key) is None:
            raise ResourceNotFoundError(self._type.unknown.format(name=name))
        self._store.remove(key, self._may_be_deleted)
        return {}

    def _key(self, name: str, account: str, region: str) -> JobKey:
        return JobKey(account, region, name, self._type.kind)

    def _check_role(self, role_arn: str) -> None:
        try:
            self._config.role_credentials(role_arn, "SageMaker")
        except Exception as error:
            raise ValidationError(
                f"Could not assume role {role_arn}. Please ensure that the role exists and allows"
                f" principal 'sagemaker.amazonaws.com' to assume the role. ({error})"
            ) from error

    def _existing(self, payload: Payload, account: str, region: str) -> Job:
        name = payload[self._type.name_member]
        job = self._store.get(self._key(name, account, region))
        if job is None:
            # AWS's code and words, although its model also knows ResourceNotFound.
            raise ValidationError(self._type.unknown.format(name=name))
        return job

    def _asked_to_stop(self, job: Job) -> Job:
        if job.has_ended:
            raise ValidationError(
                f"The request was rejected because the {self._type.words} is in status"
                f" {job.status}."
            )
        if job.secondary_status == "Pending":
            return job.ended(_NEVER_STARTED, time.time())
        if job.status == "Stopping":
            return job
        return job.moved_to("Stopping", f"Stopping the job: Stop{self._type.noun}", time.time())

    def _may_be_deleted(self, job: Job) -> None:
        if not job.has_ended:
            raise ResourceInUseError(
                f"The {self._type.words} {job.key.name} is in status {job.status}: stop it, or"
                " wait for its end, before you delete it"
            )
