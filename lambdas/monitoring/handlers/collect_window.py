"""CollectWindow: the first state of monitor."""

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import BaseModel, Field

from areyouacat.lake import utc_text
from areyouacat.settings import MONITORING
from lambdas.monitoring.logic.collection import collect
from lambdas.shared.aws import client
from lambdas.shared.environment import load_environment
from lambdas.shared.observability import logger
from lambdas.shared.predictions_table import PredictionsTable
from lambdas.shared.serving_pointer_store import ServingPointerStore

_MAX_HOURS = 31 * 24


@dataclass(frozen=True)
class Environment:
    """What the function needs to be told."""

    lake_bucket: str
    predictions_table: str


class CollectRequest(BaseModel):
    """The execution's own input; anything else in it is ignored."""

    window_hours: float = Field(default=MONITORING.window_hours, gt=0, le=_MAX_HOURS)


@logger.inject_lambda_context
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Statistics of the last hours; `metrics` is what PublishMetrics takes."""
    asked = CollectRequest.model_validate(event)
    environment = load_environment(Environment)
    stored = ServingPointerStore(client("s3"), environment.lake_bucket).read()
    collected = collect(
        PredictionsTable(client("dynamodb"), environment.predictions_table),
        stored.pointer if stored else None,
        asked.window_hours,
        datetime.now(UTC),
    )
    output: dict[str, Any] = {
        "window": {
            "start": utc_text(collected.window.start),
            "end": utc_text(collected.window.end),
            "hours": asked.window_hours,
        },
        "serving_version": collected.serving_version,
        "served": asdict(collected.served),
        "judged": asdict(collected.judged),
        "metrics": dict(collected.metrics),
    }
    logger.info("window", **output)
    return output
