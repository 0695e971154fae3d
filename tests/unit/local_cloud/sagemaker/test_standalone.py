"""SageMaker stands beside a cloud that is not ours: here moto's server, as a process of its own."""

import json
import os
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from local_cloud.sagemaker.config import SageMakerConfig
from local_cloud.sagemaker.standalone import MAX_BODY_BYTES, Server, StandaloneError, config
from tests.unit.local_cloud.sagemaker.tiny_cloud import ACCOUNT, BUCKET, REGION, Cloud, request

ENVIRONMENT = {
    "AWS_ENDPOINT_URL": "http://localhost:4566",
    "AWS_REGION": REGION,
    "LOCAL_STATE_DIR": "/state",
}


@pytest.fixture
def address(cloud_config: SageMakerConfig, s3: Any) -> Iterator[str]:
    """The server's address, as its first line tells it."""
    state = cloud_config.state_dir
    state.mkdir()
    cloud_config.images_file.rename(state / "images.json")
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
        "AWS_ENDPOINT_URL": cloud_config.endpoint_url,
        "AWS_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "LOCAL_STATE_DIR": str(state),
        "UV": str(cloud_config.uv),
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "local_cloud.sagemaker.standalone", "--port", "0"],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    said = process.stdout.readline()
    yield said.strip().partition("=")[2]
    process.terminate()
    assert process.wait(timeout=60) == 0


def test_a_job_of_another_cloud_runs_to_its_end(
    address: str, cloud_config: SageMakerConfig, tmp_path: Path, s3: Any
) -> None:
    (tmp_path / "image" / "train.py").write_text(
        "from pathlib import Path\nPath('/opt/ml/model/answer').write_text('42')"
        if os.geteuid() == 0
        else "import os\nfrom pathlib import Path\n"
        "Path(os.environ['SAGEMAKER_BASE_DIR'], 'model', 'answer').write_text('42')"
    )
    sagemaker = boto3.client(
        "sagemaker",
        endpoint_url=address,
        region_name=REGION,
        aws_access_key_id="key",
        aws_secret_access_key="secret",
    )

    sagemaker.create_training_job(**request("beside"))
    waiter = sagemaker.get_waiter("training_job_completed_or_stopped")
    waiter.wait(TrainingJobName="beside", WaiterConfig={"Delay": 1, "MaxAttempts": 60})

    job = sagemaker.describe_training_job(TrainingJobName="beside")
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    artifact = job["ModelArtifacts"]["S3ModelArtifacts"]
    assert s3.head_object(Bucket=BUCKET, Key=artifact.removeprefix(f"s3://{BUCKET}/"))


@pytest.fixture
def refusing(cloud: Cloud) -> Iterator[str]:
    """The address of a server in this process."""
    server = Server(cloud.service, ACCOUNT, REGION, 0)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("target", "body", "status", "code"),
    [
        ("DynamoDB_20120810.GetItem", b"{}", 400, "UnknownOperationException"),
        ("SageMaker.CreateTrainingJob", b"[]", 400, "SerializationException"),
        ("SageMaker.CreateTrainingJob", b"{", 400, "SerializationException"),
        ("SageMaker.DescribeTrainingJob", b"{}", 400, "ValidationException"),
        ("SageMaker.CreateTrainingJob", None, 413, "RequestEntityTooLarge"),
    ],
)
def test_what_is_no_call_of_sagemakers_is_refused(
    refusing: str, target: str, body: bytes | None, status: int, code: str
) -> None:
    headers = {"X-Amz-Target": target}
    if body is None:
        headers["Content-Length"] = str(MAX_BODY_BYTES + 1)
    asked = urllib.request.Request(refusing, data=body or b"", headers=headers)

    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(asked, timeout=10)

    assert refused.value.code == status
    assert json.load(refused.value)["__type"] == code


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"AWS_ENDPOINT_URL": "https://s3.amazonaws.com"}, "on this machine"),
        ({"AWS_ENDPOINT_URL": ""}, "on this machine"),
        ({"LOCAL_STATE_DIR": ""}, "LOCAL_STATE_DIR"),
        ({"AWS_REGION": ""}, "AWS_REGION"),
    ],
)
def test_it_does_not_start_without_knowing_where(changed: dict[str, str], words: str) -> None:
    with pytest.raises(StandaloneError, match=words):
        config({**ENVIRONMENT, **changed})
