"""A processing job's data, files and results.

As AWS documents in "Build your own processing container".
"""

import codecs
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from local_cloud.sagemaker.config import SageMakerConfig
from local_cloud.sagemaker.control import JobControl
from local_cloud.sagemaker.errors import DataOrImageError
from local_cloud.sagemaker.records.jobs import FinalMetric, JobKey
from local_cloud.sagemaker.requests.processing_request import ProcessingRequest
from local_cloud.sagemaker.transfers.artifacts import upload_folder
from local_cloud.sagemaker.transfers.channels import fill_channel
from local_cloud.sagemaker.transfers.opt_ml import HOST
from local_cloud.sagemaker.transfers.sync import FolderUpload

Say = Callable[[str], object]

_MAX_EXIT_MESSAGE_BYTES = 1024
# Members of a request that are not the container's to know.
_NOT_TOLD = ("Tags", "ExperimentConfig")


class ProcessingTask:
    """See `tasks.Task`."""

    arguments: tuple[str, ...] = ()
    variables: Mapping[str, str] = {}
    metrics: tuple[FinalMetric, ...] = ()

    def __init__(self, key: JobKey, payload: Mapping[str, Any], request: ProcessingRequest) -> None:
        self._key = key
        self._payload = payload
        self.request = request

    def lay_out(self, opt_ml: Path) -> None:
        """Folders and configuration."""
        folders = [*self.request.folders.values(), *(one.folder for one in self.request.outputs)]
        for folder in folders:
            (opt_ml / folder).mkdir(parents=True, exist_ok=True)
        for name in ("config", "output"):
            (opt_ml / name).mkdir(parents=True)
        told = {name: value for name, value in self._payload.items() if name not in _NOT_TOLD}
        files = {
            "processingjobconfig.json": {"ProcessingJobArn": self._key.arn, **told},
            "resourceconfig.json": {"current_host": HOST, "hosts": [HOST]},
        }
        for name, content in files.items():
            (opt_ml / "config" / name).write_text(json.dumps(content))

    def download(self, s3: Any, opt_ml: Path, control: JobControl, say: Say) -> None:
        """The inputs."""
        for channel in self.request.channels:
            folder = opt_ml / self.request.folders[channel.name]
            fill_channel(s3, channel, folder, control, say)

    @contextmanager
    def beside(
        self,
        config: SageMakerConfig,
        s3: Callable[[], Any],
        opt_ml: Path,
        credentials: Mapping[str, str],  # noqa: ARG002
        say: Say,
    ) -> Iterator[None]:
        """The continuous outputs leave while the container runs."""
        with ExitStack() as stack:
            for output in self.request.outputs:
                if output.continuous:
                    stack.enter_context(
                        FolderUpload(
                            s3,
                            opt_ml / output.folder,
                            output.location,
                            encryption=self.request.encryption,
                            seconds=config.upload_seconds,
                            say=say,
                        )
                    )
            yield

    def read(self, line: str, at: float) -> None:
        """A processing job has no metrics in its log."""

    def upload(self, s3: Any, opt_ml: Path, scratch: Path) -> str | None:  # noqa: ARG002
        """The outputs that wait for the end of the job."""
        for output in self.request.outputs:
            if not output.continuous:
                folder = opt_ml / output.folder
                upload_folder(s3, folder, output.location, self.request.encryption)
        return None

    def upload_after_failure(self, s3: Any, opt_ml: Path, scratch: Path) -> None:
        """Nothing: what is uploaded at the end of the job is what it has completed."""

    def failure(self, opt_ml: Path) -> str:  # noqa: ARG002
        """A processing container says it in its exit message."""
        return ""

    def exit_message(self, opt_ml: Path) -> str | None:
        """The first kilobyte of /opt/ml/output/message.

        Raises DataOrImageError if it is not UTF-8, as on AWS.
        """
        path = opt_ml / "output" / "message"
        if not path.is_file():
            return None
        with path.open("rb") as file:
            written = file.read(_MAX_EXIT_MESSAGE_BYTES + 1)
        whole = len(written) <= _MAX_EXIT_MESSAGE_BYTES
        try:
            # A character that the limit cuts in two is no fault of the container's.
            decoder = codecs.getincrementaldecoder("utf-8")()
            text = decoder.decode(written[:_MAX_EXIT_MESSAGE_BYTES], final=whole)
        except UnicodeDecodeError as error:
            raise DataOrImageError(
                "/opt/ml/output/message is not UTF-8 text; write the exit message as UTF-8"
            ) from error
        return text.strip() or None
