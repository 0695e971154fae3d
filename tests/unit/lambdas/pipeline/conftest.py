"""The cloud of the pipeline's handlers: moto, in memory, no network."""

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from lambdas.shared import aws
from tests.unit.lambdas.pipeline.factories import FunctionContext
from tests.unit.lambdas.pipeline.moto_cloud import Cloud, create_tables

REGION = "eu-west-1"


@pytest.fixture
def context() -> Any:
    return FunctionContext()


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    for name, value in {
        "AWS_DEFAULT_REGION": REGION,
        "LAKE_BUCKET": "lake",
        "PREDICTIONS_TABLE": "predictions",
        "CONTROL_TABLE": "control",
        "RETRAIN_COOLDOWN_SECONDS": "3600",
        "RETRAIN_DAILY_CAP": "2",
        "FEEDBACK_APPROVAL": "not required",
        "RETRAIN_SAME_CAUSE_SECONDS": "0",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    aws.client.cache_clear()
    with mock_aws():
        dynamodb = boto3.client("dynamodb")
        create_tables(dynamodb)
        s3: Any = boto3.client("s3")
        s3.create_bucket(Bucket="lake", CreateBucketConfiguration={"LocationConstraint": REGION})
        stepfunctions = boto3.client("stepfunctions")
        train = stepfunctions.create_state_machine(
            name="train",
            definition=json.dumps({"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}),
            roleArn="arn:aws:iam::123456789012:role/train",
        )
        yield Cloud(s3, dynamodb, stepfunctions, train["stateMachineArn"])
    aws.client.cache_clear()
