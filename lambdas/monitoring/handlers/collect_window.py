"""CollectWindow: the first state of monitor."""

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.exceptions import BotoCoreError, ClientError
from pydantic import BaseModel, Field

from areyouacat.drift_sample import SampleRow
from areyouacat.lake import utc_text
from areyouacat.serving_pointer import ServingPointer
from areyouacat.settings import MONITORING
from lambdas.monitoring.dal.baselines import Baselines
from lambdas.monitoring.dal.cloudwatch import CloudWatchMetrics
from lambdas.monitoring.dal.drift_reports import DriftReports
from lambdas.monitoring.logic.collection import Collected, collect
from lambdas.monitoring.logic.costs import cost_metrics
from lambdas.monitoring.logic.report import prepare_report
from lambdas.monitoring.logic.window_sample import WindowSample
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
    predict_memory_mb: str


class CollectRequest(BaseModel):
    """The execution's own input; anything else in it is ignored."""

    window_hours: float = Field(default=MONITORING.window_hours, gt=0, le=_MAX_HOURS)


@logger.inject_lambda_context
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Statistics of the last hours; `metrics` is what PublishMetrics takes."""
    asked = CollectRequest.model_validate(event)
    environment = load_environment(Environment)
    s3 = client("s3")
    stored = ServingPointerStore(s3, environment.lake_bucket).read()
    pointer = stored.pointer if stored else None
    sample = WindowSample(pointer.champion.version if pointer else None)
    collected = collect(
        PredictionsTable(client("dynamodb"), environment.predictions_table),
        pointer,
        Baselines(s3, environment.lake_bucket).of(pointer.champion) if pointer else {},
        asked.window_hours,
        datetime.now(UTC),
        sample=sample,
    )
    costs = cost_metrics(
        CloudWatchMetrics(client("cloudwatch")),
        collected.window,
        collected.served.predictions,
        int(environment.predict_memory_mb),
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
        "drift": {
            "score": collected.drift.score,
            "unknown": collected.drift.unknown,
            "worst": list(collected.drift.worst),
            "features": {one.feature: one.psi for one in collected.drift.features},
        },
        "metrics": {**collected.metrics, **costs},
        "report": _report(
            DriftReports(s3, environment.lake_bucket), pointer, collected, sample.rows()
        ),
    }
    logger.info("window", **output)
    return output


def _report(
    reports: DriftReports,
    pointer: ServingPointer | None,
    collected: Collected,
    rows: list[SampleRow],
) -> dict[str, Any]:
    """Whether a drift report is due, and what its job is told.

    Metrics come first: a report that cannot be prepared is for the operators to hear of (`failed`),
    when the metrics are published.
    """
    try:
        report = prepare_report(
            reports,
            pointer.champion if pointer else None,
            drift=collected.drift,
            rows=rows,
            window_end=collected.window.end,
        )
    except (ClientError, BotoCoreError) as error:
        logger.exception("no drift report")
        return {"due": False, "failed": True, "why": str(error)}
    job = asdict(report.job) if report.job else {}
    return {"due": report.due, "failed": False, "why": report.why, **job}
