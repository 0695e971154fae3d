from datetime import timedelta

import pytest

from areyouacat import metrics
from areyouacat.drift import Drift
from areyouacat.resampling import Estimate
from areyouacat.serving_pointer import Variant, first_pointer
from lambdas.monitoring.logic.collection import NEW_FEEDBACK_LOOK_BACK, collect
from lambdas.monitoring.logic.judgement import Judged
from lambdas.monitoring.logic.window import (
    Served,
    metric_values,
    percentile,
    served,
)
from tests.unit.lambdas.monitoring.memory_predictions import MemoryPredictions
from tests.unit.lambdas.pipeline.factories import NOON, labelled_item

UNKNOWN = Drift(None, (), "nothing is known")


def test_predictions_are_counted_and_averaged() -> None:
    window = served(
        [
            labelled_item("a", probability=0.9, label="cat", verdict="cat"),
            labelled_item("b", probability=0.6, label="cat", verdict="unsure"),
            labelled_item("c", probability=0.1, label="not_cat", verdict="not_cat"),
            labelled_item("d", probability=0.0, label="not_cat", verdict="not_cat"),
        ],
        "1",
    )

    assert window.predictions == 4
    assert window.mean_probability == pytest.approx(0.4)
    assert window.positive_share == 0.5
    assert window.unsure_share == 0.25
    assert window.percentiles["p50"] == pytest.approx(0.35)


def test_an_empty_window_has_a_count_and_nothing_else() -> None:
    assert served([], "1") == Served(0)


def test_accuracy_is_expected_from_the_confidence_in_each_answer() -> None:
    sure = [labelled_item(f"a{n}", probability=0.9, label="cat") for n in range(50)]
    no_cat = [labelled_item(f"b{n}", probability=0.3, label="not_cat") for n in range(50)]

    expected = served(sure + no_cat, "1").expected_accuracy

    assert expected is not None
    assert expected.value == pytest.approx(0.8)  # (0.9 + 0.7) / 2
    reach = 1.959964 * (50 * 0.9 * 0.1 + 50 * 0.7 * 0.3) ** 0.5 / 100
    assert expected.low == pytest.approx(0.8 - reach)
    assert expected.high == pytest.approx(0.8 + reach)


def test_what_is_expected_is_of_the_serving_version_alone() -> None:
    ours = labelled_item("a", probability=0.9, label="cat", model_version="2")
    others = [labelled_item(name, probability=0.5, model_version="1") for name in "bcd"]

    expected = served([ours, *others], "2").expected_accuracy

    assert expected is not None
    assert expected.value == pytest.approx(0.9)
    assert served(others, "2").expected_accuracy is None


def test_the_feedback_rate_is_the_share_of_predictions_with_a_label() -> None:
    items = [labelled_item("a"), *(labelled_item(name, said=None) for name in "bcd")]

    assert served(items, "1").feedback_rate == 0.25


@pytest.mark.parametrize(("rank", "value"), [(0, 1.0), (25, 2.0), (50, 3.0), (90, 4.6), (100, 5.0)])
def test_percentiles_lie_between_their_neighbours(rank: int, value: float) -> None:
    assert percentile([1.0, 2.0, 3.0, 4.0, 5.0], rank) == pytest.approx(value)


def test_nothing_has_no_percentile() -> None:
    with pytest.raises(ValueError, match="no values"):
        percentile([], 50)


def test_what_is_unknown_is_not_published() -> None:
    values = metric_values(served([], "1"), Judged(0, 0), UNKNOWN, None)

    assert values == {metrics.WINDOW_REQUESTS: 0, metrics.FEEDBACK_LABELS: 0}


def test_an_accuracy_of_zero_is_published() -> None:
    values = metric_values(
        served([], "1"), Judged(9, 9, accuracy=Estimate(0.0, 0.0, 0.3)), Drift(0.0, ()), 0
    )

    assert values[metrics.FEEDBACK_ACCURACY] == 0.0
    assert values[metrics.ACCURACY.high] == 0.3
    assert values[metrics.NEW_FEEDBACK] == 0
    assert values[metrics.DATA_DRIFT] == 0.0


CHAMPION = Variant("champion", "are-you-a-cat", "1", 1.0, "k", "s", "j", "h")


def test_the_window_ends_now_and_begins_its_hours_before() -> None:
    inside = labelled_item("a", predicted_at=NOON - timedelta(hours=2))
    outside = labelled_item("b", predicted_at=NOON - timedelta(hours=4))

    collected = collect(MemoryPredictions(inside, outside), None, {}, 3, NOON)

    assert collected.served.predictions == 1
    assert (collected.window.start, collected.window.end) == (NOON - timedelta(hours=3), NOON)


def test_feedback_is_new_since_the_champion_took_over() -> None:
    pointer = first_pointer(CHAMPION, by="x", reason="y", at=NOON - timedelta(days=2))
    before = labelled_item("a", said_at=NOON - timedelta(days=3))
    after = labelled_item("b", said_at=NOON - timedelta(days=1, hours=12))

    collected = collect(MemoryPredictions(before, after), pointer, {}, 24, NOON)

    assert collected.metrics["NewFeedbackCount"] == 1
    assert collected.metrics["FeedbackLabels"] == 0


def test_an_old_champion_does_not_make_the_look_back_longer() -> None:
    pointer = first_pointer(CHAMPION, by="x", reason="y", at=NOON - timedelta(days=400))
    predictions = MemoryPredictions()

    collect(predictions, pointer, {}, 24, NOON)

    assert min(start for start, _ in predictions.asked) == NOON - NEW_FEEDBACK_LOOK_BACK


def test_before_the_first_model_nothing_is_said_of_one() -> None:
    collected = collect(MemoryPredictions(), None, {}, 24, NOON)

    assert collected.serving_version is None
    assert set(collected.metrics) == {"WindowPredictions", "FeedbackLabels"}
