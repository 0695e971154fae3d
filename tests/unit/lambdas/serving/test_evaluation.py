import pytest

from areyouacat.errors import CorruptModelError
from areyouacat.gates import decide
from lambdas.serving.logic.evaluation import Evaluation, evaluate_for_gate
from lambdas.serving.logic.scoring import ScoredPhoto
from tests.unit.lambdas.serving.conftest import tiny_spec
from tests.unit.lambdas.serving.scored_photos import scored

MODEL = tiny_spec(b"")


def evaluate(
    photos: list[ScoredPhoto], scores: dict[str, float], *, champion: bool = False
) -> Evaluation:
    return evaluate_for_gate(photos, scores, 5.0, MODEL, MODEL if champion else None)


def test_quality_is_measured_on_the_test_photos_alone() -> None:
    photos = [
        scored("a", "cat", 0.9),
        scored("b", "cat", 0.4),
        scored("c", "not_cat", 0.8),
        scored("d", "not_cat", 0.1),
        scored("e", "cat", 0.1, split="recent"),
    ]

    test = evaluate(photos, {"a": 0.9}).gate_input.test

    assert (test.photos, test.positives) == (4, 2)
    assert (test.accuracy, test.precision, test.recall) == (0.5, 0.5, 0.5)


def test_the_champion_is_compared_photo_by_photo() -> None:
    photos = [
        scored("a", "cat", 0.9, 0.1),
        scored("b", "cat", 0.9, 0.9),
        scored("c", "not_cat", 0.9, 0.1),
        scored("d", "cat", 0.9, 0.2),
        scored("f", "not_cat", 0.9, 0.9),
        scored("e", "cat", 0.1, 0.9, split="recent"),
    ]

    evaluation = evaluate(photos, {"a": 0.9}, champion=True)

    paired = evaluation.gate_input.against_champion
    assert paired is not None
    assert (paired.photos, paired.both_wrong) == (5, 1)
    assert (paired.only_candidate_right, paired.only_champion_right) == (2, 1)
    recent = evaluation.gate_input.recent_against_champion
    assert recent is not None
    assert recent.only_champion_right == 1
    metrics = evaluation.metrics
    assert metrics["test_difference_points"] == pytest.approx(20.0)
    assert metrics["test_difference_points_low"] < 20.0 < metrics["test_difference_points_high"]
    assert metrics["champion_test_accuracy"] == pytest.approx(2 / 5)


def test_without_a_champion_there_is_nothing_to_compare() -> None:
    evaluation = evaluate([scored("a", "cat", 0.9)], {"a": 0.9})

    assert evaluation.gate_input.against_champion is None
    assert evaluation.gate_input.recent_against_champion is None
    assert not [name for name in evaluation.metrics if "champion" in name or "difference" in name]


def test_photos_without_a_positive_have_no_recall() -> None:
    metrics = evaluate([scored("a", "not_cat", 0.1)], {"a": 0.1}).metrics

    assert metrics["test_accuracy"] == 1.0
    assert {"test_recall", "test_precision"}.isdisjoint(metrics)


def test_parity_compares_with_what_training_wrote() -> None:
    photos = [scored("a", "cat", 0.90), scored("b", "cat", 0.50), scored("c", "cat", 0.1)]

    evaluation = evaluate(photos, {"a": 0.91, "b": 0.80})

    assert evaluation.metrics["parity_max"] == pytest.approx(0.30)
    assert 0.2 < evaluation.gate_input.parity_difference <= 0.30


@pytest.mark.parametrize("photos", [[], [scored("a", "cat", 0.9)]])
def test_with_nothing_to_compare_the_candidate_is_corrupt(photos: list[ScoredPhoto]) -> None:
    with pytest.raises(CorruptModelError, match=r"scores\.jsonl"):
        evaluate(photos, {"another": 0.5})


def test_a_trained_model_without_test_photos_is_refused_for_that_reason() -> None:
    photos = [
        scored("a", "cat", 0.9, 0.9, split="validation"),
        scored("b", "not_cat", 0.1, 0.1, split="recent"),
    ]

    decision = decide(evaluate(photos, {"a": 0.9}, champion=True).gate_input)

    assert not decision.passed
    assert decision.reason.startswith("test_photos_of_each_label: 0 cat and 0 not_cat")
