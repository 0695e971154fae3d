"""The cloud of the pipeline's handlers: moto, in memory, no network."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from moto import mock_aws

from areyouacat.predictions import (
    CONTROL_PARTITION_KEY,
    FEEDBACK_AT,
    FEEDBACK_BUCKET,
    FEEDBACK_INDEX,
    PARTITION_KEY,
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
    stepfunctions: Any
    train_arn: str

    def start_execution(self, name: str) -> str:
        """An execution of train that runs until it is stopped."""
        answer = self.stepfunctions.start_execution(stateMachineArn=self.train_arn, name=name)
        return str(answer["executionArn"])


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    for name, value in {
        "AWS_DEFAULT_REGION": REGION,
        "LAKE_BUCKET": "lake",
        "PREDICTIONS_TABLE": "predictions",
        "CONTROL_TABLE": "control",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    aws.client.cache_clear()
    with mock_aws():
        dynamodb = boto3.client("dynamodb")
        _create_tables(dynamodb)
        s3 = boto3.client("s3")
        s3.create_bucket(Bucket="lake", CreateBucketConfiguration={"LocationConstraint": REGION})
        stepfunctions = boto3.client("stepfunctions")
        train = stepfunctions.create_state_machine(
            name="train",
            definition=json.dumps({"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}),
            roleArn="arn:aws:iam::123456789012:role/train",
        )
        yield Cloud(s3, dynamodb, stepfunctions, train["stateMachineArn"])
    aws.client.cache_clear()


def _create_tables(dynamodb: Any) -> None:
    dynamodb.create_table(
        TableName="control",
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": CONTROL_PARTITION_KEY, "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": CONTROL_PARTITION_KEY, "AttributeType": "S"}],
    )
    dynamodb.create_table(
        TableName="predictions",
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": PARTITION_KEY, "KeyType": "HASH"}],
        AttributeDefinitions=[
            {"AttributeName": name, "AttributeType": "S"}
            for name in (PARTITION_KEY, FEEDBACK_BUCKET, FEEDBACK_AT)
        ],
        GlobalSecondaryIndexes=[
            {
                "IndexName": FEEDBACK_INDEX,
                "KeySchema": [
                    {"AttributeName": FEEDBACK_BUCKET, "KeyType": "HASH"},
                    {"AttributeName": FEEDBACK_AT, "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
    )
