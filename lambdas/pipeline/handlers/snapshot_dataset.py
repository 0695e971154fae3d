"""SnapshotDataset: the second state of train."""

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from lambdas.pipeline.dal.control_table import ControlTable
from lambdas.pipeline.dal.lake_store import LakeStore
from lambdas.pipeline.logic.snapshot import snapshot
from lambdas.shared.aws import client
from lambdas.shared.environment import load_environment
from lambdas.shared.observability import logger
from lambdas.shared.predictions_table import PredictionsTable


@dataclass(frozen=True)
class Environment:
    """What the function needs to be told."""

    lake_bucket: str
    predictions_table: str
    control_table: str
    feedback_approval: str  # `required` or `not required`


@logger.inject_lambda_context
def handler(_event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Write a data set version; where it is and what it counts. The input does not matter."""
    environment = load_environment(Environment)
    dynamodb = client("dynamodb")
    made = snapshot(
        LakeStore(client("s3"), environment.lake_bucket),
        PredictionsTable(dynamodb, environment.predictions_table),
        ControlTable(dynamodb, environment.control_table),
        datetime.now(UTC),
        approval=environment.feedback_approval == "required",
    )
    if made.taken_over.refused:
        logger.warning("feedback with an unknown label", predictions=made.taken_over.refused)
    if made.taken_over.gone:
        logger.warning(
            "feedback on photos that expired or were erased", photos=made.taken_over.gone
        )
    logger.info(
        "snapshot",
        version=made.version,
        mode=made.mode,
        counts=made.counts,
        missing_features=made.missing_features,
        feedback_taken_over=len(made.taken_over.labels),
        feedback_held=made.taken_over.held,
    )
    output = asdict(made)
    del output["taken_over"]
    return output
