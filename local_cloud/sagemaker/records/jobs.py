"""The record of a job, and how it moves from status to status."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from typing import Any

FINAL_STATUSES = frozenset({"Completed", "Failed", "Stopped"})


class Kind(StrEnum):
    """The kinds of jobs, by their part of an ARN."""

    TRAINING = "training-job"
    PROCESSING = "processing-job"


@dataclass(frozen=True)
class JobKey:
    """What identifies a job: names are unique in an account and region, for each kind."""

    account: str
    region: str
    name: str
    kind: Kind = Kind.TRAINING

    @property
    def arn(self) -> str:
        """The TrainingJobArn or ProcessingJobArn."""
        return f"arn:aws:sagemaker:{self.region}:{self.account}:{self.kind}/{self.name}"


@dataclass(frozen=True)
class Transition:
    """One phase of a job. Times are epoch seconds."""

    status: str
    message: str
    start_time: float
    end_time: float | None = None


@dataclass(frozen=True)
class FinalMetric:
    """One entry of FinalMetricDataList: the last value that a MetricDefinition matched."""

    name: str
    value: float
    at: float


@dataclass(frozen=True)
class Outcome:
    """How a job ended. `status` is one of FINAL_STATUSES."""

    status: str
    secondary_status: str
    message: str
    failure_reason: str | None = None
    exit_message: str | None = None
    model_artifacts: str | None = None
    metrics: tuple[FinalMetric, ...] = ()


@dataclass(frozen=True)
class Job:
    """A job of either kind. `request` is the payload of its creation; times are epoch seconds."""

    key: JobKey
    request: Mapping[str, Any]
    creation_time: float
    last_modified_time: float
    transitions: tuple[Transition, ...]
    tags: Mapping[str, str] = field(default_factory=dict)
    status: str = "InProgress"
    start_time: float | None = None
    end_time: float | None = None
    failure_reason: str | None = None
    exit_message: str | None = None
    model_artifacts: str | None = None
    metrics: tuple[FinalMetric, ...] = ()

    @classmethod
    def created(
        cls, key: JobKey, request: Mapping[str, Any], at: float, tags: Mapping[str, str]
    ) -> "Job":
        """A job that waits for its turn."""
        pending = Transition("Pending", "Waiting for a slot of the local cloud", at)
        return cls(key, request, at, at, (pending,), tags)

    @property
    def secondary_status(self) -> str:
        """The status of the last transition."""
        return self.transitions[-1].status

    @property
    def has_ended(self) -> bool:
        """Whether the job is Completed, Failed or Stopped."""
        return self.status in FINAL_STATUSES

    @property
    def seconds(self) -> int | None:
        """How long it ran, once it has ended; None for a job that never began."""
        if self.start_time is None or self.end_time is None:
            return None
        return round(self.end_time - self.start_time)

    def moved_to(self, secondary_status: str, message: str, at: float) -> "Job":
        """The job in its next phase. The billed time starts with Downloading, as on AWS."""
        last = replace(self.transitions[-1], end_time=at)
        entered = Transition(secondary_status, message, at)
        starts = secondary_status == "Downloading" and self.start_time is None
        return replace(
            self,
            status="Stopping" if secondary_status == "Stopping" else self.status,
            transitions=(*self.transitions[:-1], last, entered),
            start_time=at if starts else self.start_time,
            last_modified_time=at,
        )

    def ended(self, outcome: Outcome, at: float) -> "Job":
        """The job with its outcome."""
        moved = self.moved_to(outcome.secondary_status, outcome.message, at)
        closed = replace(moved.transitions[-1], end_time=at)
        return replace(
            moved,
            status=outcome.status,
            transitions=(*moved.transitions[:-1], closed),
            end_time=at,
            failure_reason=outcome.failure_reason,
            exit_message=outcome.exit_message,
            model_artifacts=outcome.model_artifacts,
            metrics=outcome.metrics,
        )

    def to_json(self) -> dict[str, Any]:
        """The record as JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> "Job":
        """The inverse of `to_json`."""
        key = record["key"]
        return cls(
            **{
                **record,
                "key": JobKey(**{**key, "kind": Kind(key["kind"])}),
                "transitions": tuple(Transition(**step) for step in record["transitions"]),
                "metrics": tuple(FinalMetric(**metric) for metric in record["metrics"]),
            }
        )
