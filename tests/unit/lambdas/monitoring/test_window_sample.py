from areyouacat.drift_features import input_features
from lambdas.monitoring.logic.collection import collect
from lambdas.monitoring.logic.window_sample import WindowSample
from tests.unit.lambdas.monitoring.memory_predictions import MemoryPredictions
from tests.unit.lambdas.pipeline.factories import NOON, labelled_item


def test_a_photo_is_one_row_with_its_inputs_its_sketch_its_answer_and_its_label() -> None:
    item = labelled_item("a", brightness=0.75, probability=0.3, said="not_cat")
    sample = WindowSample("1")

    assert list(sample.watching([item])) == [item]

    (row,) = sample.rows()
    assert row.inputs == input_features(item.prediction)
    assert row.sketch == item.prediction.sketch
    assert (row.probability, row.label) == (0.3, "not_cat")


def test_a_photo_that_was_asked_about_again_stays_one_row_and_keeps_its_label() -> None:
    sample = WindowSample("1")
    again = [labelled_item("a", said=said) for said in (None, "cat", None)]

    list(sample.watching(again))

    assert [row.label for row in sample.rows()] == ["cat"]


def test_other_versions_answers_are_not_in_it() -> None:
    sample = WindowSample("2")

    list(sample.watching([labelled_item("a"), labelled_item("b", model_version="2")]))

    assert len(sample.rows()) == 1


def test_of_many_photos_the_same_ones_are_kept_in_whatever_order_they_come() -> None:
    items = [labelled_item(str(number), brightness=number / 1000) for number in range(500)]
    first, second = WindowSample("1", most=50), WindowSample("1", most=50)

    list(first.watching(items))
    list(second.watching(reversed(items)))

    assert len(first.rows()) == 50
    assert first.rows() == second.rows()
    shades = [row.inputs[0] for row in first.rows()]
    assert 0.15 < sum(shades) / len(shades) < 0.35  # of all of them, not of the first


def test_the_sample_is_taken_while_the_window_is_collected() -> None:
    sample = WindowSample("1")

    collected = collect(
        MemoryPredictions(labelled_item("a"), labelled_item("b")), None, {}, 24, NOON, sample=sample
    )

    assert (collected.served.predictions, len(sample.rows())) == (2, 2)
