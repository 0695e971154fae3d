"""Puts metrics into CloudWatch."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from areyouacat.metrics import FEATURE_DIMENSION, FEATURE_DRIFT, NAMESPACE, Metric

_PERIOD_SECONDS: Final = 60
_MAX_POINTS: Final = 1_440
"""Of one answer of GetMetricStatistics, CloudWatch's own limit."""


class CloudWatchMetrics:
    """The project's namespace behind a CloudWatch client."""

    def __init__(self, cloudwatch: Any) -> None:
        """`cloudwatch` is a boto3 client."""
        self._cloudwatch = cloudwatch

    def total_and_mean(self, metric: Metric, start: datetime, end: datetime) -> tuple[float, float]:
        """Sum and mean of a metric's values in that time, to the minute; zeros without any."""
        period = _PERIOD_SECONDS
        while (end - start).total_seconds() > period * _MAX_POINTS:
            period *= 2
        points = self._cloudwatch.get_metric_statistics(
            Namespace=NAMESPACE,
            MetricName=metric.name,
            StartTime=start,
            EndTime=end,
            Period=period,
            Statistics=["Sum", "SampleCount"],
        )["Datapoints"]
        total = float(sum(point["Sum"] for point in points))
        samples = sum(point["SampleCount"] for point in points)
        return total, total / samples if samples else 0.0

    def publish(
        self, values: Mapping[Metric, float], features: Mapping[str, float], at: datetime
    ) -> None:
        """One data point each, in one request; `features`: `FeatureDrift` by feature."""
        points: list[dict[str, Any]] = [
            {"MetricName": metric.name, "Unit": metric.unit, "Value": value}
            for metric, value in values.items()
        ]
        points += [
            {
                "MetricName": FEATURE_DRIFT.name,
                "Unit": FEATURE_DRIFT.unit,
                "Value": value,
                "Dimensions": [{"Name": FEATURE_DIMENSION, "Value": feature}],
            }
            for feature, value in features.items()
        ]
        if points:
            self._cloudwatch.put_metric_data(
                Namespace=NAMESPACE, MetricData=[{**point, "Timestamp": at} for point in points]
            )
