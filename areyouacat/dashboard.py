"""What the dashboards show: rows that each answer one question.

For CloudWatch's, Grafana's and the client's Health page. No boto3 and no CDK here.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from areyouacat import metrics
from areyouacat.metrics import Metric
from areyouacat.settings import DRIFT, MONITORING

ANY: Final = "*"
"""As a dimension's value: one line for each value that there is."""

_MINUTE: Final = 60
_PROBABILITY_BANDS: Final = (
    ("", "0.2"), ("0.2", "0.4"), ("0.4", "0.6"), ("0.6", "0.8"), ("0.8", ""),
)  # fmt: skip
_STAGES: Final = (
    metrics.LATENCY,
    metrics.DECODE_LATENCY,
    metrics.INFERENCE_LATENCY,
    metrics.WRITE_LATENCY,
)
_WORKFLOWS: Final = ("train", "deploy", "monitor")


class Unit(StrEnum):
    """What the left axis counts."""

    COUNT = "count"
    SHARE = "share"  # [0, 1]
    PERCENT = "percent"  # [0, 100]
    DISTANCE = "distance"  # 0 or more
    MILLISECONDS = "milliseconds"
    MEGABYTES = "megabytes"
    DOLLARS = "US dollars"


@dataclass(frozen=True, slots=True)
class Deployed:
    """A deployed stack. `machine_arn`: a workflow's ARN, by its name.

    `window_seconds`: how often the monitor writes its metrics.
    """

    stack: str
    window_seconds: int
    machine_arn: Callable[[str], str]

    @property
    def dead_letter_queues(self) -> Sequence[str]:
        """Names of the queues of events that nobody could handle."""
        return [
            f"{self.stack}-{owner}-dead-letters" for owner in ("retrain", "rollback", "schedule")
        ]


@dataclass(frozen=True, slots=True)
class Series:
    """One line. `statistic` is CloudWatch's; `period`: seconds."""

    namespace: str
    metric: str
    statistic: str
    period: int = _MINUTE
    dimensions: Mapping[str, str] = field(default_factory=dict)
    label: str = ""


@dataclass(frozen=True, slots=True)
class Panel:
    """One chart. `limits`: lines that an alarm watches, by what happens there.

    `right`: counted on an axis of its own.
    """

    title: str
    unit: Unit
    left: Sequence[Series]
    right: Sequence[Series] = ()
    limits: Mapping[str, float] = field(default_factory=dict)
    stacked: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """Panels beside each other."""

    question: str
    panels: Sequence[Panel]


def rows(deployed: Deployed) -> tuple[Row, ...]:
    """All of it."""
    panels = _Panels(deployed)
    return (
        Row("Is it answering?", panels.answering()),
        Row("How fast?", [panels.latency(statistic) for statistic in ("p50", "p95", "p99")]),
        Row("What does it take?", panels.resources()),
        Row("Is it right?", panels.right()),
        Row("Has the world changed?", panels.changed()),
        Row("Do people use it and like it?", panels.people()),
        Row("How does the challenger do?", panels.challenger()),
        Row("What does the loop do?", panels.loop()),
    )


class _Panels:
    """The panels of each row."""

    def __init__(self, deployed: Deployed) -> None:
        self._deployed = deployed

    def answering(self) -> list[Panel]:
        return [
            Panel(
                "Requests and errors at the API",
                Unit.COUNT,
                [self._api(name, "Sum") for name in ("Count", "4XXError", "5XXError")],
            ),
            Panel(
                "Requests and errors in the function",
                Unit.COUNT,
                [
                    _own(counted, "Sum")
                    for counted in (
                        metrics.REQUESTS,
                        metrics.PREDICTIONS,
                        metrics.REPEATED_REQUESTS,
                        metrics.CLIENT_ERRORS,
                        metrics.SERVER_ERRORS,
                        metrics.VARIANT_FAILURES,
                    )
                ],
            ),
            Panel(
                "Cold starts and throttled requests",
                Unit.COUNT,
                [
                    _own(metrics.COLD_STARTS, "Sum"),
                    *(self._function(name, "Throttles", "Sum") for name in ("predict", "api")),
                ],
            ),
        ]

    def latency(self, statistic: str) -> Panel:
        """Where a request's time goes: at the API, in the function and in its stages."""
        return Panel(
            f"Latency by stage, {statistic}",
            Unit.MILLISECONDS,
            [self._api("Latency", statistic), *(_own(stage, statistic) for stage in _STAGES)],
        )

    def resources(self) -> list[Panel]:
        return [
            Panel(
                "Processor time of a request",
                Unit.MILLISECONDS,
                [_own(metrics.CPU_TIME, statistic) for statistic in ("p50", "p95")],
            ),
            Panel("Memory held at most", Unit.MEGABYTES, [_own(metrics.MEMORY_USED, "Maximum")]),
            Panel(
                "Cost of 1,000 predictions",
                Unit.DOLLARS,
                [_own(metrics.COST_PER_THOUSAND, "Average", self._deployed.window_seconds)],
            ),
        ]

    def right(self) -> list[Panel]:
        return [
            Panel(
                "Accuracy by people's labels, with 95 % limits",
                Unit.SHARE,
                [
                    _own(metric, "Minimum", self._deployed.window_seconds)
                    for metric in (
                        metrics.ACCURACY.value,
                        metrics.ACCURACY.low,
                        metrics.ACCURACY.high,
                    )
                ],
                limits={"retrain below": MONITORING.min_feedback_accuracy},
            ),
            Panel(
                "Accuracy without labels, with 95 % limits",
                Unit.SHARE,
                [
                    _own(metric, "Minimum", self._deployed.window_seconds)
                    for metric in (
                        metrics.EXPECTED_ACCURACY.value,
                        metrics.EXPECTED_ACCURACY.low,
                        metrics.EXPECTED_ACCURACY.high,
                    )
                ],
            ),
            Panel(
                "Precision, recall and F1 by people's labels",
                Unit.SHARE,
                [
                    _own(metric, "Minimum", self._deployed.window_seconds)
                    for metric in (
                        metrics.FEEDBACK_PRECISION,
                        metrics.FEEDBACK_RECALL,
                        metrics.FEEDBACK_F1,
                    )
                ],
            ),
        ]

    def changed(self) -> list[Panel]:
        by_feature = {metrics.FEATURE_DIMENSION: ANY}
        return [
            Panel(
                "Drift: the feature that moved most",
                Unit.DISTANCE,
                [_own(metrics.DATA_DRIFT, "Maximum", self._deployed.window_seconds)],
                limits={"retrain from": DRIFT.min_psi},
            ),
            Panel(
                "Drift by feature",
                Unit.DISTANCE,
                [_own(metrics.FEATURE_DRIFT, "Maximum", self._deployed.window_seconds, by_feature)],
            ),
            Panel(
                "What is answered",
                Unit.SHARE,
                [
                    _own(metric, "Average", self._deployed.window_seconds)
                    for metric in (
                        metrics.POSITIVE_SHARE,
                        metrics.UNSURE_SHARE,
                        metrics.MEAN_PROBABILITY,
                    )
                ],
                right=[_own(metrics.WINDOW_REQUESTS, "Maximum", self._deployed.window_seconds)],
            ),
            Panel(
                "Predictions by probability, percent",
                Unit.PERCENT,
                # CloudWatch's percentile rank: which part of the values lies above one bound and
                # not above the other. The outer bands have one bound.
                [
                    _own(metrics.PROBABILITY, f"PR({low}:{high})", self._deployed.window_seconds)
                    for low, high in _PROBABILITY_BANDS
                ],
                stacked=True,
            ),
        ]

    def people(self) -> list[Panel]:
        return [
            Panel(
                "Feedback rate and satisfaction",
                Unit.SHARE,
                [
                    _own(metrics.FEEDBACK_RATE, "Average", self._deployed.window_seconds),
                    _own(metrics.SATISFACTION, "Average", self._deployed.window_seconds),
                ],
            ),
            Panel(
                "Labels",
                Unit.COUNT,
                [
                    _own(metrics.FEEDBACK_LABELS, "Maximum", self._deployed.window_seconds),
                    _own(metrics.NEW_FEEDBACK, "Maximum", self._deployed.window_seconds),
                ],
                limits={"retrain from": MONITORING.enough_new_feedback},
            ),
        ]

    def challenger(self) -> list[Panel]:
        return [
            Panel(
                "The challenger, while there is one",
                Unit.COUNT,
                [
                    _own(metrics.CHALLENGER_REQUESTS, "Sum"),
                    _own(metrics.CHALLENGER_FAILURES, "Sum"),
                ],
            ),
            Panel(
                "Latency of the challenger and of all, p95",
                Unit.MILLISECONDS,
                [_own(metrics.CHALLENGER_LATENCY, "p95"), _own(metrics.LATENCY, "p95")],
            ),
        ]

    def loop(self) -> list[Panel]:
        def executions(*endings: str) -> list[Series]:
            return [
                Series(
                    "AWS/States",
                    ending,
                    "Sum",
                    dimensions={"StateMachineArn": self._deployed.machine_arn(workflow)},
                    label=f"{workflow} {ending.removeprefix('Executions').lower()}",
                )
                for workflow in _WORKFLOWS
                for ending in endings
            ]

        return [
            Panel(
                "Wishes for a training, by what became of them",
                Unit.COUNT,
                [
                    _own(
                        metrics.TRAINING_DECISIONS,
                        "Sum",
                        dimensions={metrics.OUTCOME_DIMENSION: ANY},
                    )
                ],
            ),
            Panel("Executions that ended well", Unit.COUNT, executions("ExecutionsSucceeded")),
            Panel(
                "Executions that did not",
                Unit.COUNT,
                executions("ExecutionsFailed", "ExecutionsTimedOut", "ExecutionsAborted"),
            ),
            Panel(
                "Events that nobody could handle",
                Unit.COUNT,
                [
                    Series(
                        "AWS/SQS",
                        "ApproximateNumberOfMessagesVisible",
                        "Maximum",
                        dimensions={"QueueName": queue},
                        label=queue,
                    )
                    for queue in self._deployed.dead_letter_queues
                ],
            ),
        ]

    def _api(self, name: str, statistic: str) -> Series:
        return Series(
            "AWS/ApiGateway",
            name,
            statistic,
            dimensions={"ApiName": self._deployed.stack},
            label=f"API {name} {statistic}",
        )

    def _function(self, name: str, metric: str, statistic: str) -> Series:
        return Series(
            "AWS/Lambda",
            metric,
            statistic,
            dimensions={"FunctionName": f"{self._deployed.stack}-{name}"},
            label=f"{name} {metric.lower()}",
        )


def _own(
    metric: Metric,
    statistic: str,
    period: int = _MINUTE,
    dimensions: Mapping[str, str] | None = None,
) -> Series:
    return Series(
        metrics.NAMESPACE,
        metric.name,
        statistic,
        period,
        dimensions or {},
        "" if dimensions else f"{metric.name} {statistic}",
    )
