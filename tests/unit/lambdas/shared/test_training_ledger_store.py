"""The ledger's item: changes of many at once are all there, one after another."""

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from areyouacat.errors import LedgerContentionError
from areyouacat.training_ledger import TrainingLedger
from lambdas.shared.training_ledger_store import TrainingLedgerStore
from tests.unit.lambdas.conftest import CONTROL_TABLE

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture
def store(dynamodb: Any) -> TrainingLedgerStore:
    return TrainingLedgerStore(dynamodb, CONTROL_TABLE)


def begun(ledger: TrainingLedger, number: int) -> TrainingLedger:
    return replace(ledger, begun=(*ledger.begun, NOON + timedelta(minutes=number)))


def test_before_the_first_change_the_ledger_is_empty(store: TrainingLedgerStore) -> None:
    assert store.read() == (TrainingLedger(), 0)


def test_a_change_is_read_back_and_its_answer_returned(store: TrainingLedgerStore) -> None:
    assert store.change(lambda ledger: (begun(ledger, 1), "done")) == "done"

    assert store.read() == (begun(TrainingLedger(), 1), 1)


def test_no_change_is_no_write(store: TrainingLedgerStore) -> None:
    store.change(lambda ledger: (begun(ledger, 1), None))
    store.change(lambda ledger: (ledger, None))

    assert store.read()[1] == 1


def test_what_changed_meanwhile_is_changed_once_more(store: TrainingLedgerStore) -> None:
    calls = []

    def change(ledger: TrainingLedger) -> tuple[TrainingLedger, None]:
        calls.append(ledger)
        if len(calls) == 1:
            store.change(lambda seen: (begun(seen, 1), None))
        return begun(ledger, 2), None

    store.change(change)

    assert store.read() == (begun(begun(TrainingLedger(), 1), 2), 2)
    assert len(calls) == 2


def test_many_at_once_lose_no_change(store: TrainingLedgerStore) -> None:
    def add(number: int) -> None:
        store.change(lambda ledger: (begun(ledger, number), None))

    threads = [threading.Thread(target=add, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    ledger, revision = store.read()
    assert (len(ledger.begun), len(set(ledger.begun)), revision) == (8, 8, 8)


def test_who_never_gets_through_is_told(store: TrainingLedgerStore) -> None:
    def overtaken(ledger: TrainingLedger) -> tuple[TrainingLedger, None]:
        store.change(lambda seen: (begun(seen, 1), None))
        return begun(ledger, 2), None

    with pytest.raises(LedgerContentionError):
        store.change(overtaken)
