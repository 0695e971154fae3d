"""One training job, from start to end: environment, data, container, artifacts."""

import logging
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from local_cloud.sagemaker import artifacts, aws, container, job_environment, last_words
from local_cloud.sagemaker.channels import fill_channel
from local_cloud.sagemaker.config import SageMakerConfig
from local_cloud.sagemaker.container import Container, Exit, Isolation
from local_cloud.sagemaker.control import JobControl, JobStopped, StopReason
from local_cloud.sagemaker.disk import words
from local_cloud.sagemaker.environments import environment_for
from local_cloud.sagemaker.errors import AlgorithmError, DataOrImageError, InternalError, JobFailure
from local_cloud.sagemaker.images import find_image
from local_cloud.sagemaker.job_log import CloudWatchStream, JobLog, stream_name
from local_cloud.sagemaker.jobs import JobKey, Outcome
from local_cloud.sagemaker.metrics import MetricScanner
from local_cloud.sagemaker.opt_ml import OptMl
from local_cloud.sagemaker.store import ORPHANED_OUTCOME
from local_cloud.sagemaker.training_request import TrainingRequest

_logger = logging.getLogger(__name__)
_COMPLETED = Outcome("Completed", "Completed", "Training job completed")
_STOPPED = {
    StopReason.REQUESTED: Outcome("Stopped", "Stopped", "Training job stopped"),
    StopReason.MAX_RUNTIME: Outcome(
        "Stopped", "MaxRuntimeExceeded", "Training job runtime exceeded MaxRuntimeInSeconds"
    ),
    StopReason.SHUTDOWN: ORPHANED_OUTCOME,
}


@dataclass(frozen=True)
class JobRun:
    """One run of one job. `enter(secondary status, message)` records each phase."""

    config: SageMakerConfig
    key: JobKey
    request: TrainingRequest
    control: JobControl
    enter: Callable[[str, str], None]

    def to_end(self) -> Outcome:
        """Run the job and say how it ended; never raises. Nothing of it is left but its log."""
        metrics = MetricScanner(self.request.metric_patterns)
        try:
            with _disk(self.config.work_dir) as disk:
                outcome = self._logged(disk, metrics)
        except OSError as error:
            _logger.exception("training job %s", self.key.name)
            outcome = cannot_run(error)
        except Exception:
            _logger.exception("training job %s", self.key.name)
            outcome = _failed(InternalError("the local cloud could not run this job; see its log"))
        return replace(outcome, metrics=metrics.final)

    def _logged(self, disk: Path, metrics: MetricScanner) -> Outcome:
        path = self.config.logs_dir / f"{self.key.name}.log"
        try:
            credentials = self._credentials()
        except JobFailure as failure:
            with JobLog(path, None) as log:
                log.write(failure.reason)
            return _failed(failure)
        stream = CloudWatchStream(self.config, stream_name(self.key.name), credentials)
        with JobLog(path, stream) as log:
            try:
                return self._steps(disk, log, metrics, credentials)
            except JobStopped as stop:
                return _STOPPED[stop.reason]
            except JobFailure as failure:
                log.write(failure.reason)
                return _failed(failure)
            except OSError as error:
                outcome = cannot_run(error)
                log.write(outcome.failure_reason or "")
                return outcome

    def _steps(
        self, disk: Path, log: JobLog, metrics: MetricScanner, credentials: Mapping[str, str]
    ) -> Outcome:
        config, request, opt_ml = self.config, self.request, OptMl(disk / "opt" / "ml")
        image = find_image(config.images_file, request.image)
        python = environment_for(
            image.requirements, config.environments, config.uv, self.control, log.write
        )

        self.enter("Downloading", "Downloading input data")
        self.control.limit(request.max_runtime)
        opt_ml.create(request)
        s3 = aws.client("s3", config, credentials)
        for channel in request.channels:
            fill_channel(s3, channel, opt_ml.channel(channel.name), self.control, log.write)

        self.enter("Training", "Training image download completed. Training in progress.")
        code, home = disk / "code", disk / "home"
        image.copy_sources(code)
        home.mkdir()
        variables = job_environment.variables(
            config,
            key=self.key,
            request=request,
            image=image,
            python=python,
            home=home,
            credentials=credentials,
        )
        command = job_environment.command(request, image)
        ended = self._run(Container(command, variables, code, opt_ml.root.parent), log, metrics)
        return self._conclude(ended, opt_ml, disk)

    def _run(self, job: Container, log: JobLog, metrics: MetricScanner) -> Exit:
        isolation = container.best_isolation()
        if isolation is Isolation.NONE:
            base = {"SAGEMAKER_BASE_DIR": str(job.opt / "ml")}
            job = replace(job, environment={**job.environment, **base})
        return container.run(
            job,
            isolation,
            self.control,
            grace=self._grace,
            on_line=lambda line: metrics.scan(line, log.write(line)),
            on_stop=lambda reason: self.enter("Stopping", f"Stopping the job: {reason.value}"),
        )

    def _conclude(self, ended: Exit, opt_ml: OptMl, disk: Path) -> Outcome:
        # A stop that was answered must not end as Completed, even if the container was quicker.
        requested = self.control.reason is StopReason.REQUESTED
        stopped = StopReason.REQUESTED if requested else ended.stopped
        if stopped is StopReason.SHUTDOWN:
            return ORPHANED_OUTCOME
        # New credentials: the job may have outlived those that it started with.
        s3 = aws.client("s3", self.config, self._credentials())
        if ended.code != 0 and stopped is None:
            self._upload_output_of_failure(s3, opt_ml, disk)
            free = shutil.disk_usage(disk).free
            raise AlgorithmError(last_words.reason(opt_ml.failure(), ended.code, free), ended.code)
        self.enter("Uploading", "Uploading generated training model")
        artifacts.upload_output(s3, self.request, opt_ml, disk)
        model = artifacts.upload_model(s3, self.request, opt_ml, disk)
        outcome = _STOPPED[stopped] if stopped else _COMPLETED
        return replace(outcome, model_artifacts=model)

    def _upload_output_of_failure(self, s3: Any, opt_ml: OptMl, disk: Path) -> None:
        try:
            artifacts.upload_output(s3, self.request, opt_ml, disk)
        except DataOrImageError as failure:
            # The container's failure is what the client must hear of.
            _logger.warning("training job %s: %s", self.key.name, failure.reason)

    def _grace(self, reason: StopReason) -> float:
        shutdown = reason is StopReason.SHUTDOWN
        return self.config.shutdown_grace if shutdown else self.config.stop_grace

    def _credentials(self) -> dict[str, str]:
        try:
            return self.config.role_credentials(self.request.role_arn, "SageMaker")
        except Exception as error:
            # The callable is the host's: whatever it raises says why the role cannot be had.
            raise DataOrImageError(
                f"Cannot assume the role {self.request.role_arn}: {error}"
            ) from error


def cannot_run(error: OSError) -> Outcome:
    """The outcome of a job that this machine did not let run, most often for want of room."""
    return _failed(InternalError(f"the local cloud could not run this job: {words(error)}"))


def _failed(failure: JobFailure) -> Outcome:
    return Outcome("Failed", "Failed", "Training job failed", failure_reason=failure.reason)


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
    """Remove a folder, also what a job has made read-only in it."""
    for parent, folders, _ in os.walk(folder):
        for name in folders:
            path = Path(parent, name)
            if not path.is_symlink():
                path.chmod(0o700)
    shutil.rmtree(folder)
