"""Puts metrics into CloudWatch."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from areyouacat.metrics import NAMESPACE, Metric


class CloudWatchMetrics:
    """The project's namespace behind a CloudWatch client."""

    def __init__(self, cloudwatch: Any) -> None:
        """`cloudwatch` is a boto3 client."""
        self._cloudwatch = cloudwatch

    def publish(self, values: Mapping[Metric, float], at: datetime) -> None:
        """One data point each, without dimensions, in one request."""
        if not values:
            return
        self._cloudwatch.put_metric_data(
            Namespace=NAMESPACE,
            MetricData=[
                {"MetricName": metric.name, "Unit": metric.unit, "Value": value, "Timestamp": at}
                for metric, value in values.items()
            ],
        )
