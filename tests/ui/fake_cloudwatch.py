# ruff: noqa: N803 - the names are those of boto3
"""CloudWatch as far as the Health page uses it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

WHEN = datetime(2026, 11, 23, 12, tzinfo=UTC)


class FakeCloudWatch:
    """Metrics by name and dimensions, one value a minute up to now; and alarms.

    `page`: values in one answer at most, the newest first, as CloudWatch gives them. `asked`: every
    GetMetricData.
    """

    def __init__(self) -> None:
        self.metrics: dict[tuple[str, frozenset[tuple[str, str]]], list[float]] = {}
        self.alarms: list[dict[str, Any]] = []
        self.asked: list[dict[str, Any]] = []
        self.page = 1_000

    def put(self, metric: str, *values: float, **dimensions: str) -> None:
        self.metrics[metric, frozenset(dimensions.items())] = list(values)

    def alarm(self, name: str, state: str, reason: str = "a reason") -> None:
        self.alarms.append(
            {
                "AlarmName": name,
                "AlarmDescription": "What it watches.",
                "StateValue": state,
                "StateReason": reason,
                "StateUpdatedTimestamp": WHEN,
            }
        )

    def get_paginator(self, operation: str) -> Pages:
        return Pages(getattr(self, f"_{operation}"))

    def _describe_alarms(self, AlarmNamePrefix: str, AlarmTypes: list[str]) -> Iterator[Any]:
        assert AlarmTypes == ["MetricAlarm", "CompositeAlarm"]
        for each in self.alarms:
            if each["AlarmName"].startswith(AlarmNamePrefix):
                yield {"MetricAlarms": [each]}

    def _list_metrics(self, Namespace: str, MetricName: str) -> Iterator[Any]:
        for name, dimensions in self.metrics:
            if name == MetricName:
                found = [{"Name": key, "Value": value} for key, value in sorted(dimensions)]
                yield {"Metrics": [{"Namespace": Namespace, "Dimensions": found}]}

    def _get_metric_data(
        self, MetricDataQueries: list[dict[str, Any]], StartTime: datetime, EndTime: datetime
    ) -> Iterator[Any]:
        self.asked.append(
            {"Queries": MetricDataQueries, "StartTime": StartTime, "EndTime": EndTime}
        )
        for query in MetricDataQueries:
            metric = query["MetricStat"]["Metric"]
            dimensions = frozenset((each["Name"], each["Value"]) for each in metric["Dimensions"])
            values = self.metrics.get((metric["MetricName"], dimensions), [])[::-1]
            times = [EndTime - timedelta(minutes=minute) for minute in range(len(values))]
            for first in range(0, len(values) or 1, self.page):
                some = slice(first, first + self.page)
                result = {"Id": query["Id"], "Timestamps": times[some], "Values": values[some]}
                yield {"MetricDataResults": [result]}


class Pages:
    """What `get_paginator` gives."""

    def __init__(self, pages: Any) -> None:
        self._pages = pages

    def paginate(self, **asked: Any) -> Iterator[Any]:
        pages: Iterator[Any] = self._pages(**asked)
        return pages
