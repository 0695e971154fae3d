import numpy as np
import pytest

from training_job.evaluation import (
    Confusion,
    evaluate,
    expected_calibration_error,
    reliability,
    roc_auc,
    roc_curve,
)


def test_the_figures_of_a_split_that_can_be_counted_by_hand() -> None:
    probabilities = np.array([0.9, 0.8, 0.6, 0.4, 0.1])
    positive = np.array([True, True, False, True, False])

    quality = evaluate(probabilities, positive, 0.5)

    assert quality.confusion == Confusion(2, 1, 1, 1)
    assert quality.accuracy == pytest.approx(3 / 5)
    assert quality.precision == quality.recall == quality.f1 == pytest.approx(2 / 3)
    assert quality.roc_auc == pytest.approx(5 / 6)
    assert quality.log_loss == pytest.approx(-np.log([0.9, 0.8, 0.4, 0.4, 0.9]).mean())


def test_a_photo_at_the_threshold_is_called_positive() -> None:
    assert evaluate(np.array([0.5]), np.array([True]), 0.5).accuracy == 1.0


def test_nothing_called_positive_has_no_precision_but_no_error() -> None:
    quality = evaluate(np.array([0.1, 0.2]), np.array([True, False]), 0.5)

    assert (quality.precision, quality.recall, quality.f1) == (0.0, 0.0, 0.0)


def test_certain_mistakes_cost_much_but_not_infinitely() -> None:
    assert 10 < evaluate(np.array([0.0]), np.array([True]), 0.5).log_loss < 20


def test_the_area_is_the_share_of_pairs_in_the_right_order() -> None:
    random = np.random.default_rng(1)
    probabilities, positive = random.integers(0, 10, 60) / 10, random.random(60) < 0.4

    ahead = np.subtract.outer(probabilities[positive], probabilities[~positive])
    pairs = (ahead > 0).mean() + (ahead == 0).mean() / 2

    assert roc_auc(probabilities, positive) == pytest.approx(pairs)


def test_the_curve_goes_from_none_to_all() -> None:
    false_rate, true_rate = roc_curve(np.array([0.9, 0.2, 0.6]), np.array([True, False, True]))

    assert (false_rate[0], true_rate[0], false_rate[-1], true_rate[-1]) == (0.0, 0.0, 1.0, 1.0)
    assert true_rate[2] == 1.0


def test_honest_probabilities_have_no_calibration_error() -> None:
    probabilities = np.array([0.25] * 4 + [0.75] * 4)
    positive = np.array([True, False, False, False, True, True, True, False])

    assert expected_calibration_error(probabilities, positive) == pytest.approx(0.0)


def test_always_sure_and_half_the_time_wrong_is_half_off() -> None:
    assert expected_calibration_error(np.ones(10), np.arange(10) % 2 == 0) == pytest.approx(0.5)


def test_every_photo_is_in_one_bin() -> None:
    probabilities = np.array([0.0, 0.5, 1.0, 1.0])

    assert sum(found.photos for found in reliability(probabilities, probabilities > 0.5)) == 4
