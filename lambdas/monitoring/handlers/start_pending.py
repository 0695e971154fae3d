"""StartPending: trainings that were turned away begin when they may, if their alarm still stands.

Runs at the end of each training and of each monitor run.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from areyouacat.lease import is_stale
from lambdas.monitoring.dal.executions import StateMachine
from lambdas.monitoring.logic.pending import pending_start
from lambdas.shared.aws import client
from lambdas.shared.environment import load_environment
from lambdas.shared.executions import Executions
from lambdas.shared.observability import logger
from lambdas.shared.retrain_environment import RetrainEnvironment
from lambdas.shared.training_ledger_store import TrainingLedgerStore


@dataclass(frozen=True)
class Environment(RetrainEnvironment):
    """What the function needs to be told."""

    train_state_machine_arn: str


@logger.inject_lambda_context
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:  # noqa: ARG001
    """Start at most one training; its name, and the alarms that wait."""
    environment = load_environment(Environment)
    ledger, revision = TrainingLedgerStore(client("dynamodb"), environment.control_table).read()
    runs = ledger.holder is not None and not is_stale(
        Executions(client("stepfunctions")).status(ledger.holder)
    )
    start = pending_start(ledger, revision, environment.rules, datetime.now(UTC), holder_runs=runs)
    if start is not None:
        train = StateMachine(client("stepfunctions"), environment.train_state_machine_arn)
        train.start(start.name, start.input_json)
    answer: dict[str, Any] = {
        "started": start.name if start else None,
        "waiting": sorted(ledger.pending),
    }
    logger.info("pending", **answer)
    return answer
