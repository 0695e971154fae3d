"""RollBack: the challenger leaves the traffic, or the version before serves again."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from lambdas.pipeline.dal.lake_store import LakeStore
from lambdas.pipeline.handlers.fields import CheckField, StagedField, VersionNumber, moved
from lambdas.pipeline.logic.promotion import Leave, roll_back
from lambdas.shared.aws import client
from lambdas.shared.environment import load_environment
from lambdas.shared.observability import logger
from lambdas.shared.serving_pointer_store import ServingPointerStore


@dataclass(frozen=True)
class Environment:
    """What the function needs to be told."""

    lake_bucket: str


class Golden(BaseModel):
    """Why the golden photos kept a challenger from the callers."""

    reason: str


class LambdaCause(BaseModel):
    """What a function that failed leaves as the cause of its task's error."""

    message: str = Field(alias="errorMessage", min_length=1)


class Failure(BaseModel):
    """The error that the state machine caught before it came here."""

    error: str = Field(alias="Error")
    cause: str = Field(alias="Cause", default="")

    def sentence(self) -> str:
        """The cause in words; what is no function's (a timeout) has its error's name."""
        try:
            cause = LambdaCause.model_validate_json(self.cause).message
        except ValidationError:
            cause = self.cause
        return f"{self.error}: {cause}" if cause else self.error


class Asked(BaseModel):
    """Either what a deployment knows of its own challenger, or what was asked to be left.

    `from_version`, `deployment`, `challenger_only`: as in `promotion.Leave`.
    """

    model_config = ConfigDict(extra="ignore")

    staged: StagedField | None = None
    golden: Golden | None = None
    check: CheckField | None = None
    error: Failure | None = None
    from_version: VersionNumber | None = None
    deployment: str | None = None
    challenger_only: bool = False
    reason: str = "rolled back without a reason"

    def reasons(self) -> list[str]:
        """Why, a sentence each.

        The last check may have been in favour of a challenger that leaves because of an error.
        """
        if self.error:
            return [self.error.sentence()]
        if self.check:
            return self.check.reasons
        return [self.golden.reason if self.golden else self.reason]

    def leave(self, execution_arn: str) -> Leave:
        """What is left: a deployment leaves its own challenger."""
        if self.staged:
            return Leave(deployment=execution_arn)
        return Leave(self.from_version, self.deployment, self.challenger_only)


class RollBackRequest(BaseModel):
    """Input of RollBack. `execution_arn`: who asks."""

    asked: Asked
    execution_arn: str


@logger.inject_lambda_context
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Write the serving pointer; `outcome` is `unchanged` if nothing of what was named serves."""
    request = RollBackRequest.model_validate(event)
    asked, s3 = request.asked, client("s3")
    lake_bucket = load_environment(Environment).lake_bucket
    reasons = asked.reasons()
    move = roll_back(
        ServingPointerStore(s3, lake_bucket),
        LakeStore(s3, lake_bucket),
        asked.leave(request.execution_arn),
        by=request.execution_arn,
        reason="; ".join(reasons),
        at=datetime.now(UTC),
    )
    if asked.staged and move.moved_version is None:  # it never met a caller, or was taken out
        move = replace(move, moved_version=asked.staged.variant.version)
    result = moved(move, reasons)
    logger.info("rolled back", **result)
    return result
