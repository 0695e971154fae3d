"""Every CloudWatch metric this system writes: one list, with units.

Metrics that alarms watch have no dimensions: one name, one alarm.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

NAMESPACE: Final = "AreYouACat"


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
FEEDBACK_ACCURACY: Final = Metric(
    "FeedbackAccuracy", "None", "Share of the serving version's labelled answers that were right"
)
FEEDBACK_LABELS: Final = Metric("FeedbackLabels", "Count", "Labels given in the window")
NEW_FEEDBACK: Final = Metric("NewFeedbackCount", "Count", "Labels since the champion was promoted")

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
    VARIANT_FAILURES,
    CHALLENGER_REQUESTS,
    CHALLENGER_FAILURES,
    CHALLENGER_LATENCY,
    PROBABILITY,
    WINDOW_REQUESTS,
    UNSURE_SHARE,
    POSITIVE_SHARE,
    MEAN_PROBABILITY,
    FEEDBACK_ACCURACY,
    FEEDBACK_LABELS,
    NEW_FEEDBACK,
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
