"""Confidence intervals: as wide as the truth is uncertain, and the same every time."""

import time

import numpy as np
import pytest

from areyouacat.quality import FIGURES, Answers
from areyouacat.resampling import estimates, estimates_beside, wilson


def answers(photos: int, seed: int, spread: float = 2.0) -> Answers:
    random = np.random.default_rng(seed)
    positive = random.random(photos) < 0.5
    logits = np.where(positive, 2.0, -2.0) + random.normal(0, spread, photos)
    return Answers(1 / (1 + np.exp(-logits)), positive, 0.5)


def own_groups(photos: int) -> list[str]:
    return [str(photo) for photo in range(photos)]


def test_every_figure_lies_within_its_limits() -> None:
    found = estimates(answers(400, 1), own_groups(400))

    assert tuple(found) == FIGURES
    for name in set(FIGURES) - {"expected_calibration_error"}:  # few photos overstate it
        assert found[name].low < found[name].value < found[name].high, name


def test_the_limits_of_accuracy_are_about_the_binomial_ones() -> None:
    found = estimates(answers(1_000, 2), own_groups(1_000))["accuracy"]

    low, high = wilson(found.value * 1_000, 1_000)
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.008)


def test_95_of_100_such_intervals_hold_the_truth() -> None:
    truth = estimates(answers(200_000, 99), ["one"] * 200_000)["accuracy"].value

    held = 0
    for seed in range(100):
        found = estimates(answers(200, seed), own_groups(200))["accuracy"]
        held += found.low <= truth <= found.high

    assert held >= 88


def test_the_same_photos_give_the_same_limits() -> None:
    assert estimates(answers(50, 3), own_groups(50)) == estimates(answers(50, 3), own_groups(50))


def test_look_alikes_count_as_one_piece_of_luck() -> None:
    few = answers(100, 4)
    copies = Answers(np.repeat(few.probabilities, 10), np.repeat(few.positive, 10), 0.5)
    groups = [group for group in own_groups(100) for _ in range(10)]

    alone = estimates(few, own_groups(100))["accuracy"]
    together = estimates(copies, groups)["accuracy"]
    apart = estimates(copies, own_groups(1_000))["accuracy"]

    assert together.high - together.low == pytest.approx(alone.high - alone.low, rel=0.01)
    assert apart.high - apart.low < 0.5 * (alone.high - alone.low)


def test_a_faultless_model_is_not_proven_faultless() -> None:
    positive = np.arange(20) % 2 == 0
    found = estimates(Answers(np.where(positive, 0.9, 0.1), positive, 0.5), own_groups(20))

    assert (found["accuracy"].value, found["accuracy"].high) == (1.0, 1.0)
    assert found["accuracy"].low == pytest.approx(0.839, abs=0.001)
    assert found["recall"].low < found["accuracy"].low  # it rests on half as many photos


def test_one_photo_has_the_widest_limits() -> None:
    found = estimates(Answers(np.array([0.9]), np.array([True]), 0.5), ["a"])

    assert found["accuracy"].low < 0.25
    assert "roc_auc" not in found


def test_a_figure_that_both_models_lack_is_not_compared() -> None:
    negative = np.zeros(10, dtype=bool)
    model = Answers(np.full(10, 0.1), negative, 0.5)

    assert {"recall", "precision", "roc_auc"}.isdisjoint(
        estimates_beside(model, model, own_groups(10))
    )


def test_a_model_beside_itself_does_not_differ() -> None:
    model = answers(100, 5)

    for found in estimates_beside(model, model, own_groups(100)).values():
        assert (found.difference.value, found.difference.low, found.difference.high) == (0, 0, 0)


def test_differences_on_the_same_photos_are_surer_than_the_figures_themselves() -> None:
    model = answers(500, 6)
    flipped = model.probabilities.copy()
    flipped[:5] = 1 - flipped[:5]

    found = estimates_beside(model, Answers(flipped, model.positive, 0.5), own_groups(500))

    accuracy = found["accuracy"]
    assert accuracy.difference.high - accuracy.difference.low < 0.5 * (
        accuracy.first.high - accuracy.first.low
    )


@pytest.mark.parametrize("photos", [2_000, 15_000])
def test_intervals_take_moments_however_many_photos(photos: int) -> None:
    model, groups = answers(photos, 7), own_groups(photos)

    start = time.process_time()
    estimates(model, groups)

    assert time.process_time() - start < 5  # about 0.3 s on a core of its own


@pytest.mark.parametrize(
    ("part", "whole", "limits"),
    [(0, 0, (0.0, 1.0)), (0, 10, (0.0, 0.2775)), (10, 10, (0.7225, 1.0)), (5, 10, (0.237, 0.763))],
)
def test_wilsons_limits(part: int, whole: int, limits: tuple[float, float]) -> None:
    assert wilson(part, whole) == pytest.approx(limits, abs=0.001)
