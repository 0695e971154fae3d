"""What the service must be told."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

RoleCredentials = Callable[[str, str], dict[str, str]]
"""(role ARN, session name) -> AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN.

Raises any exception when the role does not exist or may not be assumed.
"""


@dataclass(frozen=True)
class SageMakerConfig:
    """Settings of one SageMakerService. All durations are seconds.

    `images_file`: JSON list of the images that can be run, see `images.py`.
    `service_credentials`: used for a job's log where its role has no rights on CloudWatch Logs.
    `environments_dir`: may be shared by several instances; default below `state_dir`.
    `stop_grace`: between SIGTERM and SIGKILL; AWS gives 120.
    `shutdown_grace`: the same when the local cloud itself stops.
    `upload_seconds`: between two rounds of what is uploaded while a job runs.
    `engine`: the container engine for images that `images_file` does not have; None: none.
    """

    state_dir: Path
    images_file: Path
    endpoint_url: str
    region: str
    role_credentials: RoleCredentials
    uv: Path | str = "uv"
    ca_bundle: Path | None = None
    service_credentials: Mapping[str, str] = field(default_factory=dict)
    environments_dir: Path | None = None
    max_concurrent_jobs: int = 2
    stop_grace: float = 120.0
    shutdown_grace: float = 5.0
    upload_seconds: float = 10.0
    engine: str | None = None

    @property
    def jobs_dir(self) -> Path:
        """The job records."""
        return self.state_dir / "sagemaker" / "jobs"

    @property
    def work_dir(self) -> Path:
        """The disks of the jobs that run; empty when none does."""
        return self.state_dir / "sagemaker" / "work"

    @property
    def environments(self) -> Path:
        """The Python environments of the images."""
        return self.environments_dir or self.state_dir / "sagemaker" / "envs"

    @property
    def logs_dir(self) -> Path:
        """One log file a job, in a folder for each kind."""
        return self.state_dir / "logs"
