"""A training job's data, files and results."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from local_cloud.sagemaker.cloudwatch.metric_stream import CloudWatchMetrics
from local_cloud.sagemaker.cloudwatch.metrics import MetricScanner
from local_cloud.sagemaker.config import SageMakerConfig
from local_cloud.sagemaker.control import JobControl
from local_cloud.sagemaker.records.jobs import FinalMetric, JobKey
from local_cloud.sagemaker.requests.channel import Channel
from local_cloud.sagemaker.requests.training_request import TrainingRequest
from local_cloud.sagemaker.transfers import artifacts
from local_cloud.sagemaker.transfers.channels import fill_channel
from local_cloud.sagemaker.transfers.opt_ml import OptMl
from local_cloud.sagemaker.transfers.sync import FolderUpload

Say = Callable[[str], object]


class TrainingTask:
    """See `tasks.Task`."""

    arguments = ("train",)  # SageMaker starts a training image as `docker run <image> train`

    def __init__(self, key: JobKey, request: TrainingRequest) -> None:
        self._key = key
        self.request = request
        self._scanner = MetricScanner(request.metric_patterns)
        self._stream: CloudWatchMetrics | None = None

    @property
    def variables(self) -> Mapping[str, str]:
        """Environment variables that SageMaker sets."""
        return {"TRAINING_JOB_NAME": self._key.name, "TRAINING_JOB_ARN": self._key.arn}

    def lay_out(self, opt_ml: Path) -> None:
        """Folders, configuration, hyperparameters."""
        OptMl(opt_ml).create(self.request)

    def download(self, s3: Any, opt_ml: Path, control: JobControl, say: Say) -> None:
        """The channels, and the checkpoints of an earlier job."""
        layout = OptMl(opt_ml)
        for channel in self.request.channels:
            fill_channel(s3, channel, layout.channel(channel.name), control, say)
        checkpoints = self.request.checkpoints
        if checkpoints:
            earlier = Channel("checkpoints", "S3Prefix", checkpoints.location.below(""), None)
            folder = opt_ml / checkpoints.folder
            found = fill_channel(s3, earlier, folder, control, say, may_be_empty=True)
            say(f"Checkpoints: {found} files from {checkpoints.location.uri}")

    @contextmanager
    def beside(
        self,
        config: SageMakerConfig,
        s3: Callable[[], Any],
        opt_ml: Path,
        credentials: Mapping[str, str],
        say: Say,
    ) -> Iterator[None]:
        """Metrics and checkpoints leave while the container runs."""
        checkpoints = self.request.checkpoints
        with ExitStack() as stack:
            if self.request.metric_patterns:
                self._stream = CloudWatchMetrics(config, self._key.name, credentials)
                stack.enter_context(self._stream)
            if checkpoints:
                stack.enter_context(
                    FolderUpload(
                        s3,
                        opt_ml / checkpoints.folder,
                        checkpoints.location,
                        encryption=self.request.encryption,
                        seconds=config.upload_seconds,
                        say=say,
                    )
                )
            yield

    def read(self, line: str, at: float) -> None:
        """Find the metrics in a line."""
        for metric in self._scanner.scan(line, at):
            if self._stream:
                self._stream.put(metric)

    def upload(self, s3: Any, opt_ml: Path, scratch: Path) -> str | None:
        """output.tar.gz and model.tar.gz."""
        artifacts.upload_output(s3, self.request, OptMl(opt_ml), scratch)
        return artifacts.upload_model(s3, self.request, OptMl(opt_ml), scratch)

    def upload_after_failure(self, s3: Any, opt_ml: Path, scratch: Path) -> None:
        """output.tar.gz: it may say why."""
        artifacts.upload_output(s3, self.request, OptMl(opt_ml), scratch)

    def failure(self, opt_ml: Path) -> str:
        """What the container wrote to /opt/ml/output/failure."""
        return OptMl(opt_ml).failure()

    def exit_message(self, opt_ml: Path) -> str | None:  # noqa: ARG002
        """Training jobs have none."""
        return None

    @property
    def metrics(self) -> tuple[FinalMetric, ...]:
        """FinalMetricDataList."""
        return self._scanner.final
