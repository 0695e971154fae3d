"""PublishMetrics: the second state of monitor."""

from datetime import datetime
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import AwareDatetime, BaseModel, Field, field_validator

from areyouacat.metrics import ALL, Metric
from lambdas.monitoring.dal.cloudwatch import CloudWatchMetrics
from lambdas.shared.aws import client
from lambdas.shared.observability import logger

_BY_NAME = {metric.name: metric for metric in ALL}


class WindowEnd(BaseModel):
    """The time that every data point carries, so that a repetition says nothing new."""

    end: AwareDatetime


class DriftField(BaseModel):
    """How far each feature has moved."""

    features: dict[str, float] = Field(default_factory=dict)


class PublishRequest(BaseModel):
    """Output of CollectWindow, as far as it is published."""

    window: WindowEnd
    drift: DriftField = DriftField()
    metrics: dict[str, float]

    @field_validator("metrics")
    @classmethod
    def known(cls, metrics: dict[str, float]) -> dict[str, float]:
        """Refuse names that `areyouacat.metrics` does not list."""
        if unknown := sorted(set(metrics) - set(_BY_NAME)):
            raise ValueError(f"unknown metrics: {', '.join(unknown)}")
        return metrics

    def values_by_metric(self) -> dict[Metric, float]:
        """The values under their metrics."""
        return {_BY_NAME[name]: value for name, value in self.metrics.items()}


@logger.inject_lambda_context
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Put the window's metrics into CloudWatch; their names."""
    asked = PublishRequest.model_validate(event)
    at: datetime = asked.window.end
    CloudWatchMetrics(client("cloudwatch")).publish(
        asked.values_by_metric(), asked.drift.features, at
    )
    logger.info("published", metrics=asked.metrics, at=at.isoformat())
    return {"published": sorted(asked.metrics)}
