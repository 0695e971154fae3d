from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from areyouacat.predictions import Feedback, Prediction, prediction_item
from lambdas.shared.predictions_table import FeedbackOutcome, PredictionsTable

TABLE = "predictions-of-the-test"
NOW = datetime(2026, 11, 22, 20, 30, tzinfo=UTC)


def prediction(prediction_id: str = "p-1", at: datetime = NOW) -> Prediction:
    return Prediction(
        prediction_id=prediction_id,
        predicted_at=at,
        photo="ab" * 32,
        size_bytes=1000,
        width=640,
        height=480,
        format="JPEG",
        brightness=0.5,
        contrast=0.25,
        sharpness=0.01,
        perceptual_hash="0123456789abcdef",
        probability=0.1 + 0.2,
        label="cat",
        verdict="unsure",
        model_name="m",
        model_version="1",
        model_role="champion",
        sketch=tuple(index / 7 for index in range(16)),
        explanation=tuple(tuple((row - column) / 8 for column in range(7)) for row in range(7)),
        latency_ms=12.5,
    )


@pytest.fixture
def table(dynamodb: Any) -> PredictionsTable:
    return PredictionsTable(dynamodb, TABLE)


@pytest.fixture
def stored(table: PredictionsTable) -> PredictionsTable:
    table.put(prediction_item(prediction(), ttl_days=30))
    return table


def raw_item(dynamodb: Any, prediction_id: str = "p-1") -> dict[str, Any]:
    answer = dynamodb.get_item(TableName=TABLE, Key={"prediction_id": {"S": prediction_id}})
    item: dict[str, Any] = answer["Item"]
    return item


def test_a_prediction_comes_back_as_it_went_in(stored: PredictionsTable) -> None:
    found = stored.get("p-1")

    assert found is not None
    assert found.prediction == prediction()
    assert found.feedback is None


def test_the_first_of_two_with_one_id_stays(stored: PredictionsTable) -> None:
    another = replace(prediction(), photo="cd" * 32)

    assert stored.put(prediction_item(another, ttl_days=30)) is False

    found = stored.get("p-1")
    assert found is not None
    assert found.prediction.photo == prediction().photo


def test_a_fresh_prediction_is_stored(table: PredictionsTable) -> None:
    assert table.put(prediction_item(prediction(), ttl_days=30)) is True


def test_a_late_retry_does_not_wipe_out_feedback(stored: PredictionsTable) -> None:
    stored.record_feedback("p-1", Feedback("cat", NOW))

    stored.put(prediction_item(prediction(), ttl_days=30))

    found = stored.get("p-1")
    assert found is not None
    assert found.feedback == Feedback("cat", NOW)


def test_a_deleted_prediction_is_in_no_window(stored: PredictionsTable) -> None:
    stored.record_feedback("p-1", Feedback("cat", NOW))

    stored.delete("p-1")
    stored.delete("p-1")

    assert stored.get("p-1") is None
    assert list(stored.predicted_between(NOW, NOW)) == []
    assert list(stored.labelled_between(NOW, NOW)) == []


def test_an_unknown_prediction_is_none(table: PredictionsTable) -> None:
    assert table.get("nobody") is None


def test_feedback_on_an_unknown_prediction_writes_nothing(
    table: PredictionsTable, dynamodb: Any
) -> None:
    outcome = table.record_feedback("nobody", Feedback("cat", NOW))

    assert outcome is FeedbackOutcome.UNKNOWN_PREDICTION
    assert dynamodb.scan(TableName=TABLE)["Count"] == 0


def test_feedback_keeps_the_item_for_ever(stored: PredictionsTable, dynamodb: Any) -> None:
    assert "expires_at" in raw_item(dynamodb)

    assert stored.record_feedback("p-1", Feedback("not_cat", NOW)) is FeedbackOutcome.RECORDED

    assert "expires_at" not in raw_item(dynamodb)


def test_the_same_feedback_twice_is_one_record_with_the_first_time(
    stored: PredictionsTable,
) -> None:
    stored.record_feedback("p-1", Feedback("cat", NOW))

    later = NOW + timedelta(hours=3)
    assert stored.record_feedback("p-1", Feedback("cat", later)) is FeedbackOutcome.UNCHANGED

    found = stored.get("p-1")
    assert found is not None
    assert found.feedback == Feedback("cat", NOW)


def test_a_changed_mind_moves_the_one_record(stored: PredictionsTable) -> None:
    later = NOW + timedelta(hours=3)
    stored.record_feedback("p-1", Feedback("cat", NOW))

    assert stored.record_feedback("p-1", Feedback("not_cat", later)) is FeedbackOutcome.RECORDED

    labelled = list(stored.labelled_between(NOW - timedelta(hours=1), later))
    assert [item.feedback for item in labelled] == [Feedback("not_cat", later)]


class OvertakenClient:
    """A client whose every write is overtaken by somebody else's, which it does not see coming."""

    def __init__(self, dynamodb: Any, overtake: Callable[[], object]) -> None:
        self._dynamodb = dynamodb
        self._overtake = overtake

    def __getattr__(self, name: str) -> Any:
        return getattr(self._dynamodb, name)

    def transact_write_items(self, **request: Any) -> Any:
        self._overtake()
        return self._dynamodb.transact_write_items(**request)


@pytest.mark.parametrize(
    ("theirs", "ours", "outcome"),
    [
        ("cat", "cat", FeedbackOutcome.UNCHANGED),
        ("not_cat", "cat", FeedbackOutcome.RECORDED),
    ],
)
def test_of_two_racing_callers_only_one_is_counted_as_new(
    theirs: str, ours: str, outcome: FeedbackOutcome, stored: PredictionsTable, dynamodb: Any
) -> None:
    overtaken = PredictionsTable(
        OvertakenClient(dynamodb, lambda: stored.record_feedback("p-1", Feedback(theirs, NOW))),
        TABLE,
    )

    found = overtaken.record_feedback("p-1", Feedback(ours, NOW + timedelta(seconds=1)))

    assert found is outcome
    labelled = list(stored.labelled_between(NOW, NOW + timedelta(minutes=1)))
    assert [item.feedback.label for item in labelled if item.feedback] == [ours]


def test_a_prediction_erased_in_between_is_not_brought_back(
    stored: PredictionsTable, dynamodb: Any
) -> None:
    key = {"prediction_id": {"S": "p-1"}}
    overtaken = PredictionsTable(
        OvertakenClient(dynamodb, lambda: dynamodb.delete_item(TableName=TABLE, Key=key)), TABLE
    )

    outcome = overtaken.record_feedback("p-1", Feedback("cat", NOW))

    assert outcome is FeedbackOutcome.UNKNOWN_PREDICTION
    assert stored.get("p-1") is None


def test_windows_hold_what_happened_in_them_and_nothing_else(table: PredictionsTable) -> None:
    for hour in range(4):
        at = NOW + timedelta(hours=hour)
        table.put(prediction_item(prediction(f"p-{hour}", at), ttl_days=30))

    found = table.predicted_between(NOW + timedelta(hours=1), NOW + timedelta(hours=2))

    assert [item.prediction.prediction_id for item in found] == ["p-1", "p-2"]


def test_a_prediction_without_feedback_is_in_no_feedback_window(stored: PredictionsTable) -> None:
    assert list(stored.labelled_between(NOW - timedelta(days=1), NOW + timedelta(days=1))) == []


def test_feedback_that_is_taken_back_leaves_the_index_and_the_item_expires_again(
    stored: PredictionsTable, dynamodb: Any
) -> None:
    before = raw_item(dynamodb)
    stored.record_feedback("p-1", Feedback("cat", NOW))

    assert stored.withdraw_feedback("p-1", int(before["expires_at"]["N"]))

    assert raw_item(dynamodb) == before
    assert not list(stored.labelled_between(NOW - timedelta(hours=1), NOW + timedelta(hours=1)))


def test_feedback_can_be_given_again_after_it_was_taken_back(stored: PredictionsTable) -> None:
    stored.record_feedback("p-1", Feedback("cat", NOW))
    stored.withdraw_feedback("p-1", 1)

    assert stored.record_feedback("p-1", Feedback("cat", NOW)) is FeedbackOutcome.RECORDED


def test_taking_back_what_was_never_said_changes_nothing(
    stored: PredictionsTable, dynamodb: Any
) -> None:
    before = raw_item(dynamodb)

    assert not stored.withdraw_feedback("p-1", 1)

    assert raw_item(dynamodb) == before


def test_taking_back_feedback_of_an_unknown_prediction_makes_no_item(
    stored: PredictionsTable,
) -> None:
    assert not stored.withdraw_feedback("p-2", 1)
    assert stored.get("p-2") is None
