"""CloudWatch's metrics as lines, and its alarms in words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from areyouacat.dashboard import ANY, Deployed, Panel, Series, Unit, rows
from tests.ui.fake_cloudwatch import WHEN, FakeCloudWatch
from ui.alarms import Alarms, AlarmState, title
from ui.aws import AwsError
from ui.configuration import Configuration
from ui.metric_values import SPANS, Line, MetricValues, Span
from ui.views.health_charts import chart_data, newest

MONITOR = "arn:aws:states:eu-west-1:123456789012:stateMachine:AreYouACat-monitor"
AWS = Configuration("https://api/", "key", None, monitor_machine=MONITOR)
LOCAL = Configuration(
    "https://api/", "key", None, aws_endpoint_url="https://localhost:1", monitor_machine=MONITOR
)
DAY = next(span for span in SPANS if span.name == "day")
NOW = datetime(2026, 11, 23, 13, tzinfo=UTC)


def series(metric: str, statistic: str = "Sum", **dimensions: str) -> Series:
    return Series("AreYouACat", metric, statistic, 60, dimensions, f"{metric} {statistic}")


def test_a_line_begins_with_its_oldest_value_however_many_answers_it_comes_in() -> None:
    cloudwatch = FakeCloudWatch()
    cloudwatch.put("Requests", 1, 2, 3)
    cloudwatch.page = 2

    (line,) = MetricValues(AWS, cloudwatch).read([series("Requests")], DAY, NOW)

    assert line.values == (1, 2, 3)
    assert line.times == tuple(NOW - timedelta(minutes=minute) for minute in (2, 1, 0))
    assert (line.last, line.change) == (3, 2)


def test_a_metric_that_nobody_wrote_is_an_empty_line() -> None:
    (line,) = MetricValues(AWS, FakeCloudWatch()).read([series("Requests")], DAY, NOW)

    assert (line.label, line.values, line.last, line.change) == ("Requests Sum", (), None, None)


def test_any_value_of_a_dimension_is_a_line_of_its_own() -> None:
    cloudwatch = FakeCloudWatch()
    cloudwatch.put("FeatureDrift", 0.1, Feature="brightness")
    cloudwatch.put("FeatureDrift", 0.2, Feature="size")
    cloudwatch.put("FeatureDrift", 9.0, Feature="size", Version="1")
    cloudwatch.put("FeatureDrift", 9.0)

    lines = MetricValues(AWS, cloudwatch).read(
        [series("FeatureDrift", "Maximum", Feature=ANY)], DAY, NOW
    )

    assert {line.label: line.values for line in lines} == {"brightness": (0.1,), "size": (0.2,)}


def test_a_point_is_never_finer_than_its_metric_is_written() -> None:
    cloudwatch = FakeCloudWatch()
    hourly = Series("AreYouACat", "FeedbackAccuracy", "Minimum", 3600)

    MetricValues(AWS, cloudwatch).read([series("Requests"), hourly], DAY, NOW)

    (asked,) = cloudwatch.asked
    periods = [query["MetricStat"]["Period"] for query in asked["Queries"]]
    assert periods == [DAY.period_seconds, 3600]


def test_percentile_ranks_are_asked_of_aws_alone() -> None:
    cloudwatch = FakeCloudWatch()
    cloudwatch.put("Probability", 0.5)
    rank = series("Probability", "PR(0.2:0.4)")

    (local,) = MetricValues(LOCAL, cloudwatch).read([rank], DAY, NOW)
    (on_aws,) = MetricValues(AWS, cloudwatch).read([rank], DAY, NOW)

    assert (local.values, on_aws.values) == ((), (0.5,))


def test_every_row_of_the_dashboard_can_be_read_in_few_answers() -> None:
    cloudwatch = FakeCloudWatch()
    every = rows(Deployed("AreYouACat", 3600, lambda name: f"arn:{name}"))
    all_series = [one for row in every for panel in row.panels for one in panel.left]

    MetricValues(AWS, cloudwatch).read(all_series, DAY, NOW)

    assert len(cloudwatch.asked) == 1


@pytest.mark.parametrize("span", SPANS)
def test_a_chart_has_as_many_points_as_can_be_told_apart(span: Span) -> None:
    points = span.length.total_seconds() / span.period_seconds

    assert 60 <= points <= 120
    assert span.period_seconds % 60 == 0


def test_a_limit_is_a_line_from_end_to_end() -> None:
    panel = Panel("Accuracy", Unit.SHARE, [], limits={"retrain below": 0.9})
    line = Line("accuracy", (NOW - timedelta(hours=2), NOW - timedelta(hours=1)), (0.95, 0.97))

    data = chart_data(panel, [line], DAY, NOW)

    assert data["value"] == [0.95, 0.97, 0.9, 0.9]
    assert data["line"][2:] == ["retrain below 90.0%"] * 2
    assert data["time"][2:] == [NOW - timedelta(hours=2), NOW]


def test_a_single_point_gets_a_limit_that_can_be_seen() -> None:
    panel = Panel("Accuracy", Unit.SHARE, [], limits={"retrain below": 0.9})

    data = chart_data(panel, [Line("accuracy", (NOW,), (0.95,))], DAY, NOW)

    assert data["time"][2] > data["time"][1]  # type: ignore[operator]


def test_the_newest_values_are_told_in_words_and_not_endlessly() -> None:
    lines = [Line(f"line {place}", (NOW,), (place / 10,)) for place in range(6)]

    told = newest(Panel("Shares", Unit.SHARE, []), lines)

    assert told == "Newest: line 0 0.0%, line 1 10.0%, line 2 20.0%, line 3 30.0%, and 2 more."


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("AreYouACat-OperationsApiErrors9F0E9D20-E7206FA096A0B", "Api errors"),
        ("AreYouACat-RetrainingDataDrift1D44A6CE-91322AE08D811", "Data drift"),
        ("AreYouACat-RollbackPredictErrors61FE747D-a35EF9d8", "Predict errors"),
        ("my own", "My own"),
    ],
)
def test_an_alarms_name_is_told_in_words(name: str, words: str) -> None:
    assert title(name) == words


def test_alarms_of_this_stack_alone_are_told_those_that_ring_first() -> None:
    cloudwatch = FakeCloudWatch()
    cloudwatch.alarm("AreYouACat-OperationsLatency3C46F505-F2E", "OK")
    cloudwatch.alarm("Other-OperationsLatency3C46F505-F2E", "ALARM")
    cloudwatch.alarm("AreYouACat-RetrainingDataDrift1D44A6CE-913", "ALARM")

    found = Alarms(AWS, cloudwatch).all()

    assert [(one.title, one.state) for one in found] == [
        ("Data drift", AlarmState.ALARM),
        ("Latency", AlarmState.OK),
    ]
    assert found[0].since == WHEN


def test_without_a_stack_the_remedy_is_named() -> None:
    with pytest.raises(AwsError, match="make up"):
        Alarms(Configuration("https://api/", "key", None))
