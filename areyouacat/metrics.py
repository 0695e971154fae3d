"""Every CloudWatch metric this system writes: one list, with units.

Metrics that alarms watch have no dimensions: one name, one alarm.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

NAMESPACE: Final = "AreYouACat"
FEATURE_DIMENSION: Final = "Feature"
OUTCOME_DIMENSION: Final = "Outcome"


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric's name and CloudWatch unit, and what a person should know about it."""

    name: str
    unit: str
    meaning: str


REQUESTS: Final = Metric("Requests", "Count", "Requests that reached the predict function")
PREDICTIONS: Final = Metric("Predictions", "Count", "Requests answered with a verdict")
CLIENT_ERRORS: Final = Metric("ClientErrors", "Count", "Requests refused with a 4xx")
SERVER_ERRORS: Final = Metric("ServerErrors", "Count", "Requests that failed with a 5xx")
LATENCY: Final = Metric("Latency", "Milliseconds", "Time inside the predict handler")
DECODE_LATENCY: Final = Metric(
    "DecodeLatency", "Milliseconds", "From a photo's bytes to what the network sees"
)
INFERENCE_LATENCY: Final = Metric("InferenceLatency", "Milliseconds", "The network's own time")
WRITE_LATENCY: Final = Metric(
    "WriteLatency", "Milliseconds", "From the verdict until photo and item are stored"
)
ERRORS_BY_CODE: Final = Metric("Errors", "Count", "Requests not answered, by error code")
REPEATED_REQUESTS: Final = Metric(
    "RepeatedRequests", "Count", "Requests answered with the prediction of an earlier one"
)
CPU_TIME: Final = Metric("CpuTime", "Milliseconds", "Processor time of one request, all threads")
MEMORY_USED: Final = Metric(
    "MemoryUsed", "Megabytes", "The most memory that the function's process has held"
)
COLD_STARTS: Final = Metric("ColdStarts", "Count", "First requests of a fresh environment")
VARIANT_FAILURES: Final = Metric(
    "VariantFailures", "Count", "Requests a variant failed and the champion answered for"
)
CHALLENGER_REQUESTS: Final = Metric(
    "ChallengerRequests", "Count", "Requests of callers who were given the challenger"
)
CHALLENGER_FAILURES: Final = Metric(
    "ChallengerFailures", "Count", "Requests the challenger failed and the champion answered for"
)
CHALLENGER_LATENCY: Final = Metric(
    "ChallengerLatency", "Milliseconds", "Latency of the challenger's answers"
)
PROBABILITY: Final = Metric("Probability", "None", "Probability of the positive label")

WINDOW_REQUESTS: Final = Metric("WindowPredictions", "Count", "Predictions in the window")
UNSURE_SHARE: Final = Metric("UnsureShare", "None", "Share of verdicts that are unsure, [0, 1]")
POSITIVE_SHARE: Final = Metric("PositiveShare", "None", "Share of the positive label, [0, 1]")
MEAN_PROBABILITY: Final = Metric("MeanProbability", "None", "Mean probability, [0, 1]")

FEEDBACK_LABELS: Final = Metric("FeedbackLabels", "Count", "Labels given in the window")
FEEDBACK_RATE: Final = Metric(
    "FeedbackRate", "None", "Share of the window's predictions that have a label, [0, 1]"
)
SATISFACTION: Final = Metric(
    "Satisfaction", "None", "Share of the window's labels that confirm the answer, [0, 1]"
)
FEEDBACK_ACCURACY: Final = Metric(
    "FeedbackAccuracy", "None", "Share of the serving version's labelled answers that were right"
)
FEEDBACK_PRECISION: Final = Metric(
    "FeedbackPrecision", "None", "Of its labelled positive answers, the share that were right"
)
FEEDBACK_RECALL: Final = Metric(
    "FeedbackRecall", "None", "Of what people call positive, the share that it recognised"
)
FEEDBACK_F1: Final = Metric("FeedbackF1", "None", "Harmonic mean of precision and recall")
NEW_FEEDBACK: Final = Metric("NewFeedbackCount", "Count", "Labels since the champion was promoted")


@dataclass(frozen=True, slots=True)
class WithLimits:
    """A share and its 95 % limits; three metrics, since a metric is one number."""

    value: Metric
    low: Metric
    high: Metric


def _with_limits(value: Metric) -> WithLimits:
    return WithLimits(
        value,
        Metric(f"{value.name}Low", value.unit, f"Lower 95 % limit of {value.name}"),
        Metric(f"{value.name}High", value.unit, f"Upper 95 % limit of {value.name}"),
    )


ACCURACY: Final = _with_limits(FEEDBACK_ACCURACY)
EXPECTED_ACCURACY: Final = _with_limits(
    Metric("ExpectedAccuracy", "None", "Mean calibrated confidence: accuracy without any label")
)

COST_PER_THOUSAND: Final = Metric(
    "CostPerThousandPredictions", "None", "US dollars, requests that failed included"
)
TRAINING_DECISIONS: Final = Metric(
    "TrainingDecisions", "Count", "Wishes for a training, by Outcome: admitted, or why not"
)

DATA_DRIFT: Final = Metric(
    "DataDrift", "None", "Population stability index of the feature that moved most, 0 if none did"
)
FEATURE_DRIFT: Final = Metric(
    "FeatureDrift", "None", "Population stability index of one feature, by Feature"
)

ALL: Final = (
    REQUESTS,
    PREDICTIONS,
    CLIENT_ERRORS,
    SERVER_ERRORS,
    LATENCY,
    DECODE_LATENCY,
    INFERENCE_LATENCY,
    WRITE_LATENCY,
    ERRORS_BY_CODE,
    REPEATED_REQUESTS,
    COLD_STARTS,
    CPU_TIME,
    MEMORY_USED,
    VARIANT_FAILURES,
    CHALLENGER_REQUESTS,
    CHALLENGER_FAILURES,
    CHALLENGER_LATENCY,
    PROBABILITY,
    WINDOW_REQUESTS,
    UNSURE_SHARE,
    POSITIVE_SHARE,
    MEAN_PROBABILITY,
    FEEDBACK_LABELS,
    FEEDBACK_RATE,
    SATISFACTION,
    ACCURACY.value,
    ACCURACY.low,
    ACCURACY.high,
    FEEDBACK_PRECISION,
    FEEDBACK_RECALL,
    FEEDBACK_F1,
    EXPECTED_ACCURACY.value,
    EXPECTED_ACCURACY.low,
    EXPECTED_ACCURACY.high,
    NEW_FEEDBACK,
    COST_PER_THOUSAND,
    TRAINING_DECISIONS,
    DATA_DRIFT,
    FEATURE_DRIFT,
)


@dataclass(frozen=True, slots=True)
class Breakdown:
    """Metrics counted once more by one dimension, such as `ModelVersion` = `3`."""

    dimension: str
    value: str
    metrics: Mapping[Metric, float]


def emf(
    values: Mapping[Metric, float],
    at: datetime,
    properties: Mapping[str, str | int | float | bool | None] | None = None,
    breakdowns: Sequence[Breakdown] = (),
) -> str:
    """One line of CloudWatch's embedded metric format; `values` have no dimensions.

    `properties` stand beside the metrics in the log, searchable but not counted. A metric that
    stands in a breakdown and in `values` must have the same value in both: the line holds it once.
    Source: "Specification: Embedded metric format", CloudWatch user guide.
    """
    line: dict[str, Any] = {
        "_aws": {
            "Timestamp": int(at.timestamp() * 1000),
            "CloudWatchMetrics": [
                _directive([], values),
                *(_directive([part.dimension], part.metrics) for part in breakdowns),
            ],
        },
        **(properties or {}),
        **{metric.name: value for metric, value in values.items()},
    }
    for part in breakdowns:
        line[part.dimension] = part.value
        line |= {metric.name: value for metric, value in part.metrics.items()}
    return json.dumps(line, separators=(",", ":"))


def _directive(dimensions: list[str], metrics: Mapping[Metric, float]) -> dict[str, Any]:
    return {
        "Namespace": NAMESPACE,
        "Dimensions": [dimensions],
        "Metrics": [{"Name": metric.name, "Unit": metric.unit} for metric in metrics],
    }
