"""The SageMaker service of the local cloud, as its host sees it."""

import logging
import time
from collections.abc import Callable
from typing import Any

from local_cloud.sagemaker.api.actions import SageMakerApi
from local_cloud.sagemaker.config import SageMakerConfig
from local_cloud.sagemaker.control import JobControl
from local_cloud.sagemaker.disk import words
from local_cloud.sagemaker.errors import SageMakerError, StorageError
from local_cloud.sagemaker.records.jobs import Job, JobKey
from local_cloud.sagemaker.records.store import ORPHANED_OUTCOME, JobStore
from local_cloud.sagemaker.running.job_queue import JobQueue
from local_cloud.sagemaker.running.runner import JobRun, cannot_run, remove
from local_cloud.sagemaker.running.tasks import task_of

__all__ = ["SageMakerConfig", "SageMakerService"]

_log = logging.getLogger(__name__)
_OK = 200
_INTERNAL_ERROR = 500


class SageMakerService:
    """Answers the SageMaker API and runs its jobs, in this process. Thread-safe."""

    def __init__(self, config: SageMakerConfig) -> None:
        self._config = config
        # What a process that was killed has left.
        if config.work_dir.exists():
            remove(config.work_dir)
        self._store = JobStore(config.jobs_dir)
        self._queue = JobQueue(config.max_concurrent_jobs, self._run)
        self._api = SageMakerApi(config, self._store, self._queue)

    def handle(
        self, action: str, payload: Any, account: str, region: str
    ) -> tuple[int, dict[str, Any]]:
        """Answer one API call: HTTP status and JSON body; timestamps are epoch seconds.

        `action` is the part of X-Amz-Target after the dot. Errors have AWS's form,
        `{"__type": code, "message": text}`.
        """
        try:
            return _OK, self.call(action, payload, account, region)
        except SageMakerError as error:
            return error.http_status, {"__type": error.code, "message": error.message}
        except Exception:
            _log.exception("SageMaker.%s", action)
            message = f"The local cloud failed to answer {action}; its log says why"
            return _INTERNAL_ERROR, {"__type": "InternalFailure", "message": message}

    def call(self, action: str, payload: Any, account: str, region: str) -> dict[str, Any]:
        """As `handle`, but an error is raised as SageMakerError."""
        try:
            return self._api.call(action, payload, account, region)
        except OSError as error:
            raise StorageError(
                f"The local cloud cannot keep its records: {words(error)}"
            ) from error

    def wait(self, key: JobKey, abandoned: Callable[[], bool] = lambda: False) -> Job:
        """Block until an existing job has ended; or, if it has not, until `abandoned` is true.

        `abandoned` is asked about twice a second.
        """
        return self._store.wait(key, abandoned)

    def close(self) -> None:
        """Stop the jobs; those that had not ended are Failed. The service is of no use then."""
        self._queue.close()
        for job in self._store.all():
            if not job.has_ended:
                self._store.end(job.key, ORPHANED_OUTCOME)

    def _run(self, key: JobKey, control: JobControl) -> None:
        try:
            job = self._store.update(key, _started)
        except OSError as error:
            self._store.end(key, cannot_run(error))
            return
        if job.has_ended:
            return

        def enter(secondary_status: str, message: str) -> None:
            self._store.update(key, lambda job: _entered(job, secondary_status, message))

        run = JobRun(self._config, key, task_of(job), control, enter)
        self._store.end(key, run.to_end())


def _started(job: Job) -> Job:
    # A job that was stopped while it waited stays as it is.
    return job if job.has_ended else job.moved_to("Starting", "Starting the job", time.time())


def _entered(job: Job, secondary_status: str, message: str) -> Job:
    # A job that is stopping takes no step forward, but for bringing home what it has.
    if job.status == "Stopping" and secondary_status != "Uploading":
        return job
    return job.moved_to(secondary_status, message, time.time())
