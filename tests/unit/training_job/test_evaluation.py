import numpy as np
import pytest

from areyouacat.dataset import ManifestEntry
from areyouacat.splits import Split
from training_job.evaluation import Scored, assess, precision_recall_curve, score


def entry(photo: str, *special: str) -> ManifestEntry:
    return ManifestEntry(photo, "cat", "test", "camera", "seed", photo, special)


def test_precision_falls_as_recall_rises_over_the_negatives() -> None:
    probabilities = np.array([0.9, 0.8, 0.7, 0.6])
    positive = np.array([True, False, True, False])

    recall, precision = precision_recall_curve(probabilities, positive)

    assert recall.tolist() == [0.5, 0.5, 1.0, 1.0]
    assert precision == pytest.approx([1.0, 1 / 2, 2 / 3, 1 / 2])


def test_photos_of_equal_probability_are_one_point_of_the_curve() -> None:
    recall, precision = precision_recall_curve(
        np.array([0.5, 0.5, 0.1]), np.array([False, True, True])
    )

    assert recall.tolist() == [0.5, 1.0]
    assert precision == pytest.approx([1 / 2, 2 / 3])


def test_a_split_is_assessed_as_a_whole_and_by_slice() -> None:
    photos = [f"{number:02}" for number in range(40)]
    positive = np.arange(40) % 2 == 0
    probabilities = np.where(positive, 0.9, 0.1)
    probabilities[:10] = 1 - probabilities[:10]  # every dark photo is answered wrongly
    entries = [
        entry(photo, *(["dark"] if place < 10 else [])) for place, photo in enumerate(photos)
    ]

    scored: dict[Split, Scored] = {"test": score(photos, positive, probabilities, 0.5)}
    assessed = assess(scored, entries[::-1], 0.5)["test"]

    assert assessed.figures["accuracy"].value == pytest.approx(0.75)
    dark, camera = assessed.slices
    assert (dark.name, dark.photos, dark.positives) == ("dark", 10, 5)
    assert dark.figures["accuracy"].value == 0.0
    assert camera.figures["accuracy"].value == pytest.approx(0.75)
    metrics = assessed.metrics("test")
    assert metrics["test_accuracy_low"] < 0.75 < metrics["test_accuracy_high"]
    assert metrics["test_slice_dark_accuracy"] == 0.0
    assert assessed.record()["slices"][0]["figures"]["recall"]["value"] == 0.0


def test_a_small_slice_is_listed_without_figures() -> None:
    photos = ["a", "b", "c"]
    scored: dict[Split, Scored] = {
        "test": score(photos, np.array([True, False, True]), np.array([0.9, 0.1, 0.8]), 0.5)
    }

    assessed = assess(scored, [entry(photo) for photo in photos], 0.5)["test"]

    assert [(part.name, part.photos, part.figures) for part in assessed.slices] == [
        ("source camera", 3, {})
    ]


def test_a_slice_without_positives_has_accuracy_but_no_recall() -> None:
    photos = [f"{number:02}" for number in range(12)]
    scored: dict[Split, Scored] = {
        "recent": score(photos, np.zeros(12, dtype=bool), np.full(12, 0.1), 0.5)
    }

    assessed = assess(scored, [entry(photo) for photo in photos], 0.5)["recent"]

    assert set(assessed.slices[0].figures) == {"accuracy"}
    assert {"recall", "roc_auc"}.isdisjoint(assessed.figures)


def test_what_was_learnt_by_heart_needs_no_limits_unless_there_is_nothing_else() -> None:
    photos = ["a", "b"]
    found = score(photos, np.array([True, False]), np.array([0.9, 0.1]), 0.5)
    entries = [entry(photo) for photo in photos]

    assert set(assess({"train": found, "test": found}, entries, 0.5)) == {"test"}
    assert set(assess({"train": found}, entries, 0.5)) == {"train"}
