"""boto3 as the client: what goes over the wire is what it reads."""

import io
import json
from datetime import datetime
from typing import Any

import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import ClientError

from tests.unit.local_cloud.sagemaker.tiny_cloud import ACCOUNT, REGION, Cloud, client, request


class RawBody(io.BytesIO):
    """A response body with the one method of urllib3's that botocore uses."""

    def stream(self, **_: Any) -> Any:
        yield self.read()


@pytest.fixture
def sagemaker(cloud: Cloud) -> Any:
    """A boto3 client whose requests go to the service, and no further."""

    def send(request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        target = request.headers["X-Amz-Target"]
        action = (target.decode() if isinstance(target, bytes) else target).removeprefix(
            "SageMaker."
        )
        assert isinstance(request.body, bytes)
        payload = json.loads(request.body)
        status, body = cloud.service.handle(action, payload, ACCOUNT, REGION)
        answer = RawBody(json.dumps(body).encode())
        return AWSResponse(request.url, status, HTTPHeaders(), answer)

    sagemaker = client("sagemaker", "http://127.0.0.1:9")
    sagemaker.meta.events.register("before-send.sagemaker", send)
    return sagemaker


def test_boto3_creates_waits_describes_and_lists(cloud: Cloud, sagemaker: Any) -> None:
    cloud.script("print('loss=0.5')")

    created = sagemaker.create_training_job(**request("boto"))
    waiter = sagemaker.get_waiter("training_job_completed_or_stopped")
    waiter.wait(TrainingJobName="boto", WaiterConfig={"Delay": 1, "MaxAttempts": 60})

    described = sagemaker.describe_training_job(TrainingJobName="boto")
    assert described["TrainingJobArn"] == created["TrainingJobArn"]
    assert isinstance(described["TrainingEndTime"], datetime)
    listed = sagemaker.list_training_jobs(CreationTimeAfter=datetime(2000, 1, 1))  # noqa: DTZ001
    assert [job["TrainingJobName"] for job in listed["TrainingJobSummaries"]] == ["boto"]


def test_boto3_raises_sagemakers_own_exceptions(cloud: Cloud, sagemaker: Any) -> None:
    cloud.script("")
    sagemaker.create_training_job(**request("taken"))

    with pytest.raises(sagemaker.exceptions.ResourceInUse):
        sagemaker.create_training_job(**request("taken"))
    with pytest.raises(ClientError, match="Requested resource not found") as refused:
        sagemaker.describe_training_job(TrainingJobName="nobody")
    assert refused.value.response["Error"]["Code"] == "ValidationException"
    with pytest.raises(ClientError, match="does not have SageMaker's ListModels"):
        sagemaker.list_models()
