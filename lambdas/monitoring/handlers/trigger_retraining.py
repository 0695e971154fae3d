"""An alarm fired: start the train workflow, once. It stands no more: nothing has to wait for it."""

from dataclasses import dataclass
from functools import partial
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from areyouacat.training_ledger import TrainingLedger, forget
from lambdas.monitoring.dal.executions import StateMachine
from lambdas.monitoring.handlers.sns import alarm_messages
from lambdas.monitoring.logic.alarms import training_start
from lambdas.shared.aws import client
from lambdas.shared.environment import load_environment
from lambdas.shared.observability import logger
from lambdas.shared.training_ledger_store import TrainingLedgerStore


@dataclass(frozen=True)
class Environment:
    """What the function needs to be told."""

    control_table: str
    train_state_machine_arn: str


@logger.inject_lambda_context
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Start one execution for each alarm that fires; the names of those that are new."""
    environment = load_environment(Environment)
    train = StateMachine(client("stepfunctions"), environment.train_state_machine_arn)
    ledger = TrainingLedgerStore(client("dynamodb"), environment.control_table)
    started = []
    for alarm in alarm_messages(event):
        if not alarm.fires:
            dropped = ledger.change(partial(_without, alarm.alarm_name))
            logger.info("alarm stands no more", alarm=alarm.alarm_name, was_pending=dropped)
            continue
        start = training_start(alarm)
        is_new = train.start(start.name, start.input_json)
        logger.info("training started" if is_new else "started before", execution=start.name)
        if is_new:
            started.append(start.name)
    return {"started": started}


def _without(alarm: str, ledger: TrainingLedger) -> tuple[TrainingLedger, bool]:
    return forget(ledger, frozenset({alarm})), alarm in ledger.pending
