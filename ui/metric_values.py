"""CloudWatch's metrics over a stretch of time, for charts and key figures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from areyouacat.dashboard import ANY, Series
from ui import aws
from ui.configuration import Configuration

_QUERIES: Final = 500  # CloudWatch's limit for one GetMetricData
_PERCENTILE_RANK: Final = "PR("


@dataclass(frozen=True)
class Span:
    """A stretch of time up to now. `period_seconds`: between its points."""

    name: str
    words: str
    length: timedelta
    period_seconds: int


SPANS: Final = (
    Span("3h", "3 hours", timedelta(hours=3), 120),
    Span("day", "day", timedelta(days=1), 900),
    Span("week", "week", timedelta(days=7), 2 * 3600),
    Span("month", "month", timedelta(days=30), 8 * 3600),
)


@dataclass(frozen=True)
class Line:
    """The values of one series, the oldest first; empty where there are none."""

    label: str
    times: tuple[datetime, ...] = ()
    values: tuple[float, ...] = ()

    @property
    def last(self) -> float | None:
        """The newest value."""
        return self.values[-1] if self.values else None

    @property
    def change(self) -> float | None:
        """From the oldest value to the newest; `None` where there are not two."""
        return self.values[-1] - self.values[0] if len(self.values) > 1 else None


class MetricValues:
    """Reads CloudWatch. Calls raise `aws.AwsError`."""

    def __init__(self, configuration: Configuration, cloudwatch: Any = None) -> None:
        """`cloudwatch`: a boto3 client; by default the one of `configuration`."""
        self._cloudwatch = cloudwatch or aws.client(configuration, "cloudwatch")
        # The emulated CloudWatch takes a percentile rank for an average.
        self._knows_ranks = configuration.aws_endpoint_url is None

    def read(self, series: Sequence[Series], span: Span, now: datetime) -> Sequence[Line]:
        """A line for each series, in their order; more than one for a series of `ANY` dimension."""
        wanted = [each for one in series for each in self._spelled_out(one)]
        lines = [Line(one.label) for one in wanted]
        asked = [
            place for place, one in enumerate(wanted) if self._knows_ranks or not _is_rank(one)
        ]
        for first in range(0, len(asked), _QUERIES):
            some = asked[first : first + _QUERIES]
            found = self._points([wanted[place] for place in some], span, now)
            for place, points in zip(some, found, strict=True):
                times, values = zip(*points, strict=True) if points else ((), ())
                lines[place] = Line(wanted[place].label, times, values)
        return lines

    def _spelled_out(self, one: Series) -> Iterator[Series]:
        """The series itself, or one for each value that its dimension has had lately."""
        if ANY not in one.dimensions.values():
            yield one
            return
        with aws.in_words():
            pages = self._cloudwatch.get_paginator("list_metrics").paginate(
                Namespace=one.namespace, MetricName=one.metric
            )
            found = [metric for page in pages for metric in page["Metrics"]]
        for metric in found:
            values = {str(each["Name"]): str(each["Value"]) for each in metric["Dimensions"]}
            if values.keys() == one.dimensions.keys():
                yield replace(one, dimensions=values, label=", ".join(values.values()))

    def _points(
        self, series: Sequence[Series], span: Span, now: datetime
    ) -> Sequence[Sequence[tuple[datetime, float]]]:
        """Of each series, the oldest first."""
        queries = [_query(f"m{place}", one, span) for place, one in enumerate(series)]
        points: dict[str, list[tuple[datetime, float]]] = {each["Id"]: [] for each in queries}
        with aws.in_words():
            pages = self._cloudwatch.get_paginator("get_metric_data").paginate(
                MetricDataQueries=queries, StartTime=now - span.length, EndTime=now
            )
            for page in pages:
                for result in page["MetricDataResults"]:
                    points[result["Id"]] += [
                        (at.astimezone(UTC), float(value))
                        for at, value in zip(result["Timestamps"], result["Values"], strict=True)
                    ]
        return [sorted(each) for each in points.values()]


def _is_rank(one: Series) -> bool:
    return one.statistic.startswith(_PERCENTILE_RANK)


def _query(name: str, one: Series, span: Span) -> Mapping[str, Any]:
    return {
        "Id": name,
        "MetricStat": {
            "Metric": {
                "Namespace": one.namespace,
                "MetricName": one.metric,
                "Dimensions": [
                    {"Name": key, "Value": value} for key, value in one.dimensions.items()
                ],
            },
            "Period": max(span.period_seconds, one.period),
            "Stat": one.statistic,
        },
    }
