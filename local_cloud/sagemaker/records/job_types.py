"""The two kinds of jobs: how AWS names what belongs to each."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from local_cloud.sagemaker.records import processing_job, training_job
from local_cloud.sagemaker.records.jobs import Job, Kind
from local_cloud.sagemaker.requests.job_request import JobRequest
from local_cloud.sagemaker.requests.processing_request import ProcessingRequest
from local_cloud.sagemaker.requests.training_request import TrainingRequest


@dataclass(frozen=True)
class JobType:
    """One kind of jobs.

    `unknown`: AWS's words for a name that no job has, with `{name}` in it. `running`, `uploading`:
    the StatusMessage of these phases.
    """

    kind: Kind
    noun: str
    parse: Callable[[Mapping[str, Any]], JobRequest]
    describe: Callable[[Job], dict[str, Any]]
    summary: Callable[[Job], dict[str, Any]]
    unknown: str
    running: str
    uploading: str

    @property
    def name_member(self) -> str:
        """The member of requests that names a job."""
        return f"{self.noun}Name"

    @property
    def words(self) -> str:
        """As messages call it."""
        return self.kind.replace("-", " ")

    @property
    def log_group(self) -> str:
        """In CloudWatch Logs."""
        return f"/aws/sagemaker/{self.noun}s"

    @property
    def log_folder(self) -> str:
        """Below the folder of logs."""
        return self.kind.partition("-")[0]


TRAINING: Final = JobType(
    Kind.TRAINING,
    "TrainingJob",
    TrainingRequest.parse,
    training_job.describe,
    training_job.summary,
    unknown="Requested resource not found.",
    running="Training image download completed. Training in progress.",
    uploading="Uploading generated training model",
)
PROCESSING: Final = JobType(
    Kind.PROCESSING,
    "ProcessingJob",
    ProcessingRequest.parse,
    processing_job.describe,
    processing_job.summary,
    unknown="Could not find requested job with name: {name}",
    running="The processing container runs",
    uploading="Uploading the outputs",
)
JOB_TYPES: Final[Mapping[Kind, JobType]] = {one.kind: one for one in (TRAINING, PROCESSING)}
