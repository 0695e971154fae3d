"""The cloud of the monitoring handlers: moto, in memory, no network."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from moto import mock_aws

from areyouacat.predictions import (
    FEEDBACK_AT,
    FEEDBACK_BUCKET,
    FEEDBACK_INDEX,
    PARTITION_KEY,
    PREDICTED_AT,
    PREDICTED_BUCKET,
    PREDICTED_INDEX,
)
from lambdas.shared import aws

REGION = "eu-west-1"


@dataclass(frozen=True)
class FunctionContext:
    """What the logger reads from a Lambda context."""

    function_name: str = "under-test"
    memory_limit_in_mb: int = 512
    invoked_function_arn: str = "arn:aws:lambda:eu-west-1:123456789012:function:under-test"
    aws_request_id: str = "request-1"


@pytest.fixture
def context() -> Any:
    return FunctionContext()


@dataclass(frozen=True)
class Cloud:
    s3: Any
    dynamodb: Any
    cloudwatch: Any
    stepfunctions: Any
    train_arn: str

    def executions(self) -> list[dict[str, Any]]:
        """All executions of train, with their inputs."""
        listed = self.stepfunctions.list_executions(stateMachineArn=self.train_arn)["executions"]
        return [
            self.stepfunctions.describe_execution(executionArn=execution["executionArn"])
            for execution in listed
        ]


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    monkeypatch.setenv("LAKE_BUCKET", "lake")
    monkeypatch.setenv("PREDICTIONS_TABLE", "predictions")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    aws.client.cache_clear()
    with mock_aws():
        s3 = boto3.client("s3")
        s3.create_bucket(Bucket="lake", CreateBucketConfiguration={"LocationConstraint": REGION})
        dynamodb = boto3.client("dynamodb")
        _create_predictions(dynamodb)
        stepfunctions = boto3.client("stepfunctions")
        train = stepfunctions.create_state_machine(
            name="train",
            definition=json.dumps({"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}),
            roleArn="arn:aws:iam::123456789012:role/train",
        )
        monkeypatch.setenv("TRAIN_STATE_MACHINE_ARN", train["stateMachineArn"])
        yield Cloud(
            s3, dynamodb, boto3.client("cloudwatch"), stepfunctions, train["stateMachineArn"]
        )
    aws.client.cache_clear()


def _create_predictions(dynamodb: Any) -> None:
    indexes = {
        PREDICTED_INDEX: (PREDICTED_BUCKET, PREDICTED_AT),
        FEEDBACK_INDEX: (FEEDBACK_BUCKET, FEEDBACK_AT),
    }
    dynamodb.create_table(
        TableName="predictions",
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": PARTITION_KEY, "KeyType": "HASH"}],
        AttributeDefinitions=[
            {"AttributeName": name, "AttributeType": "S"}
            for name in (PARTITION_KEY, *(key for keys in indexes.values() for key in keys))
        ],
        GlobalSecondaryIndexes=[
            {
                "IndexName": index,
                "KeySchema": [
                    {"AttributeName": bucket, "KeyType": "HASH"},
                    {"AttributeName": at, "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "ALL"},
            }
            for index, (bucket, at) in indexes.items()
        ],
    )
