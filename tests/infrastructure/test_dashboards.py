"""CloudWatch's dashboard and Grafana's show the same, and all that is written."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from areyouacat import metrics
from areyouacat.dashboard import ANY, Panel, Row, Series, rows
from infra_cdk import grafana
from tests.infrastructure.template_reading import Template, only, resources

NOT_CHARTED = {
    "Errors": "by code, for a search among the metrics; their sum is ClientErrors and ServerErrors"
}

ROWS: tuple[Row, ...] = rows(grafana.DEPLOYED)
PANELS: list[Panel] = [panel for row in ROWS for panel in row.panels]


def widgets(template: Template) -> list[dict[str, Any]]:
    parts = only(template, "CloudWatch::Dashboard")["DashboardBody"]["Fn::Join"][1]
    body = json.loads("".join(part if isinstance(part, str) else "reference" for part in parts))
    found: list[dict[str, Any]] = body["widgets"]
    return found


def lines(template: Template) -> dict[str, list[tuple[str, str]]]:
    """Metric name and statistic of every line, by the widget's title."""
    return {
        widget["properties"]["title"]: [
            (line[1], line[-1]["stat"])
            for line in widget["properties"].get("metrics", [])
            if "stat" in line[-1]
        ]
        for widget in widgets(template)
        if widget["type"] == "metric"
    }


def series() -> Iterator[Series]:
    for panel in PANELS:
        yield from (*panel.left, *panel.right)


def test_every_metric_of_the_list_is_on_the_dashboard() -> None:
    shown = {one.metric for one in series() if one.namespace == metrics.NAMESPACE}

    assert shown | set(NOT_CHARTED) == {metric.name for metric in metrics.ALL}


def test_titles_are_told_apart() -> None:
    titles = [panel.title for panel in PANELS]

    assert len(set(titles)) == len(titles)


def test_cloudwatch_draws_every_row_with_its_question_above(template: Template) -> None:
    found = widgets(template)

    questions = [
        widget["properties"]["markdown"].removeprefix("## ")
        for widget in found
        if widget["type"] == "text"
    ]
    assert questions == [row.question for row in ROWS]
    titles = [widget["properties"]["title"] for widget in found if widget["type"] == "metric"]
    assert titles == [panel.title for panel in PANELS]


def test_no_widget_lies_on_another_or_beyond_the_edge(template: Template) -> None:
    taken: set[tuple[int, int]] = set()
    for widget in widgets(template):
        cells = {
            (widget["x"] + x, widget["y"] + y)
            for x in range(widget["width"])
            for y in range(widget["height"])
        }
        assert not cells & taken
        assert widget["x"] + widget["width"] <= 24
        taken |= cells


@pytest.mark.parametrize("statistic", ["p50", "p95", "p99"])
def test_the_dashboard_shows_where_a_requests_time_goes(template: Template, statistic: str) -> None:
    assert lines(template)[f"Latency by stage, {statistic}"] == [
        (name, statistic)
        for name in ("Latency", "Latency", "DecodeLatency", "InferenceLatency", "WriteLatency")
    ]


def test_the_dashboards_histogram_covers_every_probability_once(template: Template) -> None:
    found = lines(template)["Predictions by probability, percent"]

    assert {name for name, _ in found} == {"Probability"}
    bounds = [re.fullmatch(r"PR\((.*):(.*)\)", statistic) for _, statistic in found]
    lows, highs = zip(*(bound.groups() for bound in bounds if bound), strict=True)
    assert len(found) == len(lows) == 5
    assert (lows[0], highs[-1]) == ("", "")
    assert lows[1:] == highs[:-1] == ("0.2", "0.4", "0.6", "0.8")


def test_a_dimension_with_any_value_becomes_a_search(template: Template) -> None:
    (widget,) = (w for w in widgets(template) if w["properties"].get("title") == "Drift by feature")

    (line,) = widget["properties"]["metrics"]
    assert line[0]["expression"] == (
        "SEARCH('{AreYouACat,Feature} MetricName=\"FeatureDrift\"', 'Maximum', 3600)"
    )


def test_alarms_stand_at_the_top_and_decisions_with_their_reasons_at_the_bottom(
    template: Template,
) -> None:
    first, *_, last = widgets(template)

    assert first["type"] == "alarm"
    assert len(first["properties"]["alarms"]) == len(resources(template, "CloudWatch::Alarm"))
    assert last["type"] == "log"
    assert "outcome, why, reason" in last["properties"]["query"]


def test_grafanas_file_is_what_the_rows_say_now() -> None:
    written = json.loads(grafana.FILE.read_text(encoding="utf-8"))

    assert written == grafana.dashboard(), "run `make grafana`"


def test_grafana_draws_the_same_lines() -> None:
    drawn = [
        (panel["title"], target["namespace"], target["metricName"], target["statistic"])
        for panel in grafana.dashboard()["panels"]
        for target in panel.get("targets", [])
    ]

    assert drawn == [
        (panel.title, one.namespace, one.metric, one.statistic)
        for panel in PANELS
        for one in (*panel.left, *panel.right)
    ]


def test_grafanas_panels_do_not_lie_on_each_other() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in grafana.dashboard()["panels"]:
        place = panel["gridPos"]
        cells = {
            (place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])
        }
        assert not cells & taken
        taken |= cells


def test_grafana_names_each_line_of_any_value_by_that_value() -> None:
    labels = {
        target["label"]
        for panel in grafana.dashboard()["panels"]
        for target in panel.get("targets", [])
        if ANY in target["dimensions"].values()
    }

    assert labels == {"${PROP('Dim.Feature')}", "${PROP('Dim.Outcome')}"}


@pytest.mark.parametrize("queue", grafana.DEPLOYED.dead_letter_queues)
def test_the_queues_that_grafana_names_are_those_of_the_stack(
    template: Template, queue: str
) -> None:
    names = {one["QueueName"] for one in resources(template, "SQS::Queue").values()}

    assert queue in names
