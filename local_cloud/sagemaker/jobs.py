"""The record of a training job, and how it moves from status to status."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

FINAL_STATUSES = frozenset({"Completed", "Failed", "Stopped"})

# Members of the request that DescribeTrainingJob gives back as they came.
_DESCRIBED_MEMBERS = (
    "AlgorithmSpecification",
    "DebugHookConfig",
    "DebugRuleConfigurations",
    "EnableInterContainerTrafficEncryption",
    "EnableManagedSpotTraining",
    "EnableNetworkIsolation",
    "Environment",
    "ExperimentConfig",
    "HyperParameters",
    "InputDataConfig",
    "OutputDataConfig",
    "ProfilerConfig",
    "RemoteDebugConfig",
    "ResourceConfig",
    "RetryStrategy",
    "RoleArn",
    "TensorBoardOutputConfig",
    "VpcConfig",
)


@dataclass(frozen=True)
class JobKey:
    """What identifies a training job: names are unique in an account and region."""

    account: str
    region: str
    name: str

    @property
    def arn(self) -> str:
        """The TrainingJobArn."""
        return f"arn:aws:sagemaker:{self.region}:{self.account}:training-job/{self.name}"


@dataclass(frozen=True)
class Transition:
    """One entry of SecondaryStatusTransitions. Times are epoch seconds."""

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
    model_artifacts: str | None = None
    metrics: tuple[FinalMetric, ...] = ()


@dataclass(frozen=True)
class TrainingJob:
    """A training job. `request` is the CreateTrainingJob payload; times are epoch seconds."""

    key: JobKey
    request: Mapping[str, Any]
    creation_time: float
    last_modified_time: float
    transitions: tuple[Transition, ...]
    status: str = "InProgress"
    start_time: float | None = None
    end_time: float | None = None
    failure_reason: str | None = None
    model_artifacts: str | None = None
    metrics: tuple[FinalMetric, ...] = ()

    @classmethod
    def created(cls, key: JobKey, request: Mapping[str, Any], at: float) -> "TrainingJob":
        """A job that waits for its turn."""
        pending = Transition("Pending", "Waiting for a training slot of the local cloud", at)
        return cls(key, request, at, at, (pending,))

    @property
    def secondary_status(self) -> str:
        """The status of the last transition."""
        return self.transitions[-1].status

    @property
    def has_ended(self) -> bool:
        """Whether the job is Completed, Failed or Stopped."""
        return self.status in FINAL_STATUSES

    def moved_to(self, secondary_status: str, message: str, at: float) -> "TrainingJob":
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

    def ended(self, outcome: Outcome, at: float) -> "TrainingJob":
        """The job with its outcome."""
        moved = self.moved_to(outcome.secondary_status, outcome.message, at)
        closed = replace(moved.transitions[-1], end_time=at)
        return replace(
            moved,
            status=outcome.status,
            transitions=(*moved.transitions[:-1], closed),
            end_time=at,
            failure_reason=outcome.failure_reason,
            model_artifacts=outcome.model_artifacts,
            metrics=outcome.metrics,
        )

    def describe(self) -> dict[str, Any]:
        """The DescribeTrainingJob output; timestamps in epoch seconds."""
        seconds = None
        if self.start_time is not None and self.end_time is not None:
            seconds = round(self.end_time - self.start_time)
        described = {
            "TrainingJobName": self.key.name,
            "TrainingJobArn": self.key.arn,
            "TrainingJobStatus": self.status,
            "SecondaryStatus": self.secondary_status,
            "ModelArtifacts": {"S3ModelArtifacts": self.model_artifacts or ""},
            "FailureReason": self.failure_reason,
            "CreationTime": self.creation_time,
            "TrainingStartTime": self.start_time,
            "TrainingEndTime": self.end_time,
            "LastModifiedTime": self.last_modified_time,
            "TrainingTimeInSeconds": seconds,
            "BillableTimeInSeconds": seconds,
            "StoppingCondition": self.request.get("StoppingCondition") or {},
            "SecondaryStatusTransitions": [_described(step) for step in self.transitions],
            "FinalMetricDataList": [
                {"MetricName": metric.name, "Value": metric.value, "Timestamp": metric.at}
                for metric in self.metrics
            ],
            **{name: self.request.get(name) for name in _DESCRIBED_MEMBERS},
        }
        return {name: value for name, value in described.items() if value is not None}

    def summary(self) -> dict[str, Any]:
        """The entry of ListTrainingJobs."""
        described = {
            "TrainingJobName": self.key.name,
            "TrainingJobArn": self.key.arn,
            "CreationTime": self.creation_time,
            "TrainingEndTime": self.end_time,
            "LastModifiedTime": self.last_modified_time,
            "TrainingJobStatus": self.status,
            "SecondaryStatus": self.secondary_status,
        }
        return {name: value for name, value in described.items() if value is not None}

    def to_json(self) -> dict[str, Any]:
        """The record as JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> "TrainingJob":
        """The inverse of `to_json`."""
        return cls(
            **{
                **record,
                "key": JobKey(**record["key"]),
                "transitions": tuple(Transition(**step) for step in record["transitions"]),
                "metrics": tuple(FinalMetric(**metric) for metric in record["metrics"]),
            }
        )


def _described(step: Transition) -> dict[str, Any]:
    entry = {"Status": step.status, "StartTime": step.start_time, "StatusMessage": step.message}
    return entry if step.end_time is None else {**entry, "EndTime": step.end_time}
