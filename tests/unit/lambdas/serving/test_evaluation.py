from __future__ import annotations

from collections import Counter

import pytest

from areyouacat.dataset import ManifestEntry
from areyouacat.errors import CorruptModelError
from areyouacat.splits import Split
from lambdas.serving.logic.evaluation import ScoredPhoto, choose_sample, evaluate, score
from lambdas.serving.logic.loaded_model import LoadedModel
from tests.unit.lambdas.serving.conftest import tiny_files


def entry(photo: str, label: str = "cat", split: Split = "test") -> ManifestEntry:
    return ManifestEntry(photo, label, split, "seed", "seed", photo)


def entries(cats: int, others: int, split: Split = "test") -> list[ManifestEntry]:
    return [
        *(entry(f"{split}-cat-{number:05}", "cat", split) for number in range(cats)),
        *(entry(f"{split}-not-{number:05}", "not_cat", split) for number in range(others)),
    ]


@pytest.fixture(scope="module")
def model() -> LoadedModel:
    return LoadedModel(tiny_files())


def test_a_small_test_split_is_taken_whole_with_the_recent_photos() -> None:
    photos = [*entries(3, 4), *entries(5, 5, "train"), *entries(1, 1, "recent")]

    sample = choose_sample(photos, "trained", limit=100)

    assert Counter(e.split for e in sample) == {"test": 7, "recent": 2}


def test_a_large_one_is_sampled_in_proportion_to_its_labels() -> None:
    sample = choose_sample(entries(300, 100), "trained", limit=100)

    assert Counter(e.label for e in sample) == {"cat": 75, "not_cat": 25}


def test_the_sample_is_the_same_every_time_and_in_any_order() -> None:
    photos = entries(300, 100)

    assert choose_sample(photos, "trained", limit=50) == choose_sample(
        photos[::-1], "trained", limit=50
    )


def test_a_bootstrap_model_is_tried_on_every_split() -> None:
    photos = [*entries(1, 1), *entries(5, 5, "train"), *entries(1, 0, "validation")]

    assert len(choose_sample(photos, "bootstrap", limit=100)) == 13


def test_erased_and_unreadable_photos_are_left_out(model: LoadedModel, bright: bytes) -> None:
    photos = [(entry("a"), bright), (entry("b"), None), (entry("c"), b"noise")]

    scored = list(score(photos, model, champion=None))

    assert [photo.entry.photo for photo in scored] == ["a"]
    assert scored[0].candidate > 0.9
    assert scored[0].champion is None
    assert scored[0].candidate_ms > 0


def scored(
    photo: str,
    label: str,
    candidate: float,
    champion: float | None = None,
    split: Split = "test",
) -> ScoredPhoto:
    return ScoredPhoto(entry(photo, label, split), candidate, champion, candidate_ms=5.0)


def test_quality_is_measured_on_the_test_photos_alone(model: LoadedModel) -> None:
    photos = [
        scored("a", "cat", 0.9),
        scored("b", "cat", 0.4),
        scored("c", "not_cat", 0.8),
        scored("d", "not_cat", 0.1),
        scored("e", "cat", 0.1, split="recent"),
    ]

    test = evaluate(photos, {"a": 0.9}, model, None).gate_input.test

    assert (test.photos, test.accuracy, test.precision, test.recall) == (4, 0.5, 0.5, 0.5)


def test_the_champion_is_compared_photo_by_photo(model: LoadedModel) -> None:
    photos = [
        scored("a", "cat", 0.9, 0.1),
        scored("b", "cat", 0.9, 0.9),
        scored("c", "not_cat", 0.9, 0.1),
        scored("d", "cat", 0.9, 0.2),
        scored("e", "cat", 0.1, 0.9, split="recent"),
    ]

    gate_input = evaluate(photos, {"a": 0.9}, model, champion=model).gate_input

    assert gate_input.against_champion is not None
    assert gate_input.against_champion.photos == 4
    assert gate_input.against_champion.only_candidate_right == 2
    assert gate_input.against_champion.only_champion_right == 1
    assert gate_input.recent_against_champion is not None
    assert gate_input.recent_against_champion.only_champion_right == 1


def test_without_a_champion_there_is_nothing_to_compare(model: LoadedModel) -> None:
    gate_input = evaluate([scored("a", "cat", 0.9)], {"a": 0.9}, model, None).gate_input

    assert gate_input.against_champion is None
    assert gate_input.recent_against_champion is None


def test_parity_compares_with_what_training_wrote(model: LoadedModel) -> None:
    photos = [scored("a", "cat", 0.90), scored("b", "cat", 0.50), scored("c", "cat", 0.1)]

    evaluation = evaluate(photos, {"a": 0.91, "b": 0.80}, model, None)

    assert evaluation.metrics["parity_max"] == pytest.approx(0.30)
    assert 0.2 < evaluation.gate_input.parity_difference <= 0.30


@pytest.mark.parametrize("photos", [[], [scored("a", "cat", 0.9)]])
def test_with_nothing_to_compare_the_candidate_is_corrupt(
    photos: list[ScoredPhoto], model: LoadedModel
) -> None:
    with pytest.raises(CorruptModelError, match=r"scores\.jsonl"):
        evaluate(photos, {"another": 0.5}, model, None)
