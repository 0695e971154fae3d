"""A job's metrics, on their way to CloudWatch."""

import json
import logging
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from local_cloud.sagemaker import aws
from local_cloud.sagemaker.cloudwatch.metric_stream import CloudWatchMetrics
from local_cloud.sagemaker.config import SageMakerConfig
from local_cloud.sagemaker.records.jobs import FinalMetric
from tests.unit.local_cloud.sagemaker.tiny_cloud import CREDENTIALS, client, eventually

ROLE, SERVICE = {"AWS_ACCESS_KEY_ID": "role"}, {"AWS_ACCESS_KEY_ID": "service"}


class FakeCloudWatch:
    """CloudWatch with the limits of PutMetricData."""

    def __init__(self) -> None:
        self.error: Exception | None = None
        self.asked = 0
        self.batches: list[list[dict[str, Any]]] = []

    def put_metric_data(self, **request: Any) -> None:
        self.asked += 1
        if self.error:
            raise self.error
        data = request["MetricData"]
        if not data or len(data) > 1000 or len(json.dumps(data)) > 1_000_000:
            raise denied("InvalidParameterValue")
        self.batches.append(data)

    @property
    def values(self) -> list[float]:
        return [datum["Value"] for batch in self.batches for datum in batch]


def denied(code: str = "AccessDenied") -> ClientError:
    return ClientError({"Error": {"Code": code}}, "PutMetricData")


@pytest.fixture
def clients(monkeypatch: pytest.MonkeyPatch) -> dict[str, FakeCloudWatch]:
    clients = {"role": FakeCloudWatch(), "service": FakeCloudWatch()}

    def client(service: str, _: Any, credentials: dict[str, str]) -> FakeCloudWatch:
        assert service == "cloudwatch"
        return clients[credentials["AWS_ACCESS_KEY_ID"]]

    monkeypatch.setattr(aws, "client", client)
    return clients


@pytest.fixture
def config(cloud_config: SageMakerConfig) -> SageMakerConfig:
    return replace(cloud_config, service_credentials=SERVICE)


def metrics(*values: float) -> list[FinalMetric]:
    return [FinalMetric("loss", value, 1_700_000_000.0) for value in values]


def publish(config: SageMakerConfig, found: list[FinalMetric]) -> None:
    with CloudWatchMetrics(config, "job", ROLE) as stream:
        for metric in found:
            stream.put(metric)


def test_values_are_in_cloudwatch_at_their_own_time_while_the_job_runs(
    cloud_config: SageMakerConfig, endpoint: str
) -> None:
    cloudwatch = client("cloudwatch", endpoint)
    minute = datetime.now(UTC).replace(second=0, microsecond=0)
    at = minute.timestamp()

    def statistics() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = cloudwatch.get_metric_statistics(
            Namespace="/aws/sagemaker/TrainingJobs",
            MetricName="validation:loss",
            Dimensions=[{"Name": "TrainingJobName", "Value": "live-job"}],
            StartTime=at - 120,
            EndTime=at + 60,
            Period=60,
            Statistics=["Sum", "SampleCount"],
        )["Datapoints"]
        return sorted(found, key=lambda point: point["Timestamp"])

    with CloudWatchMetrics(cloud_config, "live-job", CREDENTIALS) as stream:
        for value, seconds in ((0.5, -60), (0.25, 0), (0.125, 1)):
            stream.put(FinalMetric("validation:loss", value, at + seconds))
        points = eventually(lambda: len(found := statistics()) == 2 and found, "two minutes")

    assert [(point["Timestamp"], point["Sum"], point["SampleCount"]) for point in points] == [
        (datetime.fromtimestamp(at - 60, UTC), 0.5, 1),
        (minute, 0.375, 2),
    ]


def test_every_value_arrives_in_order_in_batches_that_cloudwatch_takes(
    config: SageMakerConfig, clients: dict[str, FakeCloudWatch]
) -> None:
    long_name = "é" * 255
    found = [FinalMetric(long_name, float(value), 1_700_000_000.0) for value in range(2500)]

    publish(config, found)

    assert clients["role"].values == [metric.value for metric in found]


def test_a_value_larger_than_cloudwatch_takes_does_not_keep_the_others_back(
    config: SageMakerConfig,
    clients: dict[str, FakeCloudWatch],
    caplog: pytest.LogCaptureFixture,
) -> None:
    publish(config, metrics(1.0, 1e200, -1e200, 2.0**360, 2.0))

    assert clients["role"].values == [1.0, 2.0**360, 2.0]
    assert [record.levelno for record in caplog.records] == [logging.WARNING] * 2
    assert "1e+200, of loss" in caplog.text


def test_a_role_without_rights_on_metrics_leaves_them_to_the_service(
    config: SageMakerConfig, clients: dict[str, FakeCloudWatch]
) -> None:
    clients["role"].error = denied()

    publish(config, metrics(*range(1500)))

    assert clients["service"].values == list(range(1500))
    assert clients["role"].asked == 1


def test_a_role_whose_credentials_expire_leaves_the_rest_to_the_service(
    config: SageMakerConfig, clients: dict[str, FakeCloudWatch]
) -> None:
    with CloudWatchMetrics(config, "job", ROLE) as stream:
        stream.put(metrics(1.0)[0])
        eventually(lambda: clients["role"].values, "the first value")
        clients["role"].error = denied("ExpiredToken")
        stream.put(metrics(2.0)[0])

    assert clients["role"].values == [1.0]
    assert clients["service"].values == [2.0]


@pytest.mark.parametrize("error", [denied(), EndpointConnectionError(endpoint_url="http://gone")])
def test_metrics_that_cloudwatch_does_not_take_are_told_and_fail_nothing(
    error: Exception,
    config: SageMakerConfig,
    clients: dict[str, FakeCloudWatch],
    caplog: pytest.LogCaptureFixture,
) -> None:
    clients["role"].error = clients["service"].error = error

    publish(config, metrics(1.0))

    assert clients["role"].asked == 1
    assert f"metrics of job were not taken: {error}" in caplog.text
