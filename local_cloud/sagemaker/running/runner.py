"""One job, from start to end: environment, data, container, results."""

import logging
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from local_cloud.sagemaker import aws
from local_cloud.sagemaker.cloudwatch.job_log import CloudWatchStream, JobLog, stream_name
from local_cloud.sagemaker.config import SageMakerConfig
from local_cloud.sagemaker.containers import container
from local_cloud.sagemaker.containers.container import Container, Exit
from local_cloud.sagemaker.control import JobControl, JobStopped, StopReason
from local_cloud.sagemaker.disk import words
from local_cloud.sagemaker.errors import AlgorithmError, DataOrImageError, InternalError, JobFailure
from local_cloud.sagemaker.records.job_types import JOB_TYPES, JobType
from local_cloud.sagemaker.records.jobs import JobKey, Outcome
from local_cloud.sagemaker.records.store import ORPHANED_OUTCOME
from local_cloud.sagemaker.running import last_words
from local_cloud.sagemaker.running.image_runners import Place, runner_for
from local_cloud.sagemaker.running.tasks import Task

_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class JobRun:
    """One run of one job. `enter(secondary status, message)` records each phase."""

    config: SageMakerConfig
    key: JobKey
    task: Task
    control: JobControl
    enter: Callable[[str, str], None]

    @property
    def _type(self) -> JobType:
        return JOB_TYPES[self.key.kind]

    def to_end(self) -> Outcome:
        """Run the job and say how it ended; never raises. Nothing of it is left but its log."""
        try:
            with _disk(self.config.work_dir) as disk:
                outcome = self._logged(disk)
        except OSError as error:
            _logger.exception("%s", self.key.arn)
            outcome = cannot_run(error)
        except Exception:
            _logger.exception("%s", self.key.arn)
            outcome = _failed(InternalError("the local cloud could not run this job; see its log"))
        return replace(outcome, metrics=self.task.metrics)

    def _logged(self, disk: Path) -> Outcome:
        path = self.config.logs_dir / self._type.log_folder / f"{self.key.name}.log"
        try:
            credentials = self._credentials()
        except JobFailure as failure:
            with JobLog(path, None) as log:
                log.write(failure.reason)
            return _failed(failure)
        name = stream_name(self.key.name)
        stream = CloudWatchStream(self.config, name, credentials, self._type.log_group)
        with JobLog(path, stream) as log:
            outcome = self._reported(disk, log, credentials)
            if outcome.failure_reason:
                log.write(outcome.failure_reason)
            return outcome

    def _reported(self, disk: Path, log: JobLog, credentials: Mapping[str, str]) -> Outcome:
        opt_ml = disk / "opt" / "ml"
        opt_ml.mkdir(parents=True)
        try:
            outcome = self._steps(disk, opt_ml, log, credentials)
        except JobStopped as stop:
            outcome = self._stopped(stop.reason)
        except JobFailure as failure:
            outcome = _failed(failure)
        except OSError as error:
            outcome = cannot_run(error)
        try:
            return replace(outcome, exit_message=self.task.exit_message(opt_ml))
        except JobFailure as failure:
            return _failed(failure)

    def _steps(
        self, disk: Path, opt_ml: Path, log: JobLog, credentials: Mapping[str, str]
    ) -> Outcome:
        config, task = self.config, self.task
        for note in task.request.notes:
            log.write(note)
        run_image = runner_for(config, task.request, self.control, log.write)

        self.enter("Downloading", "Downloading input data")
        self.control.limit(task.request.max_runtime)
        task.lay_out(opt_ml)
        s3 = aws.client("s3", config, credentials)
        task.download(s3, opt_ml, self.control, log.write)

        self.enter("Training", self._type.running)
        place = Place(disk, opt_ml, self.key, credentials)
        with (
            task.beside(config, self._s3, opt_ml, credentials, log.write),
            run_image.container(place, task) as job,
        ):
            ended = self._run(job, log)
        return self._conclude(ended, opt_ml, disk)

    def _run(self, job: Container, log: JobLog) -> Exit:
        return container.run(
            job,
            self.control,
            grace=self._grace,
            on_line=lambda line: self.task.read(line, log.write(line)),
            on_stop=lambda reason: self.enter("Stopping", f"Stopping the job: {reason.value}"),
        )

    def _conclude(self, ended: Exit, opt_ml: Path, disk: Path) -> Outcome:
        # A stop that was answered must not end as Completed, even if the container was quicker.
        requested = self.control.reason is StopReason.REQUESTED
        stopped = StopReason.REQUESTED if requested else ended.stopped
        if stopped is StopReason.SHUTDOWN:
            return ORPHANED_OUTCOME
        if ended.refused:
            raise DataOrImageError(
                "The container engine could not run the image; its own words are in the job's log"
            )
        s3 = self._s3()
        if ended.code != 0 and stopped is None:
            self._keep_of_failure(s3, opt_ml, disk)
            free = shutil.disk_usage(disk).free
            said = last_words.reason(self.task.failure(opt_ml), ended.code, free)
            raise AlgorithmError(said, ended.code)
        self.enter("Uploading", self._type.uploading)
        model = self.task.upload(s3, opt_ml, disk)
        outcome = self._stopped(stopped) if stopped else self._outcome("Completed")
        return replace(outcome, model_artifacts=model)

    def _stopped(self, reason: StopReason) -> Outcome:
        if reason is StopReason.SHUTDOWN:
            return ORPHANED_OUTCOME
        if reason is StopReason.MAX_RUNTIME:
            message = f"{self._type.words.capitalize()} runtime exceeded MaxRuntimeInSeconds"
            return Outcome("Stopped", "MaxRuntimeExceeded", message)
        return self._outcome("Stopped")

    def _outcome(self, status: str) -> Outcome:
        return Outcome(status, status, f"{self._type.words.capitalize()} {status.lower()}")

    def _keep_of_failure(self, s3: Any, opt_ml: Path, disk: Path) -> None:
        try:
            self.task.upload_after_failure(s3, opt_ml, disk)
        except DataOrImageError as failure:
            # The container's failure is what the client must hear of.
            _logger.warning("%s: %s", self.key.arn, failure.reason)

    def _grace(self, reason: StopReason) -> float:
        shutdown = reason is StopReason.SHUTDOWN
        return self.config.shutdown_grace if shutdown else self.config.stop_grace

    def _s3(self) -> Any:
        # New credentials: a job may outlive those that it started with.
        return aws.client("s3", self.config, self._credentials())

    def _credentials(self) -> dict[str, str]:
        role = self.task.request.role_arn
        try:
            return self.config.role_credentials(role, "SageMaker")
        except Exception as error:
            # The callable is the host's: whatever it raises says why the role cannot be had.
            raise DataOrImageError(f"Cannot assume the role {role}: {error}") from error


def cannot_run(error: OSError) -> Outcome:
    """The outcome of a job that this machine did not let run, most often for want of room."""
    return _failed(InternalError(f"the local cloud could not run this job: {words(error)}"))


def _failed(failure: JobFailure) -> Outcome:
    return Outcome("Failed", "Failed", "The job failed", failure_reason=failure.reason)


@contextmanager
def _disk(work_dir: Path) -> Iterator[Path]:
    """A new folder for one job, removed with all it holds."""
    work_dir.mkdir(parents=True, exist_ok=True)
    disk = Path(tempfile.mkdtemp(dir=work_dir))
    try:
        yield disk
    finally:
        remove(disk)


def remove(folder: Path) -> None:
    """Remove a folder, also what a job has made read-only in it.

    What is not this user's to remove (a container engine may run jobs as another) is told in the
    log: it changes nothing about how a job ended.
    """
    for parent, folders, _ in os.walk(folder):
        for name in folders:
            path = Path(parent, name)
            if not path.is_symlink():
                with suppress(OSError):
                    path.chmod(0o700)
    try:
        shutil.rmtree(folder)
    except OSError as error:
        _logger.warning("%s is left over, remove it by hand: %s", folder, error)
