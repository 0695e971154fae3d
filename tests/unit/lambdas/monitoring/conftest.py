"""The cloud of the monitoring handlers: moto, in memory, no network."""

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from lambdas.shared import aws
from tests.unit.lambdas.monitoring.moto_cloud import Cloud, create_control, create_predictions
from tests.unit.lambdas.pipeline.factories import FunctionContext

REGION = "eu-west-1"


@pytest.fixture
def context() -> Any:
    return FunctionContext()


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    monkeypatch.setenv("LAKE_BUCKET", "lake")
    monkeypatch.setenv("PREDICTIONS_TABLE", "predictions")
    monkeypatch.setenv("CONTROL_TABLE", "control")
    monkeypatch.setenv("PREDICT_MEMORY_MB", "1769")
    monkeypatch.setenv("RETRAIN_COOLDOWN_SECONDS", "3600")
    monkeypatch.setenv("RETRAIN_DAILY_CAP", "2")
    monkeypatch.setenv("RETRAIN_SAME_CAUSE_SECONDS", "120")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    aws.client.cache_clear()
    with mock_aws():
        s3: Any = boto3.client("s3")
        s3.create_bucket(Bucket="lake", CreateBucketConfiguration={"LocationConstraint": REGION})
        dynamodb = boto3.client("dynamodb")
        create_predictions(dynamodb)
        create_control(dynamodb)
        stepfunctions = boto3.client("stepfunctions")
        train, deploy = (
            stepfunctions.create_state_machine(
                name=name,
                definition=json.dumps({"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}),
                roleArn=f"arn:aws:iam::123456789012:role/{name}",
            )["stateMachineArn"]
            for name in ("train", "deploy")
        )
        monkeypatch.setenv("TRAIN_STATE_MACHINE_ARN", train)
        monkeypatch.setenv("DEPLOY_STATE_MACHINE_ARN", deploy)
        yield Cloud(s3, dynamodb, boto3.client("cloudwatch"), stepfunctions, train, deploy)
    aws.client.cache_clear()
