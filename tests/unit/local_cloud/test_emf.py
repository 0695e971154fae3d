"""Embedded metric format: what CloudWatch would extract, and that each is published once."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from local_cloud import emf
from local_cloud.emf import Relay
from local_cloud.emf_format import MetricDatum, parse

NOW = 1_700_000_000_000


def line(
    metrics: list[dict[str, Any]],
    dimensions: Any = None,
    namespace: Any = "App",
    timestamp: Any = NOW,
    **values: Any,
) -> str:
    directive: dict[str, Any] = {"Namespace": namespace, "Metrics": metrics}
    if dimensions is not None:
        directive["Dimensions"] = dimensions
    metadata = {"Timestamp": timestamp, "CloudWatchMetrics": [directive]}
    return json.dumps({"_aws": metadata, **values})


def test_a_metric_carries_name_value_unit_time_and_namespace() -> None:
    found = parse(line([{"Name": "Latency", "Unit": "Milliseconds"}], [["v"]], Latency=3, v="7"), 0)

    assert found == [MetricDatum("App", "Latency", (("v", "7"),), "Milliseconds", (3.0,), NOW)]


def test_each_dimension_set_makes_a_metric_the_empty_one_too() -> None:
    found = parse(line([{"Name": "Hits"}], [["a", "b"], ["a"], []], Hits=1, a="x", b="y"), 0)

    assert [datum.dimensions for datum in found] == [(("a", "x"), ("b", "y")), (("a", "x"),), ()]


def test_without_dimensions_a_metric_has_none() -> None:
    assert [datum.dimensions for datum in parse(line([{"Name": "Hits"}], Hits=1), 0)] == [()]


def test_a_list_of_values_stays_one_datum() -> None:
    assert parse(line([{"Name": "Hits"}], Hits=[1, 2.5]), 0)[0].to_api()["Values"] == [1.0, 2.5]


def test_a_line_without_time_has_the_time_it_was_logged_at() -> None:
    assert parse(line([{"Name": "Hits"}], timestamp=None, Hits=1), NOW + 5)[0].timestamp == NOW + 5


def test_high_resolution_is_passed_on() -> None:
    datum = parse(line([{"Name": "Hits", "StorageResolution": 1}], Hits=1), 0)[0]

    assert datum.to_api()["StorageResolution"] == 1


@pytest.mark.parametrize(
    "message",
    [
        "START RequestId: 1 Version: $LATEST",
        "CloudWatchMetrics are great",
        '{"level": "INFO", "message": "CloudWatchMetrics"}',
        '["CloudWatchMetrics"]',
        '{"_aws": {"CloudWatchMetrics": 3}}',
        '{"_aws": {"CloudWatchMetrics": [3, {"Namespace": ""}]}}',
        line([{"Name": "Missing"}]),
        line([{"Name": "Hits"}], Hits="many"),
        line([{"Name": "Hits"}], Hits=True),
        line([{"Name": "Hits"}], Hits=float("nan")),
        line([{"Name": "Hits"}], Hits=[]),
        line([{"Name": "Hits"}], Hits=[1] * 101),
        line([{"Name": "Hits"}], [["nowhere"]], Hits=1),
        line([{"Name": "Hits"}], "v", Hits=1, v="7"),
        line([{"Name": "Hits"}], namespace=None, Hits=1),
    ],
)
def test_what_is_not_valid_gives_nothing(message: str) -> None:
    assert parse(message, NOW) == []


class FakeLogs:
    """The two calls of the logs API that the relay makes."""

    def __init__(self) -> None:
        self.events: dict[str, list[dict[str, Any]]] = {}
        self.reads = 0

    def log(self, group: str, message: str, at: int = NOW, stream: str = "s") -> None:
        event = {"logStreamName": stream, "timestamp": at, "message": message}
        self.events.setdefault(group, []).append(event)

    def get_paginator(self, operation: str) -> "FakePaginator":
        return FakePaginator(getattr(self, operation))

    def describe_log_groups(self, logGroupNamePrefix: str) -> Iterator[dict[str, Any]]:  # noqa: N803
        for name, events in self.events.items():
            if name.startswith(logGroupNamePrefix):
                size = sum(len(event["message"]) for event in events)
                yield {"logGroups": [{"logGroupName": name, "storedBytes": size}]}

    def filter_log_events(
        self,
        logGroupName: str,  # noqa: N803
        startTime: int,  # noqa: N803
        filterPattern: str,  # noqa: N803
    ) -> Iterator[dict[str, Any]]:
        self.reads += 1
        word = filterPattern.strip('"')
        for event in self.events[logGroupName]:
            if event["timestamp"] >= startTime and word in event["message"]:
                yield {"events": [event]}


class FakePaginator:
    def __init__(self, call: Any) -> None:
        self.paginate = call


class FakeCloudWatch:
    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []
        self.failing = False

    def put_metric_data(self, **request: Any) -> None:
        if self.failing:
            raise OSError("no connection")
        self.requests.append(request)

    @property
    def values(self) -> list[float]:
        data: Iterable[Any] = (d for r in self.requests for d in r["MetricData"])
        return [value for datum in data for value in datum["Values"]]


@pytest.fixture
def logs() -> FakeLogs:
    return FakeLogs()


@pytest.fixture
def cloudwatch() -> FakeCloudWatch:
    return FakeCloudWatch()


def hits(value: int) -> str:
    return line([{"Name": "Hits"}], Hits=value)


def test_each_event_is_published_once(
    logs: FakeLogs, cloudwatch: FakeCloudWatch, tmp_path: Path
) -> None:
    relay = Relay(logs, cloudwatch, tmp_path / "emf.json")
    logs.log("/aws/lambda/f", hits(1))
    logs.log("/aws/lambda/f", "no metric")
    relay.poll()
    relay.poll()
    logs.log("/aws/lambda/f", hits(2), NOW + 1)
    relay.poll()

    assert cloudwatch.values == [1.0, 2.0]


def test_a_restart_repeats_nothing(
    logs: FakeLogs, cloudwatch: FakeCloudWatch, tmp_path: Path
) -> None:
    logs.log("/aws/lambda/f", hits(1))
    Relay(logs, cloudwatch, tmp_path / "emf.json").poll()
    logs.log("/aws/lambda/f", hits(2))

    Relay(logs, cloudwatch, tmp_path / "emf.json").poll()

    assert cloudwatch.values == [1.0, 2.0]


def test_equal_lines_of_one_moment_each_count(
    logs: FakeLogs, cloudwatch: FakeCloudWatch, tmp_path: Path
) -> None:
    relay = Relay(logs, cloudwatch, tmp_path / "emf.json")
    logs.log("/aws/lambda/f", hits(1))
    relay.poll()
    logs.log("/aws/lambda/f", hits(1))
    logs.log("/aws/lambda/f", hits(1), stream="another")
    relay.poll()

    assert cloudwatch.values == [1.0, 1.0, 1.0]


def test_an_event_that_appears_a_little_late_is_not_lost(
    logs: FakeLogs, cloudwatch: FakeCloudWatch, tmp_path: Path
) -> None:
    relay = Relay(logs, cloudwatch, tmp_path / "emf.json")
    logs.log("/aws/lambda/f", hits(1), NOW)
    relay.poll()
    logs.log("/aws/lambda/f", hits(2), NOW - 5_000)
    relay.poll()

    assert cloudwatch.values == [1.0, 2.0]


def test_what_could_not_be_published_is_published_later(
    logs: FakeLogs, cloudwatch: FakeCloudWatch, tmp_path: Path
) -> None:
    relay = Relay(logs, cloudwatch, tmp_path / "emf.json")
    logs.log("/aws/lambda/f", hits(1))
    cloudwatch.failing = True
    with pytest.raises(OSError, match="no connection"):
        relay.poll()

    cloudwatch.failing = False
    relay.poll()
    relay.poll()

    assert cloudwatch.values == [1.0]


def test_only_functions_groups_are_read_and_only_when_they_grew(
    logs: FakeLogs, cloudwatch: FakeCloudWatch, tmp_path: Path
) -> None:
    relay = Relay(logs, cloudwatch, tmp_path / "emf.json")
    logs.log("/aws/sagemaker/TrainingJobs", hits(1))
    logs.log("/aws/lambda/f", hits(2))
    relay.poll()
    relay.poll()

    assert cloudwatch.values == [2.0]
    assert logs.reads == 1


def test_a_damaged_progress_file_counts_as_none(
    logs: FakeLogs, cloudwatch: FakeCloudWatch, tmp_path: Path
) -> None:
    (tmp_path / "emf.json").write_text('{"/aws/lambda/f": 3')
    logs.log("/aws/lambda/f", hits(1))

    Relay(logs, cloudwatch, tmp_path / "emf.json").poll()

    assert cloudwatch.values == [1.0]


def test_requests_hold_one_namespace_and_no_more_than_cloudwatch_takes() -> None:
    data = [MetricDatum("A", "m", (), "None", (1.0,), NOW)] * (emf.MAX_DATA_PER_REQUEST + 1)
    other = MetricDatum("B", "m", (), "None", (1.0,), NOW)

    sizes = [(one["Namespace"], len(one["MetricData"])) for one in emf.requests([*data, other])]

    assert sizes == [("A", emf.MAX_DATA_PER_REQUEST), ("A", 1), ("B", 1)]


@pytest.mark.parametrize(
    ("endpoint", "loopback"),
    [
        ("https://localhost:4566", True),
        ("https://127.0.0.1:4566", True),
        ("https://[::1]:4566", True),
        ("", False),
        ("https://monitoring.us-east-1.amazonaws.com", False),
        ("https://localhost.example.com", False),
    ],
)
def test_only_endpoints_on_this_machine_are_published_to(endpoint: str, loopback: bool) -> None:
    assert emf.is_loopback(endpoint) is loopback
