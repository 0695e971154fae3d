"""A training job's metrics in CloudWatch, live, where AWS has them."""

import logging
from collections.abc import Mapping
from types import TracebackType

from local_cloud.sagemaker.cloudwatch.batches import Batches
from local_cloud.sagemaker.cloudwatch.rights import RoleOrService
from local_cloud.sagemaker.config import SageMakerConfig
from local_cloud.sagemaker.records.jobs import FinalMetric

NAMESPACE = "/aws/sagemaker/TrainingJobs"
DIMENSION = "TrainingJobName"
LARGEST = 2.0**360
"""The bound of a value, in both directions, that PutMetricData takes."""

_logger = logging.getLogger(__name__)
# A call of PutMetricData holds 1,000 values and 1 MB.
_BATCH_VALUES = 1000
_BATCH_BYTES = 900_000
# What a value takes in the most verbose of the protocols that a client may choose: its members, and
# its name in escapes.
_VALUE_OVERHEAD = 600
_ESCAPED = 3


class CloudWatchMetrics:
    """Context manager: leaving it flushes. `put` may be called from any thread.

    Uses the role, or the service where the role has no rights on metrics. A job never fails
    because of its metrics: what CloudWatch does not take is told in this program's log.
    """

    def __init__(
        self, config: SageMakerConfig, job_name: str, credentials: Mapping[str, str]
    ) -> None:
        self._dimensions = [{"Name": DIMENSION, "Value": job_name}]
        self._cloudwatch = RoleOrService("cloudwatch", config, credentials)
        self._values: Batches[FinalMetric] = Batches(
            self._send,
            size=lambda metric: len(metric.name.encode()) * _ESCAPED + _VALUE_OVERHEAD,
            most=_BATCH_VALUES,
            most_bytes=_BATCH_BYTES,
            what=f"metrics of {job_name}",
        )

    def __enter__(self) -> "CloudWatchMetrics":
        self._values.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._values.__exit__(kind, error, trace)

    def put(self, metric: FinalMetric) -> None:
        """Publish a finite value, at the time it was logged."""
        if abs(metric.value) > LARGEST:
            # It would take all others of its batch with it.
            _logger.warning(
                "CloudWatch takes no value as large as %g, of %s", metric.value, metric.name
            )
            return
        self._values.put(metric)

    def _send(self, batch: list[FinalMetric]) -> None:
        data = [
            {
                "MetricName": metric.name,
                "Dimensions": self._dimensions,
                "Timestamp": metric.at,
                "Value": metric.value,
            }
            for metric in batch
        ]
        self._cloudwatch.call(
            lambda cloudwatch: cloudwatch.put_metric_data(Namespace=NAMESPACE, MetricData=data)
        )
