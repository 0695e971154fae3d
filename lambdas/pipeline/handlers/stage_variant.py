"""StageVariant: the first state of deploy."""

from dataclasses import asdict, dataclass
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import BaseModel, ConfigDict, Field

from areyouacat.serving_pointer import Strategy
from areyouacat.settings import MAX_BAKE_SECONDS
from lambdas.pipeline.dal.lake_store import LakeStore
from lambdas.pipeline.handlers.fields import VersionNumber
from lambdas.pipeline.logic.staging import Wanted, plan, stage
from lambdas.shared.aws import client
from lambdas.shared.environment import load_environment
from lambdas.shared.observability import logger
from lambdas.shared.serving_pointer_store import ServingPointerStore


@dataclass(frozen=True)
class Environment:
    """What the function needs to be told. The seconds are a canary's, as text."""

    lake_bucket: str
    bake_seconds: str
    check_seconds: str


class StageRequest(BaseModel):
    """The execution's own input; what is left out has its default."""

    model_config = ConfigDict(extra="ignore")

    version: VersionNumber
    strategy: Strategy = Strategy.CANARY
    canary_weight: float | None = Field(default=None, gt=0.0, lt=1.0)
    bake_seconds: int | None = Field(default=None, ge=0, le=MAX_BAKE_SECONDS)
    check_seconds: int | None = Field(default=None, ge=1, le=3600)
    reason: str = "deployed without a reason"
    source: str = "manual"


@logger.inject_lambda_context
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Check a model version's files; the variant that the pointer would name, and the plan."""
    asked = StageRequest.model_validate(event)
    environment = load_environment(Environment)
    s3, lake_bucket = client("s3"), environment.lake_bucket
    variant = stage(LakeStore(s3, lake_bucket), asked.version)
    stored = ServingPointerStore(s3, lake_bucket).read()
    planned = plan(
        variant,
        stored.pointer if stored else None,
        Wanted(asked.strategy, asked.canary_weight, asked.bake_seconds, asked.check_seconds),
        canary_bake_seconds=int(environment.bake_seconds),
        canary_check_seconds=int(environment.check_seconds),
    )
    logger.info("staged", version=variant.version, sha256=variant.sha256, **asdict(planned))
    return {
        "variant": asdict(variant),
        **asdict(planned),
        "reason": asked.reason,
        "source": asked.source,
    }
