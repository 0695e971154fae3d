from dataclasses import replace
from datetime import timedelta

import pytest

from areyouacat import metrics
from areyouacat.serving_pointer import Variant, first_pointer
from areyouacat.settings import MONITORING
from lambdas.monitoring.logic.collection import NEW_FEEDBACK_LOOK_BACK, collect
from lambdas.monitoring.logic.window import (
    Judged,
    Served,
    judged,
    metric_values,
    percentile,
    served,
)
from tests.unit.lambdas.monitoring.memory_predictions import MemoryPredictions
from tests.unit.lambdas.pipeline.factories import NOON, labelled_item

RULES = replace(MONITORING, min_feedback_labels=4)


def test_predictions_are_counted_and_averaged() -> None:
    window = served(
        [
            labelled_item("a", probability=0.9, label="cat", verdict="cat"),
            labelled_item("b", probability=0.6, label="cat", verdict="unsure"),
            labelled_item("c", probability=0.1, label="not_cat", verdict="not_cat"),
            labelled_item("d", probability=0.0, label="not_cat", verdict="not_cat"),
        ]
    )

    assert window.predictions == 4
    assert window.mean_probability == pytest.approx(0.4)
    assert window.positive_share == 0.5
    assert window.unsure_share == 0.25
    assert window.percentiles["p50"] == pytest.approx(0.35)


def test_an_empty_window_has_a_count_and_nothing_else() -> None:
    assert served([]) == Served(0, None, None, None, {})


@pytest.mark.parametrize(("rank", "value"), [(0, 1.0), (25, 2.0), (50, 3.0), (90, 4.6), (100, 5.0)])
def test_percentiles_lie_between_their_neighbours(rank: int, value: float) -> None:
    assert percentile([1.0, 2.0, 3.0, 4.0, 5.0], rank) == pytest.approx(value)


def test_nothing_has_no_percentile() -> None:
    with pytest.raises(ValueError, match="no values"):
        percentile([], 50)


def test_accuracy_is_the_share_of_right_answers_of_the_serving_version() -> None:
    items = [
        labelled_item("a", label="cat", said="cat", model_version="2"),
        labelled_item("b", label="cat", said="not_cat", model_version="2"),
        labelled_item("c", label="not_cat", said="not_cat", model_version="2"),
        labelled_item("d", label="not_cat", said="not_cat", model_version="2"),
    ]

    assert judged(items, "2", RULES) == Judged(4, 4, 0.75)


def test_the_mistakes_of_another_version_do_not_count() -> None:
    right = [labelled_item(name, model_version="2") for name in "abcd"]
    wrong = [labelled_item(name, said="not_cat", model_version="1") for name in "efgh"]

    assert judged(right + wrong, "2", RULES) == Judged(8, 4, 1.0)


def test_too_few_labels_give_no_accuracy() -> None:
    items = [labelled_item(name, said="not_cat") for name in "abc"]

    assert judged(items, "1", RULES) == Judged(3, 3, None)


def test_unlabelled_predictions_are_no_labels() -> None:
    assert judged([labelled_item("a", said=None)], "1", RULES) == Judged(0, 0, None)


def test_no_serving_version_has_no_accuracy_even_without_a_least_number() -> None:
    no_least = replace(MONITORING, min_feedback_labels=0)

    assert judged([labelled_item("a")], None, no_least).accuracy is None


def test_what_is_unknown_is_not_published() -> None:
    values = metric_values(served([]), Judged(0, 0, None), None)

    assert values == {metrics.WINDOW_REQUESTS: 0, metrics.FEEDBACK_LABELS: 0}


def test_an_accuracy_of_zero_is_published() -> None:
    values = metric_values(served([]), Judged(9, 9, 0.0), 0)

    assert values[metrics.FEEDBACK_ACCURACY] == 0.0
    assert values[metrics.NEW_FEEDBACK] == 0


CHAMPION = Variant("champion", "are-you-a-cat", "1", 1.0, "k", "s", "j", "h")


def test_the_window_ends_now_and_begins_its_hours_before() -> None:
    inside = labelled_item("a", predicted_at=NOON - timedelta(hours=2))
    outside = labelled_item("b", predicted_at=NOON - timedelta(hours=4))

    collected = collect(MemoryPredictions(inside, outside), None, 3, NOON)

    assert collected.served.predictions == 1
    assert (collected.window.start, collected.window.end) == (NOON - timedelta(hours=3), NOON)


def test_feedback_is_new_since_the_champion_took_over() -> None:
    pointer = first_pointer(CHAMPION, by="x", reason="y", at=NOON - timedelta(days=2))
    before = labelled_item("a", said_at=NOON - timedelta(days=3))
    after = labelled_item("b", said_at=NOON - timedelta(days=1, hours=12))

    collected = collect(MemoryPredictions(before, after), pointer, 24, NOON)

    assert collected.metrics["NewFeedbackCount"] == 1
    assert collected.metrics["FeedbackLabels"] == 0


def test_an_old_champion_does_not_make_the_look_back_longer() -> None:
    pointer = first_pointer(CHAMPION, by="x", reason="y", at=NOON - timedelta(days=400))
    predictions = MemoryPredictions()

    collect(predictions, pointer, 24, NOON)

    assert min(start for start, _ in predictions.asked) == NOON - NEW_FEEDBACK_LOOK_BACK


def test_before_the_first_model_nothing_is_said_of_one() -> None:
    collected = collect(MemoryPredictions(), None, 24, NOON)

    assert collected.serving_version is None
    assert set(collected.metrics) == {"WindowPredictions", "FeedbackLabels"}
