import numpy as np
import pytest

from areyouacat.verdicts import Bands
from training_job.calibration import (
    choose_bands,
    choose_threshold,
    fit_temperature,
    negative_log_likelihood,
)
from training_job.head import sigmoid
from training_job.settings import BANDS, HEAD

Labelled = tuple[
    np.ndarray[tuple[int], np.dtype[np.float64]], np.ndarray[tuple[int], np.dtype[np.bool_]]
]


@pytest.fixture
def overconfident() -> Labelled:
    """Logits three times too large for how often they are right."""
    random = np.random.default_rng(2)
    honest = random.normal(0, 2, 3000)
    return 3.0 * honest, random.random(3000) < sigmoid(honest)


def test_the_temperature_undoes_overconfidence(overconfident: Labelled) -> None:
    logits, positive = overconfident

    temperature = fit_temperature(logits, positive)

    assert temperature == pytest.approx(3.0, rel=0.1)
    assert negative_log_likelihood(logits / temperature, positive) < negative_log_likelihood(
        logits, positive
    )
    np.testing.assert_array_equal(np.argsort(logits), np.argsort(logits / temperature))


def test_photos_that_weigh_nothing_do_not_move_the_temperature(overconfident: Labelled) -> None:
    logits, positive = overconfident
    with_noise = np.concatenate([logits, np.full(500, 9.0)])
    mislabelled = np.concatenate([positive, np.zeros(500, dtype=bool)])
    weights = np.concatenate([np.ones(3000), np.zeros(500)])

    assert fit_temperature(with_noise, mislabelled, weights) == pytest.approx(
        fit_temperature(logits, positive)
    )
    assert fit_temperature(with_noise, mislabelled) > 1.5 * fit_temperature(logits, positive)


def test_separable_logits_keep_a_temperature_within_limits() -> None:
    logits = np.array([-2.0, -1.0, 1.0, 2.0])

    temperature = fit_temperature(logits, logits > 0)

    assert temperature == pytest.approx(HEAD.temperature_range[0], rel=0.01)


@pytest.mark.parametrize("positive", [[], [True, True], [False, False]])
def test_without_both_labels_nothing_is_chosen(positive: list[bool]) -> None:
    labels = np.array(positive, dtype=bool)
    values = np.linspace(0.1, 0.9, len(positive))

    assert fit_temperature(values, labels) == 1.0
    assert choose_threshold(values, labels) == 0.5


def test_a_threshold_that_is_plainly_better_is_taken() -> None:
    random = np.random.default_rng(1)
    probabilities = np.concatenate([random.uniform(0, 0.2, 500), random.uniform(0.2, 1, 500)])

    threshold = choose_threshold(probabilities, np.arange(1000) >= 500)

    assert threshold == pytest.approx(0.2, abs=0.01)


def test_one_photo_does_not_move_the_threshold_away_from_a_half() -> None:
    probabilities = np.array([0.1] * 50 + [0.45] + [0.9] * 50)
    positive = np.arange(101) >= 50

    assert choose_threshold(probabilities, positive) == 0.5


def test_equal_probabilities_stay_on_one_side() -> None:
    threshold = choose_threshold(np.array([0.3, 0.3, 0.3]), np.array([True, False, True]))

    assert threshold == 0.5


def test_outside_the_band_both_verdicts_are_right_often_enough(overconfident: Labelled) -> None:
    logits, positive = overconfident
    probabilities = sigmoid(logits / 3.0)

    bands = choose_bands(probabilities, positive, 0.5)

    assert BANDS.negative_to_at_least < bands.negative_to < 0.5 < bands.positive_from
    assert bands.positive_from < BANDS.positive_from_at_most
    assert positive[probabilities >= bands.positive_from].mean() >= BANDS.min_precision
    assert (~positive)[probabilities <= bands.negative_to].mean() >= BANDS.min_precision


def test_perfect_answers_still_leave_a_narrow_band() -> None:
    probabilities = np.array([0.01] * 20 + [0.99] * 20)

    bands = choose_bands(probabilities, np.arange(40) >= 20, 0.5)

    assert bands == Bands(0.5 - BANDS.narrowest, 0.5 + BANDS.narrowest)


def test_useless_answers_still_leave_sure_verdicts_possible() -> None:
    random = np.random.default_rng(1)

    bands = choose_bands(random.random(200), random.random(200) < 0.5, 0.5)

    assert bands == Bands(BANDS.negative_to_at_least, BANDS.positive_from_at_most)


@pytest.mark.parametrize("threshold", [0.001, 0.5, 0.999])
def test_the_threshold_always_lies_within_the_band(threshold: float) -> None:
    bands = choose_bands(np.array([]), np.array([], dtype=bool), threshold)

    assert bands.negative_to <= threshold <= bands.positive_from
