"""AcquireLease and ReleaseLease: the first and the last state of train."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import BaseModel

from areyouacat import metrics
from areyouacat.lake import utc_text
from areyouacat.lease import is_stale, training_job_name
from areyouacat.training_ledger import (
    MANUAL,
    Admission,
    Admitted,
    Asker,
    TrainingLedger,
    admit,
)
from areyouacat.training_ledger import release as released_by
from lambdas.shared.aws import client
from lambdas.shared.environment import load_environment
from lambdas.shared.executions import Executions
from lambdas.shared.observability import logger, write_metrics
from lambdas.shared.retrain_environment import RetrainEnvironment
from lambdas.shared.training_ledger_store import TrainingLedgerStore


@dataclass(frozen=True)
class Environment:
    """What ReleaseLease needs to be told."""

    control_table: str


class StartRequest(BaseModel):
    """The execution's own input; anything else in it is ignored."""

    reason: str = "started without a reason"
    source: str = MANUAL
    alarm: str | None = None


class AcquireRequest(BaseModel):
    """Input of AcquireLease."""

    execution_arn: str
    execution_name: str
    request: StartRequest


class ReleaseRequest(BaseModel):
    """Input of ReleaseLease."""

    execution_arn: str


@logger.inject_lambda_context
def acquire(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Ask for the training lease; `acquired` says whether this execution may train, else `why`."""
    asked = AcquireRequest.model_validate(event)
    environment = load_environment(RetrainEnvironment)
    executions, now = Executions(client("stepfunctions")), datetime.now(UTC)
    asker = Asker(
        asked.execution_arn, asked.request.reason, asked.request.source, asked.request.alarm
    )

    def ask(ledger: TrainingLedger) -> tuple[TrainingLedger, Admitted]:
        other = ledger.holder not in {None, asker.execution_arn}
        runs = other and not is_stale(executions.status(str(ledger.holder)))
        return admit(ledger, asker, environment.rules, now, holder_runs=runs)

    admitted = _ledger(environment.control_table).change(ask)
    answer: dict[str, Any] = {
        "acquired": admitted.admission is Admission.ACQUIRED,
        "outcome": admitted.admission.value,
        "why": _why(admitted),
        "holder": admitted.holder,
        "reason": asker.reason,
        "source": asker.source,
        "answers": list(admitted.answers),
        "training_job_name": training_job_name(asked.execution_name),
    }
    logger.info("lease", **answer, alarm=asker.alarm)
    decided = {metrics.TRAINING_DECISIONS: 1.0}
    by_outcome = metrics.Breakdown(metrics.OUTCOME_DIMENSION, answer["outcome"], decided)
    write_metrics(metrics.emf(decided, now, breakdowns=[by_outcome]))
    return answer


@logger.inject_lambda_context
def release(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Give the lease back if this execution holds it; twice is fine."""
    arn = ReleaseRequest.model_validate(event).execution_arn
    now = datetime.now(UTC)

    def give_back(ledger: TrainingLedger) -> tuple[TrainingLedger, bool]:
        return released_by(ledger, arn, now), ledger.holder == arn

    released = _ledger(load_environment(Environment).control_table).change(give_back)
    logger.info("lease given back" if released else "lease was not held", by=arn)
    return {"released": released}


def _why(admitted: Admitted) -> str:
    until = utc_text(admitted.until) if admitted.until else ""
    return {
        Admission.ACQUIRED: "nobody else trains",
        Admission.ALREADY_RUNNING: f"{admitted.holder} trains now",
        Admission.COOLING_DOWN: f"the last training is too recent; none by itself before {until}",
        Admission.CAPPED: f"a day has seen enough automatic ones; none before {until}",
    }[admitted.admission]


def _ledger(control_table: str) -> TrainingLedgerStore:
    return TrainingLedgerStore(client("dynamodb"), control_table)
