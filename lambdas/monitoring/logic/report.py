"""Is a drift report due? And if so, everything that the job which makes it has to be told."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

from areyouacat.drift import Drift
from areyouacat.drift_sample import SampleRow, sample_csv
from areyouacat.lake import (
    DRIFT_REPORT_JSON,
    DRIFT_WINDOW_CSV,
    drift_report_prefix,
    drift_report_window_end,
)
from areyouacat.serving_pointer import Variant
from areyouacat.settings import DRIFT, DRIFT_REPORT, DriftReportRules, DriftRules

_JOB_PREFIX: Final = "areyouacat-drift-"
_NAMED: Final = 5
"""Features that a reason names: it becomes a variable of the job's, which has 256 characters."""


class Reports(Protocol):
    """The drift reports of a lake."""

    def keys_since(self, window_end: datetime) -> Iterable[str]:
        """Keys of all reports whose window ends later."""

    def reference_of(self, variant: Variant) -> str | None:
        """The S3 URI of a model's reference sample, or None if it has none."""

    def write(self, key: str, data: bytes) -> str:
        """Store CSV under a key; its S3 URI."""

    def uri(self, key: str) -> str:
        """The S3 URI of a key."""


@dataclass(frozen=True, slots=True)
class Report:
    """What becomes of the report. `why`: for people. `job`: None unless it is due."""

    due: bool
    why: str
    job: "ReportJob | None" = None


@dataclass(frozen=True, slots=True)
class ReportJob:
    """What the state machine passes on. `prefix`: of the report, with the closing slash."""

    job_name: str
    model_version: str
    prefix: str
    report_uri: str
    window_uri: str
    reference_uri: str


def prepare_report(
    reports: Reports,
    champion: Variant | None,
    *,
    drift: Drift,
    rows: list[SampleRow],
    window_end: datetime,
    rules: DriftReportRules = DRIFT_REPORT,
    least: DriftRules = DRIFT,
) -> Report:
    """Decide, and store the window's sample if a report is due.

    A report is due when something has drifted, or when the last one is a day old. Whatever
    happens, no more than one is begun in an hour: one that fails is tried again by a later run.
    The job is named by the window's end, so that starting it twice starts it once.
    """
    if champion is None:
        return Report(False, "no model serves")
    if len(rows) < least.min_window:
        return Report(
            False,
            f"the window has {len(rows)} photos of version {champion.version}, "
            f"{least.min_window} are the least that a report is made of",
        )
    slack = timedelta(minutes=rules.slack_minutes)
    since = window_end - timedelta(hours=rules.daily_hours) + slack
    begun, made = _latest(reports.keys_since(since))
    if begun and begun > window_end - timedelta(hours=rules.drifted_hours) + slack:
        return Report(False, f"one was begun for the window that ends {begun:%Y-%m-%d %H:%M} UTC")
    if not drift.worst and made:
        return Report(
            False,
            "nothing has drifted, and there is one of the window that ends "
            f"{made:%Y-%m-%d %H:%M} UTC",
        )
    reference = reports.reference_of(champion)
    if reference is None:
        return Report(
            False,
            f"version {champion.version} has no reference sample; the next training leaves one",
        )
    prefix = drift_report_prefix(window_end)
    job = ReportJob(
        job_name=f"{_JOB_PREFIX}{window_end:%Y%m%dT%H%M%SZ}",
        model_version=champion.version,
        prefix=prefix,
        report_uri=reports.uri(prefix),
        window_uri=reports.write(f"{prefix}{DRIFT_WINDOW_CSV}", sample_csv(rows)),
        reference_uri=reference,
    )
    return Report(True, _why(drift, rules), job)


def _why(drift: Drift, rules: DriftReportRules) -> str:
    if drift.worst:
        more = "" if len(drift.worst) <= _NAMED else f" and {len(drift.worst) - _NAMED} more"
        return f"drift of {', '.join(drift.worst[:_NAMED])}{more}"
    return f"there is none of the last {rules.daily_hours} hours"


def _latest(keys: Iterable[str]) -> tuple[datetime | None, datetime | None]:
    """The latest window of which a report was begun, and the latest of which one was made."""
    begun = made = None
    for key in keys:
        window_end = drift_report_window_end(key)
        if window_end is None:
            continue
        begun = max(begun or window_end, window_end)
        if key.endswith(f"/{DRIFT_REPORT_JSON}"):
            made = max(made or window_end, window_end)
    return begun, made
