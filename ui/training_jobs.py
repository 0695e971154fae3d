"""A SageMaker training job as the Training page sees it: how far it is, and what it says."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from ui import aws
from ui.configuration import Configuration

LOG_GROUP: Final = "/aws/sagemaker/TrainingJobs"
TAIL_LINES: Final = 200
_FEATURES: Final = re.compile(r"features ([\d,]+)/([\d,]+)")
_UNKNOWN: Final = ("ValidationException", "ResourceNotFound", "ResourceNotFoundException")


@dataclass(frozen=True)
class Phase:
    """A part of a job's life, in SageMaker's own word; `ended_at` is `None` while it lasts."""

    name: str
    message: str
    started_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True)
class Job:
    """A training job. `metrics`: the last value of each that its log told; `problem`: why not."""

    name: str
    arn: str
    status: str
    phases: tuple[Phase, ...]
    metrics: Mapping[str, float]
    problem: str | None

    @property
    def is_running(self) -> bool:
        """Whether it is under way."""
        return self.status == "InProgress"


class TrainingJobs:
    """Training jobs and their logs. All calls raise `aws.AwsError`."""

    def __init__(
        self, configuration: Configuration, sagemaker: Any = None, logs: Any = None
    ) -> None:
        """Boto3 clients; by default those of `configuration`."""
        self._sagemaker = sagemaker or aws.client(configuration, "sagemaker")
        self._logs = logs or aws.client(configuration, "logs")

    def one(self, name: str) -> Job | None:
        """A job as it stands; `None` where it has not begun."""
        with aws.in_words():
            try:
                described = self._sagemaker.describe_training_job(TrainingJobName=name)
            except self._sagemaker.exceptions.ClientError as error:
                if error.response["Error"]["Code"] in _UNKNOWN:
                    return None
                raise
        return _job(described)

    def tail(self, name: str) -> tuple[str, ...]:
        """The last lines of its log, `TAIL_LINES` at most; none before it says anything."""
        with aws.in_words():
            try:
                streams = self._logs.describe_log_streams(
                    logGroupName=LOG_GROUP, logStreamNamePrefix=f"{name}/"
                )["logStreams"]
                lines = [line for each in streams for line in self._lines(each["logStreamName"])]
            except self._logs.exceptions.ResourceNotFoundException:
                return ()
        return tuple(lines[-TAIL_LINES:])

    def _lines(self, stream: str) -> list[str]:
        page = self._logs.get_log_events(
            logGroupName=LOG_GROUP, logStreamName=stream, limit=TAIL_LINES, startFromHead=False
        )
        return [str(event["message"]).rstrip() for event in page["events"]]


def features_done(lines: Sequence[str]) -> float | None:
    """The share, [0, 1], of photos whose features the job has, by what its log said last."""
    for line in reversed(lines):
        if found := _FEATURES.search(line):
            done, whole = (int(number.replace(",", "")) for number in found.groups())
            return min(1.0, done / whole) if whole else None
    return None


def _job(described: Mapping[str, Any]) -> Job:
    phases = tuple(
        Phase(
            str(each["Status"]),
            str(each.get("StatusMessage") or ""),
            each["StartTime"].astimezone(UTC),
            each["EndTime"].astimezone(UTC) if each.get("EndTime") else None,
        )
        for each in described.get("SecondaryStatusTransitions", ())
    )
    return Job(
        name=str(described["TrainingJobName"]),
        arn=str(described["TrainingJobArn"]),
        status=str(described["TrainingJobStatus"]),
        phases=phases,
        metrics={
            str(each["MetricName"]): float(each["Value"])
            for each in described.get("FinalMetricDataList", ())
        },
        problem=described.get("FailureReason"),
    )
