"""The Health page: what the monitor's runs become in words, figures and a file."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from tests.ui.fake_api import FakeApi
from tests.ui.fake_cloudwatch import FakeCloudWatch
from ui import deployment_words as say
from ui.alarms import Alarms
from ui.aws import AwsError
from ui.configuration import Configuration
from ui.metric_values import MetricValues
from ui.monitor_runs import MonitorRuns, Share
from ui.views import health

MONITOR = "arn:aws:states:us-east-1:000000000000:stateMachine:AreYouACat-monitor"
CONFIGURATION = Configuration(
    "https://api/", "key", None, aws_endpoint_url="https://localhost:1", monitor_machine=MONITOR
)


def output(**changes: Any) -> dict[str, Any]:
    """What an execution of monitor gives, of a calm window and without a report."""
    summary = {
        "window": {"start": "2026-11-22T12:00:00.000000Z", "end": "2026-11-23T12:00:00.000000Z",
                   "hours": 24.0},
        "serving_version": "3",
        "served": {"predictions": 1234, "unsure_share": 0.04,
                   "expected_accuracy": {"value": 0.97, "low": 0.96, "high": 0.98}},
        "judged": {"labels": 40, "satisfaction": 0.95, "precision": 0.9, "recall": 0.8, "f1": 0.85,
                   "accuracy": {"value": 0.95, "low": 0.84, "high": 0.99}},
        "drift": {"score": 0.0, "unknown": None, "worst": [],
                  "features": {"brightness": 0.02, "size": 0.01}},
        "metrics": {"CostPerThousandPredictions": 0.0126},
        "report": {"due": False, "failed": False, "why": "nothing has drifted"},
    }  # fmt: skip
    for path, value in changes.items():
        part, _, name = path.partition("__")
        if name:
            summary[part] = {**summary[part], name: value}  # type: ignore[dict-item]
    return {"collected": {"summary": summary}, "pending": {"started": None, "waiting": []}}


class FakeRuns:
    """Step Functions and S3 as far as `MonitorRuns` uses them."""

    def __init__(self, *outputs: dict[str, Any]) -> None:
        self.outputs = list(outputs)
        self.described = 0
        self.objects: dict[tuple[str, str], bytes] = {}

    def list_executions(self, **asked: Any) -> dict[str, Any]:
        assert asked["stateMachineArn"] == MONITOR
        assert asked["statusFilter"] == "SUCCEEDED"
        return {"executions": [{"executionArn": str(n)} for n in range(len(self.outputs))]}

    def describe_execution(self, executionArn: str) -> dict[str, Any]:  # noqa: N803
        self.described += 1
        return {"output": json.dumps(self.outputs[int(executionArn)])}

    def get_object(self, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803
        return {"Body": io.BytesIO(self.objects[Bucket, Key])}


def monitor_runs(fake: FakeRuns) -> MonitorRuns:
    configuration = Configuration("https://api/", "key", None, monitor_machine=MONITOR)
    return MonitorRuns(configuration, fake, fake)


def with_report(uri: str = "s3://lake/reports/drift/2026-11-23T12-00-00Z/") -> dict[str, Any]:
    return {**output(report__report_uri=uri, report__due=True), "report": {"job_name": "a-job"}}


def test_the_last_run_is_told_in_figures() -> None:
    seen = monitor_runs(FakeRuns(output())).last().seen

    assert seen is not None
    assert seen.at == datetime(2026, 11, 23, 12, tzinfo=UTC)
    assert (seen.predictions, seen.labels, seen.version) == (1234, 40, "3")
    assert seen.accuracy == Share(0.95, 0.84, 0.99)
    assert (seen.precision, seen.recall, seen.f1) == (0.9, 0.8, 0.85)
    assert dict(seen.distances) == {"brightness": 0.02, "size": 0.01}


def test_a_window_without_labels_and_photos_has_no_figures() -> None:
    run = output(judged__accuracy=None, served__expected_accuracy=None, drift__score=None)

    seen = monitor_runs(FakeRuns(run)).last().seen

    assert seen is not None
    assert (seen.accuracy, seen.expected, seen.drift) == (None, None, None)


def test_the_last_reports_are_known_though_a_later_run_made_none() -> None:
    fake = FakeRuns(output(), with_report(), with_report("s3://lake/reports/drift/older/"))
    fake.objects["lake", "reports/drift/2026-11-23T12-00-00Z/report.html"] = b"<html>"

    runs = monitor_runs(fake)
    report = runs.last().reports[0]

    assert runs.page_of(report) == b"<html>"
    assert len(runs.last().reports) == 2
    assert report.file_name == "drift-report-2026-11-23T12-00.html"


def test_what_a_run_said_is_asked_for_once() -> None:
    fake = FakeRuns(output(), output())
    runs = monitor_runs(fake)

    runs.last()
    runs.last()

    assert fake.described == 2


def test_an_output_that_makes_no_sense_is_said_so() -> None:
    with pytest.raises(AwsError, match="says nothing that this page understands"):
        monitor_runs(FakeRuns({"collected": {}})).last()


def test_without_a_monitor_workflow_the_remedy_is_named() -> None:
    with pytest.raises(AwsError, match="make up"):
        MonitorRuns(Configuration("https://api/", "key", None))


class FakeCloud(FakeRuns):
    """What the page finds: runs, metrics and alarms; `broken`: AWS services that refuse."""

    def __init__(self) -> None:
        super().__init__()
        self.cloudwatch = FakeCloudWatch()
        self.broken: set[str] = set()

    def find(self, name: str) -> Any:
        def finder(_configuration: Configuration) -> Any:
            if name in self.broken:
                raise AwsError(f"No {name}.")
            makers: dict[str, Callable[[], Any]] = {
                "_runs": lambda: monitor_runs(self),
                "_values": lambda: MetricValues(CONFIGURATION, self.cloudwatch),
                "_alarms": lambda: Alarms(CONFIGURATION, self.cloudwatch),
            }
            return makers[name]()

        finder.clear = lambda: None  # type: ignore[attr-defined]
        return finder


@pytest.fixture
def drawn(api: FakeApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeCloud]:
    """A quiet local cloud, as the page finds it."""
    api.write_endpoints(
        tmp_path, state_machines={"monitor": MONITOR}, aws_endpoint_url="https://localhost:1"
    )
    cloud = FakeCloud()
    for name in ("_runs", "_values", "_alarms"):
        monkeypatch.setattr(health, name, cloud.find(name))
    st.cache_resource.clear()
    yield cloud
    st.cache_resource.clear()


def health_page() -> None:
    """What AppTest runs."""
    from ui.views import health  # noqa: PLC0415 - AppTest takes the function's body alone

    health.page()


def run_page(*opened: str) -> AppTest:
    """The page, where those were opened before that are drawn only then."""
    page = AppTest.from_function(health_page, default_timeout=20)
    for key in opened:
        page.session_state[key] = True
    page.run()
    assert not page.exception
    return page


def ask_for(page: AppTest, question: str) -> None:
    """Choose a row of charts."""
    page.button_group(key="health_row").set_value(question).run()
    assert not page.exception


def metrics_of(page: AppTest) -> dict[str, str]:
    return {each.label: each.value for each in page.metric}


def told(page: AppTest) -> str:
    parts = (*page.markdown, *page.caption, *page.info, *page.warning, *page.error, *page.success)
    return "\n".join(str(each.value).replace("\\", "") for each in parts)


def test_before_the_first_run_the_page_says_so(drawn: FakeCloud) -> None:
    del drawn

    assert "has not run yet" in told(run_page())


def test_a_calm_window_is_green_and_counted(drawn: FakeCloud) -> None:
    drawn.outputs.append(output())

    page = run_page()

    assert "photos are as the model knows them" in told(page)
    shown = metrics_of(page)
    assert (shown["Labels"], shown["Confirm the answer"]) == ("40", "95.0%")
    assert (shown["Precision"], shown["Recall"], shown["F1"]) == ("90.0%", "80.0%", "85.0%")
    assert not page.warning


def test_what_has_moved_is_named(drawn: FakeCloud) -> None:
    run = output(drift__score=1.7, drift__worst=["brightness", "contrast"])
    run["pending"]["waiting"] = ["DataDrift"]
    drawn.outputs.append(run)

    said = [each.value for each in run_page().warning]

    assert any("brightness, contrast" in one and "1.70" in one for one in said)
    assert any("A training waits for its time: DataDrift" in one for one in said)


def test_too_few_photos_are_said_to_be_too_few(drawn: FakeCloud) -> None:
    drawn.outputs.append(output(drift__score=None, drift__unknown="the window has 3 photos"))

    assert "the window has 3 photos" in told(run_page())


def test_key_figures_are_totals_or_the_newest_value_with_their_change(drawn: FakeCloud) -> None:
    drawn.cloudwatch.put("Requests", 10, 20, 30)
    drawn.cloudwatch.put("Latency", 40, 25)
    drawn.cloudwatch.put("FeedbackAccuracy", 0.9, 0.96)

    page = run_page()

    shown = metrics_of(page)
    assert (shown["Requests"], shown["Latency, p95"]) == ("60", "25 ms")
    assert shown["Right, by people's labels"] == "96.0%"
    assert shown["Drift"] == say.NONE
    changes = {each.label: each.delta for each in page.metric}
    assert changes["Latency, p95"] == "-15 ms"
    assert changes["Right, by people's labels"] == "+6.0%"
    assert changes["Requests"] == ""


def test_an_alarm_that_rings_is_told_with_its_reason_and_since_when(drawn: FakeCloud) -> None:
    drawn.cloudwatch.alarm("AreYouACat-OperationsServerErrors9E17E915-F54", "OK")
    drawn.cloudwatch.alarm("AreYouACat-RetrainingDataDrift1D44A6CE-913", "ALARM", "1.7 is over 0.2")

    page = run_page("health_alarms")

    said = told(page)
    assert "**in alarm** Data drift, since 23 Nov 2026, 12:00" in said
    assert "1.7 is over 0.2" in said
    assert "**fine** Server errors" in said
    assert "rings" not in said


def test_while_no_alarm_rings_the_page_says_so(drawn: FakeCloud) -> None:
    drawn.cloudwatch.alarm("AreYouACat-OperationsServerErrors9E17E915-F54", "OK")
    drawn.cloudwatch.alarm("AreYouACat-OperationsLatency3C46F505-F2E", "INSUFFICIENT_DATA")

    assert "None of 2 alarms rings; 1 have had nothing to judge yet." in told(run_page())


def test_the_charts_of_a_row_are_drawn_and_their_newest_values_told_once_it_is_asked_for(
    drawn: FakeCloud,
) -> None:
    drawn.cloudwatch.put("Requests", 10, 20)
    page = run_page()
    assert not page.get("vega_lite_chart")

    ask_for(page, "Is it answering?")

    assert "Requests and errors in the function" in [each.value for each in page.subheader]
    assert "Newest: Requests Sum 20." in told(page)
    assert "Nothing was measured in the last day." in told(page)


def test_another_row_is_drawn_when_it_is_asked_for(drawn: FakeCloud) -> None:
    del drawn
    page = run_page()

    ask_for(page, "Is it answering?")
    ask_for(page, "Is it right?")

    assert "Accuracy without labels, with 95 % limits" in [each.value for each in page.subheader]


def test_the_stretch_of_time_is_kept_in_the_address_and_asked_for(drawn: FakeCloud) -> None:
    page = run_page()

    page.button_group[0].set_value("week").run()

    assert page.query_params["span"] == "week"
    assert drawn.cloudwatch.asked[-1]["EndTime"] - drawn.cloudwatch.asked[-1][
        "StartTime"
    ] == timedelta(days=7)


def test_an_address_with_a_stretch_of_time_that_nobody_knows_shows_the_usual_one(
    drawn: FakeCloud,
) -> None:
    del drawn
    page = AppTest.from_function(health_page, default_timeout=20)
    page.query_params["span"] = "aeon"

    page.run()

    assert not page.exception
    assert page.button_group[0].value == health.DEFAULT_SPAN


def test_a_report_is_chosen_among_the_last_and_shown_in_place_when_asked_for(
    drawn: FakeCloud,
) -> None:
    older = with_report("s3://lake/reports/drift/older/")
    older["collected"]["summary"]["window"]["end"] = "2026-11-23T11:00:00.000000Z"
    drawn.outputs += [with_report(), older]
    drawn.objects["lake", "reports/drift/2026-11-23T12-00-00Z/report.html"] = b"<html>"
    page = run_page("health_reports")
    assert not page.get("iframe")
    assert len(page.selectbox(key="health_report").options) == 2

    page.toggle(key="health_report_shown").set_value(True).run()

    assert not page.exception
    (frame,) = page.get("iframe")
    assert frame.proto.src == "data:text/html;charset=utf-8;base64,PGh0bWw+"


@pytest.mark.parametrize("broken", ["_runs", "_values", "_alarms"])
def test_where_one_part_is_not_to_be_had_the_others_are(drawn: FakeCloud, broken: str) -> None:
    drawn.broken.add(broken)
    drawn.outputs.append(output())

    page = run_page()

    assert {each.value for each in page.error} == {f"No {broken}."}
    headings = [each.value for each in page.header]
    assert ("Alarms" in headings) == (broken != "_alarms")
    assert ("What the monitor saw last" in headings) == (broken != "_runs")
    assert ("Key figures" in headings) == (broken != "_values")
