"""A job's log lines, on their way to CloudWatch."""

from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_cloud.sagemaker import aws
from local_cloud.sagemaker.config import SageMakerConfig
from local_cloud.sagemaker.job_log import CloudWatchStream, JobLog

ROLE, SERVICE = {"AWS_ACCESS_KEY_ID": "role"}, {"AWS_ACCESS_KEY_ID": "service"}


class FakeLogs:
    """CloudWatch Logs with the limits of PutLogEvents."""

    def __init__(self, denied: bool = False) -> None:
        self.denied = denied
        self.batches: list[list[dict[str, Any]]] = []

    def create_log_group(self, **_: str) -> None:
        if self.denied:
            raise ClientError({"Error": {"Code": "AccessDeniedException"}}, "CreateLogGroup")

    def create_log_stream(self, **_: str) -> None:
        code = "ResourceAlreadyExistsException"
        raise ClientError({"Error": {"Code": code}}, "CreateLogStream")

    def put_log_events(self, **request: Any) -> None:
        events = request["logEvents"]
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
    with JobLog(path, CloudWatchStream(config, "job/algo-1-0", ROLE)) as log:
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


def test_an_empty_line_is_sent_as_a_space(
    cloud_config: SageMakerConfig, clients: dict[str, FakeLogs], tmp_path: Path
) -> None:
    write(cloud_config, tmp_path, [""])

    assert clients["role"].messages == [" "]


def test_a_role_without_rights_on_logs_leaves_them_to_the_service(
    cloud_config: SageMakerConfig, clients: dict[str, FakeLogs], tmp_path: Path
) -> None:
    clients["role"].denied = True
    config = SageMakerConfig(**{**vars(cloud_config), "service_credentials": SERVICE})

    write(config, tmp_path, ["a line"])

    assert clients["role"].messages == []
    assert clients["service"].messages == ["a line"]


def test_a_log_that_cloudwatch_refuses_is_in_the_file(
    cloud_config: SageMakerConfig, clients: dict[str, FakeLogs], tmp_path: Path
) -> None:
    clients["role"].denied = True

    assert write(cloud_config, tmp_path, ["a line"]) == "a line\n"
