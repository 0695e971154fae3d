"""What a kind of job does around its container; `runner` does the rest for both."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol

from local_cloud.sagemaker.config import SageMakerConfig
from local_cloud.sagemaker.control import JobControl
from local_cloud.sagemaker.records.jobs import FinalMetric, Job, Kind
from local_cloud.sagemaker.requests.job_request import JobRequest
from local_cloud.sagemaker.requests.processing_request import ProcessingRequest
from local_cloud.sagemaker.requests.training_request import TrainingRequest
from local_cloud.sagemaker.running.processing_task import ProcessingTask
from local_cloud.sagemaker.running.training_task import TrainingTask

Say = Callable[[str], object]


class Task(Protocol):
    """One job's data, files and results. `s3` is a boto3 client with the rights of its role.

    Methods that move data raise DataOrImageError where that fails.
    """

    @property
    def request(self) -> JobRequest:
        """What both kinds of jobs are asked for."""

    @property
    def variables(self) -> Mapping[str, str]:
        """Environment variables that SageMaker sets for this kind of job."""

    @property
    def arguments(self) -> tuple[str, ...]:
        """What the image's command gets where the request gives it no arguments."""

    def lay_out(self, opt_ml: Path) -> None:
        """Make what the container finds at /opt/ml: folders and configuration."""

    def download(self, s3: Any, opt_ml: Path, control: JobControl, say: Say) -> None:
        """Fill the channels; JobStopped if the job is stopped meanwhile."""

    def beside(
        self,
        config: SageMakerConfig,
        s3: Callable[[], Any],
        opt_ml: Path,
        credentials: Mapping[str, str],
        say: Say,
    ) -> AbstractContextManager[object]:
        """What goes on while the container runs."""

    def read(self, line: str, at: float) -> None:
        """Look at a line of the container's output, logged at epoch second `at`."""

    def upload(self, s3: Any, opt_ml: Path, scratch: Path) -> str | None:
        """Bring the results home; where the model is, if there is one."""

    def upload_after_failure(self, s3: Any, opt_ml: Path, scratch: Path) -> None:
        """Bring home what AWS keeps of a job that failed."""

    def failure(self, opt_ml: Path) -> str:
        """Why the container failed, in its own words; or ''."""

    def exit_message(self, opt_ml: Path) -> str | None:
        """What the container wants to be known, however it ended."""

    @property
    def metrics(self) -> tuple[FinalMetric, ...]:
        """The last value of each metric."""


def task_of(job: Job) -> Task:
    """The task of a job; ValidationError if its request is no longer accepted."""
    if job.key.kind is Kind.PROCESSING:
        return ProcessingTask(job.key, job.request, ProcessingRequest.parse(job.request))
    return TrainingTask(job.key, TrainingRequest.parse(job.request))
