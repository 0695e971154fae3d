import numpy as np
import pytest

from areyouacat.quality import Answers, Confusion, evaluate, figures, reliability, roc_curve


def test_the_figures_of_a_split_that_can_be_counted_by_hand() -> None:
    probabilities = np.array([0.9, 0.8, 0.6, 0.4, 0.1])
    positive = np.array([True, True, False, True, False])

    quality = evaluate(probabilities, positive, 0.5)

    assert quality.confusion == Confusion(2, 1, 1, 1)
    assert quality.accuracy == pytest.approx(3 / 5)
    assert quality.precision == pytest.approx(2 / 3)
    assert quality.recall == pytest.approx(2 / 3)
    assert quality.f1 == pytest.approx(2 / 3)
    assert quality.roc_auc == pytest.approx(5 / 6)
    assert quality.log_loss == pytest.approx(-np.log([0.9, 0.8, 0.4, 0.4, 0.9]).mean())


def test_a_photo_at_the_threshold_is_called_positive() -> None:
    assert evaluate(np.array([0.5]), np.array([True]), 0.5).accuracy == 1.0


def test_nothing_called_positive_has_no_precision_but_no_error() -> None:
    probabilities, positive = np.array([0.1, 0.2]), np.array([True, False])

    quality = evaluate(probabilities, positive, 0.5)

    assert (quality.precision, quality.recall, quality.f1) == (0.0, 0.0, 0.0)
    defined = Answers(probabilities, positive, 0.5).defined()
    assert "precision" not in defined
    assert {"recall", "f1", "roc_auc"} < set(defined)


@pytest.mark.parametrize(
    ("positive", "missing"),
    [(False, {"precision", "recall", "f1", "roc_auc"}), (True, {"precision", "roc_auc"})],
)
def test_with_one_label_alone_only_some_figures_are_defined(
    positive: bool, missing: set[str]
) -> None:
    answers = Answers(np.array([0.1, 0.2]), np.array([positive, positive]), 0.5)

    assert missing.isdisjoint(answers.defined())
    assert {"accuracy", "log_loss", "expected_calibration_error"} <= set(answers.defined())


def test_certain_mistakes_cost_much_but_not_infinitely() -> None:
    assert 10 < evaluate(np.array([0.0]), np.array([True]), 0.5).log_loss < 20


def test_the_area_is_the_share_of_pairs_in_the_right_order() -> None:
    random = np.random.default_rng(1)
    probabilities, positive = random.integers(0, 10, 60) / 10, random.random(60) < 0.4

    ahead = np.subtract.outer(probabilities[positive], probabilities[~positive])
    pairs = (ahead > 0).mean() + (ahead == 0).mean() / 2

    assert evaluate(probabilities, positive, 0.5).roc_auc == pytest.approx(pairs)


def test_honest_probabilities_have_no_calibration_error() -> None:
    probabilities = np.array([0.25] * 4 + [0.75] * 4)
    positive = np.array([True, False, False, False, True, True, True, False])

    error = evaluate(probabilities, positive, 0.5).expected_calibration_error

    assert error == pytest.approx(0.0)


def test_always_sure_and_half_the_time_wrong_is_half_off() -> None:
    quality = evaluate(np.ones(10), np.arange(10) % 2 == 0, 0.5)

    assert quality.expected_calibration_error == pytest.approx(0.5)


def test_the_calibration_error_is_the_bins_mean_distance_from_the_truth() -> None:
    random = np.random.default_rng(2)
    probabilities, positive = random.random(300), random.random(300) < 0.3

    bins = reliability(probabilities, positive)
    by_hand = sum(b.photos * abs(b.mean_probability - b.share_positive) for b in bins) / 300

    quality = evaluate(probabilities, positive, 0.5)
    assert quality.expected_calibration_error == pytest.approx(by_hand)


def test_every_photo_is_in_one_bin() -> None:
    probabilities = np.array([0.0, 0.5, 1.0, 1.0])

    assert sum(found.photos for found in reliability(probabilities, probabilities > 0.5)) == 4


def test_a_weight_is_the_same_as_repeating_the_photo() -> None:
    random = np.random.default_rng(3)
    probabilities, positive = random.integers(0, 20, 40) / 20, random.random(40) < 0.5
    times = random.integers(0, 4, 40)

    weighted = figures(Answers(probabilities, positive, 0.5), times[np.newaxis].astype(float))
    repeated = evaluate(np.repeat(probabilities, times), np.repeat(positive, times), 0.5)

    for name, value in weighted.items():
        assert value[0] == pytest.approx(repeated.figures()[name]), name


def test_the_roc_curve_has_only_its_corners() -> None:
    probabilities = np.array([0.9, 0.8, 0.7, 0.6, 0.5, 0.4])
    positive = np.array([True, True, False, True, False, False])

    false_rate, true_rate = roc_curve(probabilities, positive)

    assert false_rate == pytest.approx([0, 0, 1 / 3, 1 / 3, 1])
    assert true_rate == pytest.approx([0, 2 / 3, 2 / 3, 1, 1])


def test_photos_of_equal_probability_are_one_slanted_step_of_the_roc_curve() -> None:
    false_rate, true_rate = roc_curve(np.full(4, 0.5), np.array([True, False, True, False]))

    assert (false_rate.tolist(), true_rate.tolist()) == ([0, 1], [0, 1])


def test_the_area_under_the_roc_curve_is_the_roc_area() -> None:
    random = np.random.default_rng(3)
    positive = random.random(400) < 0.4
    probabilities = (40 * positive + random.integers(0, 60, 400)) / 100

    false_rate, true_rate = roc_curve(probabilities, positive)

    area = np.trapezoid(true_rate, false_rate)
    assert area == pytest.approx(evaluate(probabilities, positive, 0.5).roc_auc)
