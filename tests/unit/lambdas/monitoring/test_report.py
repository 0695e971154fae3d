"""When a drift report is due, and what its job is told."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from areyouacat.drift import Drift, FeatureDrift
from areyouacat.drift_sample import SampleRow, read_sample
from areyouacat.lake import drift_report_prefix, drift_report_window_end
from areyouacat.serving_pointer import Variant
from areyouacat.settings import DRIFT, DRIFT_REPORT
from lambdas.monitoring.logic.report import Report, prepare_report
from tests.unit.lambdas.pipeline.factories import NOON

CHAMPION = Variant("champion", "are-you-a-cat", "3", 1.0, "k", "s", "models/3/model.json", "h")
ROW = SampleRow((0.5,) * 5, (0.0,) * 16, 0.9, None)
STILL = Drift(0.0, (FeatureDrift("brightness", 0.1, 0.5, drifted=False),))
MOVED = Drift(0.9, (FeatureDrift("brightness", 0.9, 0.0, drifted=True),))
HOUR = timedelta(hours=1)
JITTER = timedelta(minutes=DRIFT_REPORT.slack_minutes - 1)


class MemoryReports:
    """A lake of reports in memory."""

    def __init__(self, *, reference: bool = True) -> None:
        self.objects: dict[str, bytes] = {}
        self._reference = reference

    def begun(self, window_end: datetime) -> None:
        self.write(f"{drift_report_prefix(window_end)}window.csv", b"")

    def made(self, window_end: datetime) -> None:
        self.begun(window_end)
        self.write(f"{drift_report_prefix(window_end)}report.json", b"")

    def keys_since(self, window_end: datetime) -> Iterable[str]:
        return [key for key in self.objects if key > drift_report_prefix(window_end)]

    def reference_of(self, variant: Variant) -> str | None:
        return self.uri(f"models/{variant.version}/reference.csv") if self._reference else None

    def write(self, key: str, data: bytes) -> str:
        self.objects[key] = data
        return self.uri(key)

    def uri(self, key: str) -> str:
        return f"s3://lake/{key}"


@pytest.fixture
def reports() -> MemoryReports:
    return MemoryReports()


def prepared(
    reports: MemoryReports,
    drift: Drift = STILL,
    photos: int = DRIFT.min_window,
    champion: Variant | None = CHAMPION,
) -> Report:
    return prepare_report(reports, champion, drift=drift, rows=[ROW] * photos, window_end=NOON)


def test_the_first_report_is_due_and_the_job_is_told_everything(reports: MemoryReports) -> None:
    report = prepared(reports)

    assert (report.due, report.why) == (True, "there is none of the last 24 hours")
    assert report.job is not None
    prefix = "reports/drift/2026-11-20T12-00-00Z/"
    assert (report.job.prefix, report.job.report_uri) == (prefix, f"s3://lake/{prefix}")
    assert report.job.job_name == "areyouacat-drift-20261120T120000Z"
    assert report.job.model_version == "3"
    assert report.job.reference_uri == "s3://lake/models/3/reference.csv"
    assert report.job.window_uri == f"s3://lake/{prefix}window.csv"
    assert len(read_sample(reports.objects[f"{prefix}window.csv"])["label"]) == DRIFT.min_window


def test_a_day_after_the_last_one_is_due_even_if_the_run_comes_a_little_early(
    reports: MemoryReports,
) -> None:
    reports.made(NOON - 24 * HOUR + JITTER)

    assert prepared(reports).due


def test_within_a_day_nothing_is_due_while_nothing_drifts(reports: MemoryReports) -> None:
    reports.made(NOON - 23 * HOUR)

    report = prepared(reports)

    assert not report.due
    assert report.why == "nothing has drifted, and there is one of the window that ends " + (
        "2026-11-19 13:00 UTC"
    )
    assert len(reports.objects) == 2


def test_drift_is_reported_hour_by_hour(reports: MemoryReports) -> None:
    reports.made(NOON - HOUR + JITTER)

    report = prepared(reports, MOVED)

    assert (report.due, report.why) == (True, "drift of brightness")


@pytest.mark.parametrize("drift", [STILL, MOVED])
def test_one_that_was_just_begun_is_left_to_end(reports: MemoryReports, drift: Drift) -> None:
    reports.begun(NOON - HOUR / 2)

    report = prepared(reports, drift)

    assert not report.due
    assert report.why == "one was begun for the window that ends 2026-11-20 11:30 UTC"


def test_one_that_was_begun_and_never_made_is_tried_again(reports: MemoryReports) -> None:
    reports.begun(NOON - HOUR)

    assert prepared(reports).due


def test_a_strange_key_among_the_reports_is_passed_over(reports: MemoryReports) -> None:
    reports.write("reports/drift/readme.txt", b"")

    assert prepared(reports).due


def test_many_drifted_features_are_counted_rather_than_named(reports: MemoryReports) -> None:
    moved = [FeatureDrift(f"sketch_{n:02}", 0.9, 0.0, drifted=True) for n in range(16)]

    why = prepared(reports, Drift(0.9, tuple(moved))).why

    assert why.endswith("sketch_04 and 11 more")
    assert len(why) < 256


def test_without_a_model_photos_or_a_reference_nothing_is_due(reports: MemoryReports) -> None:
    few = prepared(reports, photos=DRIFT.min_window - 1)
    old = prepared(MemoryReports(reference=False), champion=replace(CHAMPION, version="2"))

    assert prepared(reports, champion=None).why == "no model serves"
    assert few.why.startswith("the window has 99 photos of version 3, 100 are the least")
    assert old.why == "version 2 has no reference sample; the next training leaves one"
    assert not reports.objects


def test_a_prefix_says_its_windows_end_to_the_second() -> None:
    assert drift_report_window_end(f"{drift_report_prefix(NOON)}report.html") == NOON
    assert drift_report_window_end("reports/drift/") is None
