"""A lake and the two tables in moto, and events as API Gateway sends them."""

from __future__ import annotations

import base64
import io
import json
import logging
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from moto import mock_aws

from areyouacat import predictions
from lambdas.shared import aws
from lambdas.shared.observability import logger
from tests.unit.lambdas.snapshots import FakeRegistry

LAKE = "lake-of-the-test"
TABLE = "predictions-of-the-test"
CONTROL_TABLE = "control-of-the-test"
REGION = "eu-central-1"


@dataclass(frozen=True)
class FakeContext:
    """What a Lambda is told about its invocation."""

    function_name: str = "function"
    memory_limit_in_mb: int = 1024
    invoked_function_arn: str = f"arn:aws:lambda:{REGION}:123456789012:function:function"
    aws_request_id: str = "request-1"


@dataclass(frozen=True)
class HttpAnswer:
    """A proxy response: its body, read if it is JSON; its headers, named in small letters."""

    status: int
    body: Any
    headers: dict[str, str]


@pytest.fixture(scope="session")
def clients() -> dict[str, Any]:
    """A process's clients, made once: making one takes longer than a test."""
    with pytest.MonkeyPatch.context() as environment, mock_aws():
        environment.setenv("AWS_ACCESS_KEY_ID", "testing")
        environment.setenv("AWS_SECRET_ACCESS_KEY", "testing")
        environment.setenv("AWS_DEFAULT_REGION", REGION)
        environment.delenv("AWS_ENDPOINT_URL", raising=False)
        # What the session learns here must not outlive it in other tests.
        environment.setattr(boto3, "DEFAULT_SESSION", None)
        return {name: aws.client.__wrapped__(name) for name in ("s3", "dynamodb")}


@pytest.fixture
def cloud(clients: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An empty account of its own, and the environment of a function in it."""
    monkeypatch.setenv("LAKE_BUCKET", LAKE)
    monkeypatch.setenv("PREDICTIONS_TABLE", TABLE)
    monkeypatch.setenv("CONTROL_TABLE", CONTROL_TABLE)
    monkeypatch.setattr(aws, "client", clients.__getitem__)
    with mock_aws():
        yield


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> FakeRegistry:
    """The registry of hooks, as functions find it on Lambda."""
    found = FakeRegistry()
    monkeypatch.setitem(sys.modules, "snapshot_restore_py", found)
    return found


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What the functions log while the test runs."""
    lines = io.StringIO()
    handler = logger.registered_handler
    assert isinstance(handler, logging.StreamHandler)
    stream = handler.setStream(lines)
    yield lines
    handler.setStream(stream)


@pytest.fixture
def s3(cloud: None) -> Any:
    client = aws.client("s3")
    client.create_bucket(Bucket=LAKE, CreateBucketConfiguration={"LocationConstraint": REGION})
    client.put_bucket_versioning(Bucket=LAKE, VersioningConfiguration={"Status": "Enabled"})
    return client


@pytest.fixture
def dynamodb(cloud: None) -> Any:
    client = aws.client("dynamodb")
    keys = [
        (predictions.PREDICTED_INDEX, predictions.PREDICTED_BUCKET, predictions.PREDICTED_AT),
        (predictions.FEEDBACK_INDEX, predictions.FEEDBACK_BUCKET, predictions.FEEDBACK_AT),
    ]
    attributes = [predictions.PARTITION_KEY, *(name for key in keys for name in key[1:])]
    client.create_table(
        TableName=TABLE,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": predictions.PARTITION_KEY, "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in attributes],
        GlobalSecondaryIndexes=[
            {
                "IndexName": index,
                "KeySchema": [
                    {"AttributeName": partition, "KeyType": "HASH"},
                    {"AttributeName": sort, "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "ALL"},
            }
            for index, partition, sort in keys
        ],
    )
    client.create_table(
        TableName=CONTROL_TABLE,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": predictions.CONTROL_PARTITION_KEY, "KeyType": "HASH"}],
        AttributeDefinitions=[
            {"AttributeName": predictions.CONTROL_PARTITION_KEY, "AttributeType": "S"}
        ],
    )
    return client


@pytest.fixture
def send() -> Callable[..., HttpAnswer]:
    """Calls a handler as API Gateway would: `send(handler, "POST", "/predict", data)`."""

    def call(
        handler: Callable[[dict[str, Any], Any], dict[str, Any]],
        method: str,
        path: str,
        body: bytes | str | None = None,
        *,
        content_type: str = "application/json",
        api_key: str = "key-1",
        address: str = "127.0.0.1",
        session: str | None = None,
        idempotency_key: str | None = None,
    ) -> HttpAnswer:
        headers = {"Content-Type": content_type}
        if idempotency_key is not None:
            headers["Idempotency-Key"] = idempotency_key
        if session:
            headers["X-Session-Id"] = session
        event = {
            "resource": path,
            "path": path,
            "httpMethod": method,
            "headers": headers,
            "multiValueHeaders": {name: [value] for name, value in headers.items()},
            "queryStringParameters": None,
            "multiValueQueryStringParameters": None,
            "pathParameters": None,
            "stageVariables": None,
            "requestContext": {
                "requestId": "gateway-request-1",
                "stage": "v1",
                "path": f"/v1{path}",
                "httpMethod": method,
                "resourcePath": path,
                "identity": {"apiKey": api_key, "sourceIp": address},
            },
            "body": base64.b64encode(body).decode() if isinstance(body, bytes) else body,
            "isBase64Encoded": isinstance(body, bytes),
        }
        response = handler(event, FakeContext())
        sent = {name.lower(): values[0] for name, values in response["multiValueHeaders"].items()}
        is_json = sent["content-type"] == "application/json"
        body = json.loads(response["body"]) if is_json else response["body"]
        return HttpAnswer(response["statusCode"], body, sent)

    return call
