"""A SageMaker service with one tiny training image, whose script a test writes."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from local_cloud.sagemaker.records.jobs import FINAL_STATUSES
from local_cloud.sagemaker.service import SageMakerConfig, SageMakerService

ACCOUNT, REGION = "000000000000", "us-east-1"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/training"
IMAGE = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/tiny:latest"
BUCKET = "lake"
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "key",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "AWS_SESSION_TOKEN": "token",
}
DEADLINE_SECONDS = 60


def eventually(condition: Callable[[], Any], what: str) -> Any:
    """Wait until the condition is truthy, and return what it gave."""
    nothing = threading.Event()
    deadline = time.monotonic() + DEADLINE_SECONDS
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        nothing.wait(0.05)
    pytest.fail(f"not within {DEADLINE_SECONDS} s: {what}")


def client(service: str, endpoint: str) -> Any:
    return boto3.client(  # type: ignore[call-overload]
        service,
        endpoint_url=endpoint,
        region_name=REGION,
        aws_access_key_id="key",
        aws_secret_access_key="secret",
        config=Config(s3={"addressing_style": "path"}),
    )


@dataclass
class Cloud:
    """The service under test. `script` becomes the training container's code."""

    config: SageMakerConfig
    context: Path
    s3: Any
    service: SageMakerService = field(init=False)

    def __post_init__(self) -> None:
        self.service = SageMakerService(self.config)

    def script(self, code: str) -> None:
        (self.context / "train.py").write_text(code)

    def restart(self) -> None:
        self.service.close()
        self.service = SageMakerService(self.config)

    def call(self, action: str, **payload: Any) -> dict[str, Any]:
        status, body = self.service.handle(action, payload, ACCOUNT, REGION)
        assert status == 200, body
        return body

    def refused(self, action: str, **payload: Any) -> tuple[str, str]:
        status, body = self.service.handle(action, payload, ACCOUNT, REGION)
        assert status == 400, body
        return body["__type"], body["message"]

    def create(self, name: str, **members: Any) -> dict[str, Any]:
        return self.call("CreateTrainingJob", **request(name, **members))

    def describe(self, name: str) -> dict[str, Any]:
        return self.call("DescribeTrainingJob", TrainingJobName=name)

    def ended(self, name: str) -> dict[str, Any]:
        return self._ended("Training", name)

    def processed(self, name: str, **members: Any) -> dict[str, Any]:
        """Run a processing job to its end."""
        self.call("CreateProcessingJob", **processing(name, **members))
        return self.ended_processing(name)

    def ended_processing(self, name: str) -> dict[str, Any]:
        return self._ended("Processing", name)

    def _ended(self, kind: str, name: str) -> dict[str, Any]:
        def description() -> dict[str, Any] | None:
            job = self.call(f"Describe{kind}Job", **{f"{kind}JobName": name})
            return job if job[f"{kind}JobStatus"] in FINAL_STATUSES else None

        found: dict[str, Any] = eventually(description, f"{name} has ended")
        return found

    def run(self, name: str, **members: Any) -> dict[str, Any]:
        self.create(name, **members)
        return self.ended(name)

    def get(self, key: str) -> bytes:
        body: bytes = self.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
        return body

    def keys(self, prefix: str) -> list[str]:
        page = self.s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix)
        return [entry["Key"].removeprefix(prefix) for entry in page.get("Contents", ())]

    def put(self, key: str, body: str) -> None:
        self.s3.put_object(Bucket=BUCKET, Key=key, Body=body.encode())

    def log_file(self, name: str, kind: str = "training") -> Path:
        return self.config.logs_dir / kind / f"{name}.log"

    def log(self, name: str, kind: str = "training") -> str:
        return self.log_file(name, kind).read_text()

    def logs(self, name: str, text: str, kind: str = "training") -> None:
        """Wait until a job has logged this."""
        path = self.log_file(name, kind)
        eventually(lambda: path.exists() and text in path.read_text(), f"{name} logs {text}")


def request(name: str, **members: Any) -> dict[str, Any]:
    """A CreateTrainingJob payload."""
    payload = {
        "TrainingJobName": name,
        "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
        "RoleArn": ROLE,
        "OutputDataConfig": {"S3OutputPath": f"s3://{BUCKET}/training/"},
        "ResourceConfig": {
            "InstanceType": "ml.m5.large",
            "InstanceCount": 1,
            "VolumeSizeInGB": 10,
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": 600},
    }
    return {**payload, **members}


def processing(name: str, **members: Any) -> dict[str, Any]:
    """A CreateProcessingJob payload."""
    cluster = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 10}
    payload = {
        "ProcessingJobName": name,
        "ProcessingResources": {"ClusterConfig": cluster},
        "AppSpecification": {"ImageUri": IMAGE},
        "RoleArn": ROLE,
    }
    return {**payload, **members}


def channel(name: str, uri: str, data_type: str = "S3Prefix") -> dict[str, Any]:
    source = {"S3DataType": data_type, "S3Uri": uri}
    return {"ChannelName": name, "DataSource": {"S3DataSource": source}}
