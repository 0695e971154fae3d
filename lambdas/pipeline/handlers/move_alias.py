"""MoveAlias: MLflow learns what the serving pointer says, and why."""

from dataclasses import dataclass
from typing import Any, Literal

from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import BaseModel, ConfigDict

from areyouacat.errors import ModelNotFoundError
from lambdas.pipeline.dal.registry import MlflowRegistry
from lambdas.pipeline.handlers.fields import CheckField
from lambdas.pipeline.logic.registry_sync import Told, tell
from lambdas.shared.aws import client
from lambdas.shared.environment import load_environment
from lambdas.shared.observability import logger
from lambdas.shared.serving_pointer_store import ServingPointerStore


@dataclass(frozen=True)
class Environment:
    """What the function needs to be told."""

    lake_bucket: str
    mlflow_tracking_uri: str


class ResultField(BaseModel):
    """Output of Promote and of RollBack."""

    outcome: Literal["promoted", "rolled_back", "unchanged"]
    previous_version: str | None
    moved_version: str | None
    reasons: list[str]


class Deployed(BaseModel):
    """What deploy knows by now. `result`: None while the challenger has yet to prove itself."""

    model_config = ConfigDict(extra="ignore")

    result: ResultField | None = None
    check: CheckField | None = None


class MoveAliasRequest(BaseModel):
    """Input of MoveAlias."""

    deployed: Deployed


@logger.inject_lambda_context
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Point `champion` and `challenger` to what serves; which of them pointed elsewhere."""
    deployed = MoveAliasRequest.model_validate(event).deployed
    environment = load_environment(Environment)
    stored = ServingPointerStore(client("s3"), environment.lake_bucket).read()
    if stored is None:
        raise ModelNotFoundError("Nothing serves, so there is nothing to tell the registry.")
    result = deployed.result
    told = Told(
        outcome=result.outcome if result else "challenger",
        moved_version=result.moved_version if result else None,
        previous_version=result.previous_version if result else None,
        reason="; ".join(result.reasons) if result else stored.pointer.reason,
        figures=deployed.check.figures() if result and deployed.check else {},
    )
    moved = tell(MlflowRegistry(environment.mlflow_tracking_uri), stored.pointer, told)
    aliases = [one.alias for one in moved]
    logger.info("registry told", aliases=aliases, outcome=told.outcome)
    return {"moved": True, "aliases": aliases, "champion": stored.pointer.champion.version}
