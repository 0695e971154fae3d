"""CheckCanary: has the challenger earned its traffic?"""

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import AwareDatetime, BaseModel

from areyouacat.lake import utc_text
from areyouacat.traffic import RoleEvidence
from lambdas.pipeline.handlers.fields import StagedField
from lambdas.pipeline.logic.canary import Trial, check
from lambdas.shared.aws import client
from lambdas.shared.environment import load_environment
from lambdas.shared.observability import logger
from lambdas.shared.predictions_table import PredictionsTable
from lambdas.shared.serving_pointer_store import ServingPointerStore


@dataclass(frozen=True)
class Environment:
    """What the function needs to be told."""

    lake_bucket: str
    predictions_table: str


class ShiftedField(BaseModel):
    """Output of ShiftTraffic."""

    champion_version: str
    challenger_version: str
    began_at: AwareDatetime


class GoldenField(BaseModel):
    """Output of ScoreGoldenPhotos."""

    photos: int
    right: int


class CheckRequest(BaseModel):
    """Input of CheckCanary. `execution_arn`: whose challenger it is."""

    staged: StagedField
    shifted: ShiftedField
    golden: GoldenField
    execution_arn: str


@logger.inject_lambda_context
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """The verdict (`wait`, `promote`, `roll_back`), why, and what it rests on."""
    asked = CheckRequest.model_validate(event)
    environment = load_environment(Environment)
    stored = ServingPointerStore(client("s3"), environment.lake_bucket).read()
    now = datetime.now(UTC)
    checked = check(
        PredictionsTable(client("dynamodb"), environment.predictions_table),
        stored.pointer if stored else None,
        Trial(
            execution_arn=asked.execution_arn,
            strategy=asked.staged.strategy,
            champion_version=asked.shifted.champion_version,
            challenger_version=asked.shifted.challenger_version,
            began_at=asked.shifted.began_at,
            bake_seconds=asked.staged.bake_seconds,
            check_seconds=asked.staged.check_seconds,
            golden=asked.golden.photos,
            golden_right=asked.golden.right,
        ),
        now,
    )
    decision = checked.decision
    found: dict[str, Any] = {
        "verdict": decision.verdict.value,
        "reasons": list(decision.reasons),
        "wait_seconds": checked.wait_seconds,
        "checked_at": utc_text(now),
        "champion": _summary(checked.champion),
        "challenger": _summary(checked.challenger),
        "test": asdict(decision.test),
    }
    logger.info("checked", **found)
    return found


def _summary(role: RoleEvidence) -> dict[str, Any]:
    return {
        "version": role.version,
        "requests": role.requests,
        "failures": role.failures,
        "latency_p95_ms": role.latency_p95_ms,
        "feedback": len(role.judged),
        "feedback_right": sum(role.judged),
        "golden": role.golden,
        "golden_right": role.golden_right,
    }
