"""What labels say about the version that serves."""

from dataclasses import replace

import pytest

from areyouacat.predictions import PredictionItem
from areyouacat.resampling import wilson
from areyouacat.settings import MONITORING
from lambdas.monitoring.logic.judgement import Judged, judged
from tests.unit.lambdas.pipeline.factories import labelled_item

RULES = replace(MONITORING, min_feedback_labels=4)


def answers(count: int, answered: str, said: str, version: str = "2") -> list[PredictionItem]:
    return [
        labelled_item(
            f"{answered}-{said}-{version}-{n}", label=answered, said=said, model_version=version
        )
        for n in range(count)
    ]


def test_accuracy_precision_recall_and_f1_come_from_the_serving_versions_labels() -> None:
    items = [
        *answers(6, "cat", "cat"),
        *answers(2, "cat", "not_cat"),
        *answers(1, "not_cat", "cat"),
        *answers(11, "not_cat", "not_cat"),
    ]

    found = judged(items, "2", RULES)

    assert (found.labels, found.serving_labels) == (20, 20)
    assert found.accuracy is not None
    assert found.accuracy.value == 17 / 20
    assert (found.accuracy.low, found.accuracy.high) == wilson(17, 20)
    assert found.precision == 6 / 8
    assert found.recall == 6 / 7
    assert found.f1 == pytest.approx(2 * 6 / (2 * 6 + 2 + 1))
    assert found.satisfaction == 17 / 20


def test_the_mistakes_of_another_version_count_for_satisfaction_alone() -> None:
    found = judged(answers(4, "cat", "cat") + answers(4, "cat", "not_cat", "1"), "2", RULES)

    assert (found.labels, found.serving_labels) == (8, 4)
    assert found.accuracy is not None
    assert found.accuracy.value == 1.0
    assert found.satisfaction == 0.5


def test_too_few_labels_give_no_figures() -> None:
    assert judged(answers(3, "cat", "not_cat"), "2", RULES) == Judged(3, 3)


def test_unlabelled_predictions_are_no_labels() -> None:
    assert judged([labelled_item("a", said=None)], "1", RULES) == Judged(0, 0)


def test_a_figure_that_is_not_defined_is_left_out() -> None:
    found = judged(answers(5, "not_cat", "not_cat"), "2", RULES)

    assert found.accuracy is not None
    assert found.accuracy.value == 1.0
    assert (found.precision, found.recall, found.f1) == (None, None, None)


def test_no_serving_version_has_no_accuracy_even_without_a_least_number() -> None:
    no_least = replace(MONITORING, min_feedback_labels=0)

    assert judged([labelled_item("a")], None, no_least).accuracy is None
