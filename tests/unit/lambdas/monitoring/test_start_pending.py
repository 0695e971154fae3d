"""StartPending with moto: what waits begins once, when it may."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from areyouacat.training_ledger import Admission, Pending, TrainingLedger
from lambdas.monitoring.handlers import start_pending
from lambdas.shared.training_ledger_store import TrainingLedgerStore
from tests.unit.lambdas.monitoring.moto_cloud import Cloud

LONG_AGO = datetime.now(UTC) - timedelta(hours=5)
WAITS = Pending("accuracy fell", LONG_AGO, Admission.COOLING_DOWN)


def ledger_of(cloud: Cloud) -> TrainingLedger:
    return TrainingLedgerStore(cloud.dynamodb, "control").read()[0]


def keep(cloud: Cloud, **ledger: Any) -> None:
    TrainingLedgerStore(cloud.dynamodb, "control").change(
        lambda seen: (replace(seen, **ledger), None)
    )


def test_where_nothing_waits_nothing_starts(cloud: Cloud, context: Any) -> None:
    assert start_pending.handler({}, context) == {"started": None, "waiting": []}
    assert cloud.executions() == []


def test_an_alarm_that_still_stands_starts_its_training_once(cloud: Cloud, context: Any) -> None:
    keep(cloud, pending={"accuracy": WAITS})

    first = start_pending.handler({}, context)
    start_pending.handler({}, context)

    (execution,) = cloud.executions()
    assert first["started"] == execution["name"]
    asked = json.loads(execution["input"])
    assert (asked["source"], asked["alarm"], asked["reason"]) == (
        "alarm",
        "accuracy",
        "accuracy fell",
    )


def test_while_it_is_too_soon_it_goes_on_waiting(cloud: Cloud, context: Any) -> None:
    keep(cloud, pending={"accuracy": WAITS}, cooling_since=datetime.now(UTC))

    answer = start_pending.handler({}, context)

    assert (answer["started"], answer["waiting"]) == (None, ["accuracy"])
    assert ledger_of(cloud).pending == {"accuracy": WAITS}


def test_while_a_training_runs_it_goes_on_waiting(cloud: Cloud, context: Any) -> None:
    running = cloud.stepfunctions.start_execution(stateMachineArn=cloud.train_arn, name="running")
    keep(cloud, pending={"accuracy": WAITS}, holder=running["executionArn"])

    assert start_pending.handler({}, context)["started"] is None

    cloud.stepfunctions.stop_execution(executionArn=running["executionArn"])
    assert start_pending.handler({}, context)["started"] is not None
