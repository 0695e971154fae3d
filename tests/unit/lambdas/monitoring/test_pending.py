"""Alarms that were turned away: which start when, and which are forgotten."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from areyouacat.training_ledger import Admission, Pending, RetrainRules, TrainingLedger
from lambdas.monitoring.logic.pending import pending_start

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
RULES = RetrainRules(cooldown=6 * HOUR, daily_cap=1, same_cause=timedelta(0))
WAITING = {
    "DataDrift": Pending("brightness moved", NOON + HOUR, Admission.COOLING_DOWN),
    "FeedbackAccuracy": Pending("accuracy fell", NOON, Admission.ALREADY_RUNNING),
}


def test_the_oldest_alarm_starts_one_training_with_all_reasons() -> None:
    start = pending_start(TrainingLedger(pending=WAITING), 7, RULES, NOON, holder_runs=False)

    assert start is not None
    assert json.loads(start.input_json) == {
        "alarm": "FeedbackAccuracy",
        "pending_since": "2026-11-23T12:00:00.000000Z",
        "reason": "brightness moved; accuracy fell",
        "source": "alarm",
    }


def test_one_state_of_the_ledger_is_one_execution() -> None:
    def name(revision: int) -> str:
        ledger = TrainingLedger(pending=WAITING)
        start = pending_start(ledger, revision, RULES, NOON, holder_runs=False)
        assert start is not None
        return start.name

    assert name(7) == name(7) != name(8)
    assert len(name(7)) <= 80


@pytest.mark.parametrize(
    ("ledger", "holder_runs"),
    [
        (TrainingLedger(), False),
        (TrainingLedger(holder="arn", pending=WAITING), True),
        (TrainingLedger(cooling_since=NOON - 5 * HOUR, pending=WAITING), False),
        (TrainingLedger(begun=(NOON - 23 * HOUR,), pending=WAITING), False),
    ],
    ids=["nothing waits", "one trains", "cooling down", "capped"],
)
def test_nothing_starts_that_would_be_turned_away(
    ledger: TrainingLedger, holder_runs: bool
) -> None:
    assert pending_start(ledger, 1, RULES, NOON, holder_runs=holder_runs) is None


def test_the_lease_of_one_that_was_killed_holds_nothing_up() -> None:
    ledger = TrainingLedger(holder="arn", pending=WAITING)

    assert pending_start(ledger, 1, RULES, NOON, holder_runs=False) is not None
