from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from areyouacat.errors import TooMuchFeedbackError
from areyouacat.predictions import (
    Feedback,
    FeedbackCap,
    feedback_caps,
    prediction_item,
    seconds_to_next_hour,
)
from areyouacat.settings import FEEDBACK
from lambdas.api.dal.photo_store import PhotoStore
from lambdas.api.logic.feedback import Caller, give_feedback
from lambdas.shared.predictions_table import FeedbackOutcome, PredictionsTable
from tests.unit.lambdas.api.conftest import prediction
from tests.unit.lambdas.conftest import CONTROL_TABLE, LAKE, TABLE

AT = datetime(2026, 11, 22, 20, 59, 30, tzinfo=UTC)
CALLER = Caller(api_key="key-1", address="192.0.2.7")
BY_KEY, BY_ADDRESS = feedback_caps(CALLER.api_key, CALLER.address, AT)

Say = Callable[..., FeedbackOutcome]


@pytest.fixture
def say(s3: Any, table: PredictionsTable) -> Say:
    """Gives feedback on `p-1`."""
    photos = PhotoStore(s3, LAKE)

    def give(label: str, at: datetime = AT, caller: Caller = CALLER) -> FeedbackOutcome:
        return give_feedback(table, photos, "p-1", Feedback(label, at), caller)

    return give


def fill(dynamodb: Any, cap: FeedbackCap, count: int) -> None:
    item = {"control_id": {"S": cap.control_id}, "count": {"N": str(count)}}
    dynamodb.put_item(TableName=CONTROL_TABLE, Item=item)


def counts(dynamodb: Any) -> dict[str, int]:
    items = dynamodb.scan(TableName=CONTROL_TABLE)["Items"]
    return {item["control_id"]["S"]: int(item["count"]["N"]) for item in items}


def stored_label(table: PredictionsTable, prediction_id: str = "p-1") -> str | None:
    item = table.get(prediction_id)
    return item.feedback.label if item and item.feedback else None


def test_what_is_recorded_is_counted_for_the_key_and_for_the_address(
    say: Say, dynamodb: Any
) -> None:
    say("cat")
    say("not_cat")

    assert counts(dynamodb) == {BY_KEY.control_id: 2, BY_ADDRESS.control_id: 2}


def test_the_same_label_again_is_not_counted(say: Say, dynamodb: Any) -> None:
    say("cat")

    assert say("cat") is FeedbackOutcome.UNCHANGED

    assert counts(dynamodb) == {BY_KEY.control_id: 1, BY_ADDRESS.control_id: 1}


@pytest.mark.parametrize("cap", [BY_KEY, BY_ADDRESS], ids=["key", "address"])
def test_a_caller_at_a_cap_is_refused_and_nothing_is_written(
    cap: FeedbackCap, say: Say, dynamodb: Any, table: PredictionsTable
) -> None:
    fill(dynamodb, cap, cap.limit)

    with pytest.raises(TooMuchFeedbackError) as refused:
        say("cat")

    assert refused.value.retry_after_seconds == 30
    assert stored_label(table) is None
    assert counts(dynamodb) == {cap.control_id: cap.limit}


@pytest.mark.parametrize("cap", [BY_KEY, BY_ADDRESS], ids=["key", "address"])
def test_the_last_one_within_a_cap_is_taken(cap: FeedbackCap, say: Say, dynamodb: Any) -> None:
    fill(dynamodb, cap, cap.limit - 1)

    assert say("cat") is FeedbackOutcome.RECORDED

    assert counts(dynamodb)[cap.control_id] == cap.limit


def test_the_next_hour_is_free_again(say: Say, dynamodb: Any) -> None:
    fill(dynamodb, BY_KEY, BY_KEY.limit)

    assert say("cat", AT + timedelta(seconds=30)) is FeedbackOutcome.RECORDED


@pytest.mark.parametrize(
    ("cap", "other"),
    [(BY_KEY, Caller("key-2", CALLER.address)), (BY_ADDRESS, Caller(CALLER.api_key, "192.0.2.8"))],
    ids=["key", "address"],
)
def test_one_caller_at_its_cap_does_not_silence_another(
    cap: FeedbackCap, other: Caller, say: Say, dynamodb: Any
) -> None:
    fill(dynamodb, cap, cap.limit)

    assert say("cat", caller=other) is FeedbackOutcome.RECORDED


def test_what_was_said_before_the_cap_may_be_repeated_at_it(say: Say, dynamodb: Any) -> None:
    say("cat")
    fill(dynamodb, BY_KEY, BY_KEY.limit)

    assert say("cat") is FeedbackOutcome.UNCHANGED


def test_counters_are_forgotten_and_name_nobody(say: Say, dynamodb: Any) -> None:
    say("cat")

    for item in dynamodb.scan(TableName=CONTROL_TABLE)["Items"]:
        assert int(item["expires_at"]["N"]) == int((AT + timedelta(hours=2)).timestamp())
        assert CALLER.api_key not in str(item)
        assert CALLER.address not in str(item)


def test_a_caller_has_other_counters_in_another_hour() -> None:
    caps = [
        *feedback_caps("key-1", "192.0.2.7", AT),
        *feedback_caps("key-1", "192.0.2.7", AT + timedelta(hours=1)),
    ]

    digests = {cap.control_id.split("#")[2] for cap in caps}

    assert len(digests) == 4
    assert [cap.limit for cap in caps[:2]] == [
        FEEDBACK.per_api_key_and_hour,
        FEEDBACK.per_address_and_hour,
    ]


@pytest.mark.parametrize(("minute", "second", "left"), [(0, 0, 3600), (59, 59, 1), (30, 0, 1800)])
def test_a_cap_ends_with_its_hour(minute: int, second: int, left: int) -> None:
    assert seconds_to_next_hour(AT.replace(minute=minute, second=second)) == left


class OneAtATime:
    """moto, with transactions that exclude each other as DynamoDB's do."""

    def __init__(self, dynamodb: Any, before_writing: threading.Barrier) -> None:
        self._dynamodb = dynamodb
        self._before_writing = before_writing
        self._lock = threading.Lock()

    def get_item(self, **request: Any) -> Any:
        with self._lock:
            return self._dynamodb.get_item(**request)

    def transact_write_items(self, **request: Any) -> Any:
        self._before_writing.wait(timeout=10)
        with self._lock:
            return self._dynamodb.transact_write_items(**request)


def test_of_two_that_race_for_the_last_place_one_is_taken(
    s3: Any, dynamodb: Any, table: PredictionsTable
) -> None:
    table.put(prediction_item(prediction("p-2"), ttl_days=30))
    fill(dynamodb, BY_KEY, BY_KEY.limit - 1)
    racing = PredictionsTable(
        OneAtATime(dynamodb, threading.Barrier(2)), TABLE, control_table=CONTROL_TABLE
    )

    def race(prediction_id: str) -> bool:
        photos = PhotoStore(s3, LAKE)
        try:
            give_feedback(racing, photos, prediction_id, Feedback("cat", AT), CALLER)
        except TooMuchFeedbackError:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        taken = list(pool.map(race, ["p-1", "p-2"]))

    assert sorted(taken) == [False, True]
    assert [stored_label(table, f"p-{n}") for n in (1, 2)].count("cat") == 1
    assert counts(dynamodb)[BY_KEY.control_id] == BY_KEY.limit


class Cancelling:
    """A client whose first transactions are cancelled for the given reasons, one after another."""

    def __init__(self, dynamodb: Any, *cancellations: list[str]) -> None:
        self._dynamodb = dynamodb
        self._cancellations = list(cancellations)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._dynamodb, name)

    def transact_write_items(self, **request: Any) -> Any:
        if not self._cancellations:
            return self._dynamodb.transact_write_items(**request)
        reasons: Any = [{"Code": code} for code in self._cancellations.pop(0)]
        raise ClientError(
            {"Error": {"Code": "TransactionCanceledException"}, "CancellationReasons": reasons},
            "TransactWriteItems",
        )


CONFLICT = ["None", "TransactionConflict", "None"]
CAPS = (BY_KEY, BY_ADDRESS)


def cancelling_table(
    dynamodb: Any, pauses: list[float], *cancellations: list[str]
) -> PredictionsTable:
    return PredictionsTable(
        Cancelling(dynamodb, *cancellations),
        TABLE,
        control_table=CONTROL_TABLE,
        pause=pauses.append,
    )


def test_a_busy_counter_is_tried_again_after_growing_pauses(
    dynamodb: Any, table: PredictionsTable
) -> None:
    pauses: list[float] = []
    busy = cancelling_table(dynamodb, pauses, CONFLICT, CONFLICT)

    assert busy.record_feedback("p-1", Feedback("cat", AT), CAPS) is FeedbackOutcome.RECORDED

    assert len(pauses) == 2
    assert all(0 <= pause <= 0.04 for pause in pauses)
    assert stored_label(table) == "cat"


def test_a_counter_that_stays_busy_is_no_answer(dynamodb: Any, table: PredictionsTable) -> None:
    pauses: list[float] = []
    busy = cancelling_table(dynamodb, pauses, *[CONFLICT] * 6)

    with pytest.raises(ClientError):
        busy.record_feedback("p-1", Feedback("cat", AT), CAPS)

    assert sum(pauses) < 1
    assert stored_label(table) is None


@pytest.mark.parametrize(
    ("reasons", "outcome"),
    [
        (["ConditionalCheckFailed", "None", "None"], FeedbackOutcome.UNCHANGED),
        (["ConditionalCheckFailed", "ConditionalCheckFailed", "None"], FeedbackOutcome.UNCHANGED),
        (["None", "ConditionalCheckFailed", "None"], FeedbackOutcome.CAPPED),
        (["None", "TransactionConflict", "ConditionalCheckFailed"], FeedbackOutcome.CAPPED),
    ],
)
def test_a_cancelled_transaction_says_why(
    reasons: list[str], outcome: FeedbackOutcome, dynamodb: Any, table: PredictionsTable
) -> None:
    cancelled = cancelling_table(dynamodb, [], reasons)

    assert cancelled.record_feedback("p-1", Feedback("cat", AT), CAPS) is outcome


def test_a_throttled_transaction_is_not_taken_for_a_cap(
    dynamodb: Any, table: PredictionsTable
) -> None:
    throttled = cancelling_table(dynamodb, [], ["None", "ThrottlingError", "None"])

    with pytest.raises(ClientError):
        throttled.record_feedback("p-1", Feedback("cat", AT), CAPS)


def test_a_caller_at_its_cap_is_told_when_to_go_on(
    request_: Callable[..., Any], dynamodb: Any, table: PredictionsTable
) -> None:
    now = datetime.now(UTC)
    for hour in (now, now + timedelta(minutes=1)):  # whichever hour the request falls into
        fill(dynamodb, feedback_caps("key-1", "127.0.0.1", hour)[0], FEEDBACK.per_api_key_and_hour)

    answer = request_("POST", "/feedback", '{"prediction_id": "p-1", "label": "cat"}')

    assert (answer.status, answer.body["error"]["code"]) == (429, "too_much_feedback")
    assert 1 <= int(answer.headers["retry-after"]) <= 3600
    assert stored_label(table) is None
