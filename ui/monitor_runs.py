"""The monitor workflow as the Health page sees it: what its last run found, and its report."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlsplit

from areyouacat.lake import parse_utc
from ui import aws
from ui.configuration import Configuration

NO_MONITOR: Final = "The monitor workflow is not there. Run `make up` again, then reload this page."
NO_SENSE: Final = "The monitor's last run says nothing that this page understands."
REPORT_FILE: Final = "report.html"
_RECENT: Final = 20
_SUCCEEDED: Final = "SUCCEEDED"


@dataclass(frozen=True)
class Share:
    """A figure in [0, 1] with its 95 % limits."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Seen:
    """What one run found; figures are None where nothing is known.

    `accuracy`: by people's labels, as are `precision`, `recall` and `f1`; `expected`: by the
    model's own confidence. `drift`: of the feature that moved most; `drifted`: names; `distances`:
    of every feature. `unknown`: why nothing is said of drift, if so. `waiting`: alarms whose
    training was turned away so far.
    """

    at: datetime
    hours: float
    version: str | None
    predictions: int
    labels: int
    accuracy: Share | None
    expected: Share | None
    satisfaction: float | None
    unsure: float | None
    precision: float | None
    recall: float | None
    f1: float | None
    drift: float | None
    drifted: tuple[str, ...]
    distances: Mapping[str, float]
    unknown: str | None
    waiting: tuple[str, ...]


@dataclass(frozen=True)
class Report:
    """A drift report in the lake: the window's end, and where its page is."""

    window_end: datetime
    bucket: str
    key: str

    @property
    def file_name(self) -> str:
        """What to call it on somebody's disk."""
        return f"drift-report-{self.window_end:%Y-%m-%dT%H-%M}.html"


@dataclass(frozen=True)
class Runs:
    """What the last run found, `None` if there was none; and the last reports, the newest first."""

    seen: Seen | None
    reports: tuple[Report, ...]


class MonitorRuns:
    """The monitor's executions. All calls raise `aws.AwsError`."""

    def __init__(
        self, configuration: Configuration, stepfunctions: Any = None, s3: Any = None
    ) -> None:
        """Boto3 clients; by default those of `configuration`."""
        if configuration.monitor_machine is None:
            raise aws.AwsError(NO_MONITOR)
        self._machine = configuration.monitor_machine
        self._stepfunctions = stepfunctions or aws.client(configuration, "stepfunctions")
        self._s3 = s3 or aws.client(configuration, "s3")
        self._outputs: dict[str, dict[str, Any]] = {}

    def last(self) -> Runs:
        """What the last runs that ended well say."""
        with aws.in_words():
            listed = self._stepfunctions.list_executions(
                stateMachineArn=self._machine, statusFilter=_SUCCEEDED, maxResults=_RECENT
            )["executions"]
        outputs = [self._output(each["executionArn"]) for each in listed]
        with _sense():
            reports = (_report(output) for output in outputs)
            return Runs(
                seen=_seen(outputs[0]) if outputs else None,
                reports=tuple(report for report in reports if report),
            )

    def page_of(self, report: Report) -> bytes:
        """A report's HTML, some megabytes."""
        with aws.in_words():
            body: bytes = self._s3.get_object(Bucket=report.bucket, Key=report.key)["Body"].read()
        return body

    def _output(self, arn: str) -> dict[str, Any]:
        if arn not in self._outputs:
            with aws.in_words():
                described = self._stepfunctions.describe_execution(executionArn=arn)
            with _sense():
                self._outputs[arn] = json.loads(described.get("output") or "{}")
        return self._outputs[arn]


def _seen(output: Mapping[str, Any]) -> Seen:
    summary = output["collected"]["summary"]
    served, judged, drift = summary["served"], summary["judged"], summary["drift"]
    return Seen(
        at=parse_utc(summary["window"]["end"]),
        hours=float(summary["window"]["hours"]),
        version=summary["serving_version"],
        predictions=int(served["predictions"]),
        labels=int(judged["labels"]),
        accuracy=_share(judged["accuracy"]),
        expected=_share(served["expected_accuracy"]),
        satisfaction=judged["satisfaction"],
        unsure=served["unsure_share"],
        precision=judged.get("precision"),
        recall=judged.get("recall"),
        f1=judged.get("f1"),
        drift=drift["score"],
        drifted=tuple(drift["worst"]),
        distances={str(name): float(value) for name, value in drift["features"].items()},
        unknown=drift["unknown"],
        waiting=tuple(output["pending"]["waiting"]),
    )


def _report(output: Mapping[str, Any]) -> Report | None:
    if "report" not in output:  # none was due, or the run is of a workflow that made none
        return None
    summary = output["collected"]["summary"]
    place = urlsplit(summary["report"]["report_uri"])
    return Report(
        window_end=parse_utc(summary["window"]["end"]),
        bucket=place.netloc,
        key=f"{place.path.lstrip('/')}{REPORT_FILE}",
    )


def _share(value: Mapping[str, float] | None) -> Share | None:
    return Share(value["value"], value["low"], value["high"]) if value else None


@contextmanager
def _sense() -> Iterator[None]:
    try:
        yield
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise aws.AwsError(NO_SENSE) from error
