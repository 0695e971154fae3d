"""The folder that a training container finds at /opt/ml.

As AWS documents in "How Amazon SageMaker provides training information".
"""

import json
from dataclasses import dataclass
from pathlib import Path

from local_cloud.sagemaker.errors import MAX_FAILURE_REASON
from local_cloud.sagemaker.requests.channel import Channel
from local_cloud.sagemaker.requests.training_request import TrainingRequest

# The one host of a job: network names as on an instance of SageMaker.
HOST = "algo-1"


@dataclass(frozen=True)
class OptMl:
    """The paths below a job's /opt/ml, seen from outside."""

    root: Path

    @property
    def config(self) -> Path:
        """Where the three JSON files are."""
        return self.root / "input" / "config"

    @property
    def model(self) -> Path:
        """What becomes model.tar.gz."""
        return self.root / "model"

    @property
    def output_data(self) -> Path:
        """What becomes output.tar.gz."""
        return self.root / "output" / "data"

    def channel(self, name: str) -> Path:
        """Where a channel's files are."""
        return self.root / "input" / "data" / name

    def create(self, request: TrainingRequest) -> None:
        """Make the folders and write the configuration."""
        for folder in (self.config, self.model, self.output_data, self.root / "input" / "data"):
            folder.mkdir(parents=True)
        for channel in request.channels:
            self.channel(channel.name).mkdir()
        if request.checkpoints:
            (self.root / request.checkpoints.folder).mkdir(parents=True, exist_ok=True)
        files = {
            "hyperparameters.json": dict(request.hyperparameters),
            "inputdataconfig.json": {c.name: _channel_config(c) for c in request.channels},
            "resourceconfig.json": _resources(request),
        }
        for name, content in files.items():
            (self.config / name).write_text(json.dumps(content))

    def failure(self) -> str:
        """The first 1,024 characters of what the container wrote to output/failure, or ''."""
        path = self.root / "output" / "failure"
        if not path.is_file():
            return ""
        with path.open(encoding="utf-8", errors="replace") as file:
            return file.read(MAX_FAILURE_REASON).strip()


def _channel_config(channel: Channel) -> dict[str, str]:
    config = {
        "TrainingInputMode": "File",
        "S3DistributionType": "FullyReplicated",
        "RecordWrapperType": "None",
    }
    return (
        config if channel.content_type is None else {**config, "ContentType": channel.content_type}
    )


def _resources(request: TrainingRequest) -> dict[str, object]:
    group = {
        "instance_group_name": request.instance_group,
        "instance_type": request.instance_type,
        "hosts": [HOST],
    }
    return {
        "current_host": HOST,
        "current_instance_type": request.instance_type,
        "current_group_name": request.instance_group,
        "hosts": [HOST],
        "instance_groups": [group],
        "network_interface_name": "lo",
    }
