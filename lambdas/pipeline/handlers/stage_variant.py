"""StageVariant: the first state of deploy."""

from dataclasses import asdict, dataclass
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import BaseModel

from lambdas.pipeline.dal.lake_store import LakeStore
from lambdas.pipeline.handlers.fields import VersionNumber
from lambdas.pipeline.logic.staging import stage
from lambdas.shared.aws import client
from lambdas.shared.environment import load_environment
from lambdas.shared.observability import logger


@dataclass(frozen=True)
class Environment:
    """What the function needs to be told."""

    lake_bucket: str


class StageRequest(BaseModel):
    """Input of StageVariant."""

    version: VersionNumber


@logger.inject_lambda_context
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Check a model version's files; the variant that the serving pointer would name."""
    asked = StageRequest.model_validate(event)
    lake = LakeStore(client("s3"), load_environment(Environment).lake_bucket)
    variant = stage(lake, asked.version)
    logger.info("staged", version=variant.version, sha256=variant.sha256)
    return asdict(variant)
