"""A job's log lines, on their way to CloudWatch."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_cloud.sagemaker import aws
from local_cloud.sagemaker.cloudwatch.job_log import CloudWatchStream, JobLog
from local_cloud.sagemaker.config import SageMakerConfig
from tests.unit.local_cloud.sagemaker.tiny_cloud import eventually

GROUP, STREAM = "/aws/sagemaker/ProcessingJobs", "job/algo-1-0"
ROLE, SERVICE = {"AWS_ACCESS_KEY_ID": "role"}, {"AWS_ACCESS_KEY_ID": "service"}


class FakeLogs:
    """CloudWatch Logs with the limits of PutLogEvents."""

    def __init__(self, denied: bool = False) -> None:
        self.denied = denied
        self.batches: list[list[dict[str, Any]]] = []
        self.asked = 0
        self.created: list[dict[str, str]] = []
        self.expired = False

    def create_log_group(self, **names: str) -> None:
        self.asked += 1
        self.created.append(names)
        if self.denied:
            raise ClientError({"Error": {"Code": "AccessDeniedException"}}, "CreateLogGroup")

    def create_log_stream(self, **names: str) -> None:
        self.created.append(names)
        code = "ResourceAlreadyExistsException"
        raise ClientError({"Error": {"Code": code}}, "CreateLogStream")

    def put_log_events(self, **request: Any) -> None:
        if self.expired:
            raise ClientError({"Error": {"Code": "ExpiredTokenException"}}, "PutLogEvents")
        events = request["logEvents"]
        assert (request["logGroupName"], request["logStreamName"]) == (GROUP, STREAM)
        size = sum(len(event["message"].encode()) + 26 for event in events)
        if not events or len(events) > 10_000 or size > 1_048_576:
            raise ClientError({"Error": {"Code": "InvalidParameterException"}}, "PutLogEvents")
        assert all(event["message"] for event in events)
        self.batches.append(events)

    @property
    def messages(self) -> list[str]:
        return [event["message"] for batch in self.batches for event in batch]


@pytest.fixture
def clients(monkeypatch: pytest.MonkeyPatch) -> dict[str, FakeLogs]:
    clients = {"role": FakeLogs(), "service": FakeLogs()}

    def client(_: str, __: Any, credentials: dict[str, str]) -> FakeLogs:
        return clients[credentials["AWS_ACCESS_KEY_ID"]]

    monkeypatch.setattr(aws, "client", client)
    return clients


def write(config: SageMakerConfig, tmp_path: Path, lines: list[str]) -> str:
    path = tmp_path / "job.log"
    with JobLog(path, CloudWatchStream(config, STREAM, ROLE, GROUP)) as log:
        for line in lines:
            log.write(line)
    return path.read_text()


def test_every_line_arrives_in_order_in_batches_that_cloudwatch_takes(
    cloud_config: SageMakerConfig, clients: dict[str, FakeLogs], tmp_path: Path
) -> None:
    lines = [f"{number} {'é' * 30_000}" for number in range(60)] + [str(n) for n in range(1200)]

    text = write(cloud_config, tmp_path, lines)

    assert clients["role"].messages == lines
    assert text.splitlines() == lines


def test_the_stream_is_created_once_in_the_log_group_of_the_jobs_kind(
    cloud_config: SageMakerConfig, clients: dict[str, FakeLogs], tmp_path: Path
) -> None:
    write(cloud_config, tmp_path, [str(number) for number in range(1200)])

    assert clients["role"].created == [
        {"logGroupName": GROUP},
        {"logGroupName": GROUP, "logStreamName": STREAM},
    ]


def test_an_empty_line_is_sent_as_a_space(
    cloud_config: SageMakerConfig, clients: dict[str, FakeLogs], tmp_path: Path
) -> None:
    write(cloud_config, tmp_path, [""])

    assert clients["role"].messages == [" "]


def test_a_role_without_rights_on_logs_leaves_them_to_the_service(
    cloud_config: SageMakerConfig, clients: dict[str, FakeLogs], tmp_path: Path
) -> None:
    clients["role"].denied = True
    lines = [str(number) for number in range(1200)]

    write(replace(cloud_config, service_credentials=SERVICE), tmp_path, lines)

    assert clients["role"].messages == []
    assert clients["service"].messages == lines
    assert clients["role"].asked == 1


def test_a_role_whose_credentials_expire_leaves_the_rest_to_the_service(
    cloud_config: SageMakerConfig, clients: dict[str, FakeLogs], tmp_path: Path
) -> None:
    stream = CloudWatchStream(
        replace(cloud_config, service_credentials=SERVICE), STREAM, ROLE, GROUP
    )
    with JobLog(tmp_path / "job.log", stream) as log:
        log.write("before")
        eventually(lambda: clients["role"].messages, "the first line")
        clients["role"].expired = True
        log.write("after")

    assert clients["role"].messages == ["before"]
    assert clients["service"].messages == ["after"]


def test_a_log_that_cloudwatch_refuses_is_in_the_file(
    cloud_config: SageMakerConfig, clients: dict[str, FakeLogs], tmp_path: Path
) -> None:
    clients["role"].denied = True

    assert write(cloud_config, tmp_path, ["a line"]) == "a line\n"
