"""The Health page: what the monitor's runs become in words, figures and a file."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from tests.ui.fake_api import FakeApi
from ui.aws import AwsError
from ui.configuration import Configuration
from ui.monitor_runs import MonitorRuns, Share
from ui.views import health

MONITOR = "arn:aws:states:us-east-1:000000000000:stateMachine:monitor"


def output(**changes: Any) -> dict[str, Any]:
    """What an execution of monitor gives, of a calm window and without a report."""
    summary = {
        "window": {"start": "2026-11-22T12:00:00.000000Z", "end": "2026-11-23T12:00:00.000000Z",
                   "hours": 24.0},
        "serving_version": "3",
        "served": {"predictions": 1234, "unsure_share": 0.04,
                   "expected_accuracy": {"value": 0.97, "low": 0.96, "high": 0.98}},
        "judged": {"labels": 40, "satisfaction": 0.95,
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
    assert seen.cost == 0.0126
    assert dict(seen.distances) == {"brightness": 0.02, "size": 0.01}


def test_a_window_without_labels_and_photos_has_no_figures() -> None:
    run = output(judged__accuracy=None, served__expected_accuracy=None, drift__score=None)

    seen = monitor_runs(FakeRuns(run)).last().seen

    assert seen is not None
    assert (seen.accuracy, seen.expected, seen.drift) == (None, None, None)


def test_the_last_report_may_be_of_an_earlier_run() -> None:
    fake = FakeRuns(output(), with_report(), with_report("s3://lake/reports/drift/older/"))
    fake.objects["lake", "reports/drift/2026-11-23T12-00-00Z/report.html"] = b"<html>"

    runs = monitor_runs(fake)
    report = runs.last().report

    assert report is not None
    assert runs.page_of(report) == b"<html>"
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


@pytest.fixture
def drawn(api: FakeApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeRuns]:
    """Runs that the page finds."""
    api.write_endpoints(tmp_path, state_machines={"monitor": MONITOR})
    fake = FakeRuns()
    monkeypatch.setattr(health, "_runs", lambda _configuration: monitor_runs(fake))
    st.cache_resource.clear()
    yield fake
    st.cache_resource.clear()


def health_page() -> None:
    """What AppTest runs."""
    from ui.views import health  # noqa: PLC0415 - AppTest takes the function's body alone

    health.page()


def run_page() -> AppTest:
    page = AppTest.from_function(health_page, default_timeout=20).run()
    assert not page.exception
    return page


def metrics_of(page: AppTest) -> dict[str, str]:
    return {each.label: each.value for each in page.metric}


def test_before_the_first_run_the_page_says_so(drawn: FakeRuns) -> None:
    del drawn

    assert "has not run yet" in run_page().info[0].value


def test_a_calm_window_is_green_and_counted(drawn: FakeRuns) -> None:
    drawn.outputs.append(output())

    page = run_page()

    assert "photos are as the model knows them" in page.success[0].value
    assert metrics_of(page) == {
        "Right, by people's labels": "95.0%",
        "Right, by its own confidence": "97.0%",
        "Answers people confirm": "95.0%",
        "Predictions": "1,234",
        "Unsure": "4.0%",
        "Cost of 1,000 predictions": "$0.0126",
    }
    assert not page.warning


def test_what_has_moved_is_named(drawn: FakeRuns) -> None:
    run = output(drift__score=1.7, drift__worst=["brightness", "contrast"])
    run["pending"]["waiting"] = ["DataDrift"]
    drawn.outputs.append(run)

    said = [each.value for each in run_page().warning]

    assert any("brightness, contrast" in one and "1.70" in one for one in said)
    assert any("A training waits for its time: DataDrift" in one for one in said)


def test_too_few_photos_are_said_to_be_too_few(drawn: FakeRuns) -> None:
    drawn.outputs.append(output(drift__score=None, drift__unknown="the window has 3 photos"))

    assert "the window has 3 photos" in run_page().info[0].value


def test_a_report_can_be_had(drawn: FakeRuns) -> None:
    drawn.outputs.append(with_report())

    page = run_page()

    assert [each.value for each in page.subheader] == ["Has the world changed?", "Drift report"]


def test_what_is_wrong_with_aws_is_said_in_words(
    drawn: FakeRuns, monkeypatch: pytest.MonkeyPatch
) -> None:
    del drawn

    def refuse(_configuration: Configuration) -> MonitorRuns:
        raise AwsError("AWS cannot be reached.")

    monkeypatch.setattr(health, "_runs", refuse)

    assert run_page().error[0].value == "AWS cannot be reached."
