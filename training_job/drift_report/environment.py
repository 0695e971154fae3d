"""SageMaker's contract with a processing container, read once and typed.

Under the base directory (`/opt/ml`, or `SAGEMAKER_BASE_DIR` where a job has no root of its own):
`processing/input/<name>/`, `processing/output/`, `output/message`.
https://docs.aws.amazon.com/sagemaker/latest/dg/build-your-own-processing-container.html
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from areyouacat.lake import DRIFT_WINDOW_CSV
from areyouacat.model_spec import REFERENCE_FILE
from training_job.errors import EnvironmentalError

_MAX_MESSAGE: Final = 1024  # characters of output/message that DescribeProcessingJob shows


@dataclass(frozen=True, slots=True)
class ReportPaths:
    """Where everything lies."""

    base: Path

    @property
    def reference(self) -> Path:
        """The sample of the photos that the model was built on."""
        return self.base / "processing" / "input" / "reference" / REFERENCE_FILE

    @property
    def window(self) -> Path:
        """The sample of the window's photos."""
        return self.base / "processing" / "input" / "window" / DRIFT_WINDOW_CSV

    @property
    def output(self) -> Path:
        """What SageMaker uploads when the job has completed."""
        return self.base / "processing" / "output"

    def say(self, message: str) -> None:
        """Leave the job's exit message: what it has to say, or why it failed."""
        path = self.base / "output" / "message"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(message[:_MAX_MESSAGE], encoding="utf-8")


@dataclass(frozen=True, slots=True)
class ReportEnvironment:
    """What the workflow told the job; empty strings: not told. Times as `lake.utc_text`.

    `report_uri`: where in the lake the report will be. `reason`: why it is made.
    """

    job_name: str
    model_version: str
    window_start: str
    window_end: str
    report_uri: str = ""
    reason: str = ""
    execution_arn: str = ""
    mlflow_tracking_uri: str = ""
    mlflow_experiment_name: str = ""


def base_paths(environ: Mapping[str, str]) -> ReportPaths:
    """The contract's paths; needed to report any later failure, so nothing here can fail."""
    return ReportPaths(Path(environ.get("SAGEMAKER_BASE_DIR") or "/opt/ml"))


def read_environment(environ: Mapping[str, str]) -> ReportEnvironment:
    """Read what the workflow told the container.

    Raises EnvironmentalError naming the variables that are missing.
    """
    required = ("JOB_NAME", "MODEL_VERSION", "WINDOW_START", "WINDOW_END")
    if missing := [name for name in required if not environ.get(name)]:
        raise EnvironmentalError(f"environment variables are missing: {', '.join(missing)}")
    return ReportEnvironment(
        **{name.lower(): environ[name] for name in required},
        report_uri=environ.get("REPORT_URI", ""),
        reason=environ.get("REASON", ""),
        execution_arn=environ.get("EXECUTION_ARN", ""),
        mlflow_tracking_uri=environ.get("MLFLOW_TRACKING_URI", ""),
        mlflow_experiment_name=environ.get("MLFLOW_EXPERIMENT_NAME") or "Default",
    )
