from dataclasses import replace

import numpy as np
import pytest

from areyouacat.settings import LABELS
from training_job.errors import TrainingError
from training_job.examples import Examples
from training_job.fit import ClassWeights, Fit, best_bias, fit_head, photo_weights
from training_job.head import Head, sigmoid
from training_job.settings import HEAD

DIM = 12
GRID = (1e-3, 1e-1, 10.0)


def examples(seed: int, photos: int, share: float = 0.5) -> Examples:
    """Features 0..6 in which two directions tell the labels apart, with some noise."""
    random = np.random.default_rng(seed)
    positive = random.random(photos) < share
    x = random.uniform(0, 6, (photos, DIM)).astype(np.float32)
    x[:, 0] += 3.0 * positive
    x[:, 1] -= 3.0 * positive
    names = tuple(f"{seed}-{row}" for row in range(photos))
    return Examples(names, x, positive, np.zeros(photos))


def fitted(
    train: Examples,
    validation: Examples,
    grid: tuple[float, ...] = GRID,
    class_weights: ClassWeights = None,
) -> Fit:
    return fit_head(
        train,
        validation,
        None,
        epochs=40,
        learning_rate=0.02,
        l2_grid=grid,
        seed=1,
        class_weights=class_weights,
    )


def test_the_head_learns_what_separates_the_labels() -> None:
    held_out = examples(9, 400)

    head = fitted(examples(1, 800), examples(2, 200)).head

    assert np.mean((head.logits(held_out.embeddings) > 0) == held_out.positive) > 0.8
    assert head.weights[0] > 0 > head.weights[1]


def test_the_same_inputs_give_the_same_head_bit_for_bit() -> None:
    first, second = (fitted(examples(1, 300), examples(2, 100)).head for _ in range(2))

    np.testing.assert_array_equal(first.weights, second.weights)
    assert first.bias == second.bias


def test_the_penalty_with_the_best_validation_loss_is_chosen() -> None:
    fit = fitted(examples(1, 40), examples(2, 300))

    final = {curve.l2: curve.validation_loss[-1] for curve in fit.curves}
    assert fit.chosen.l2 == min(final, key=final.__getitem__)
    assert len(fit.chosen.train_loss) == len(fit.chosen.steps)
    assert fit.chosen.train_loss[-1] < fit.chosen.train_loss[0]


def test_more_photos_than_the_steps_can_see_take_no_more_steps(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("training_job.fit.HEAD", replace(HEAD, max_steps=50))

    few, many = (fitted(examples(1, n), examples(2, 100)).chosen.steps for n in (400, 40_000))

    assert few[-1] == many[-1] == 50
    assert len(many) >= HEAD.curve_points


def test_features_stored_in_half_precision_teach_the_same() -> None:
    train, held_out = examples(1, 800), examples(2, 200)
    stored = replace(train, embeddings=train.embeddings.astype(np.float16))

    exact, halved = (fitted(found, held_out).head for found in (train, stored))

    np.testing.assert_allclose(exact.weights, halved.weights, atol=0.02)


def test_a_label_that_weighs_more_is_missed_less() -> None:
    train, held_out = examples(1, 2000), examples(9, 2000)

    def recall(weights: ClassWeights) -> float:
        head = fitted(train, examples(2, 300), class_weights=weights).head
        return float(np.mean(head.logits(held_out.embeddings)[held_out.positive] > 0))

    assert recall({LABELS.positive: 10.0, LABELS.negative: 1.0}) > recall(None) + 0.02


def test_photo_weights_have_mean_one_and_the_asked_ratio() -> None:
    positive = np.array([True] * 3 + [False] * 7)

    weights = photo_weights(positive, {LABELS.positive: 4.0, LABELS.negative: 2.0})

    assert weights.mean() == pytest.approx(1.0)
    assert weights[0] / weights[-1] == pytest.approx(2.0)
    assert photo_weights(positive, None)[:3].sum() == pytest.approx(5.0)


def test_a_rare_label_weighs_as_much_as_a_common_one() -> None:
    held_out = examples(9, 2000)

    head = fitted(examples(1, 2000, share=0.05), examples(2, 300)).head

    right = (head.logits(held_out.embeddings) > 0) == held_out.positive
    recall, specificity = right[held_out.positive].mean(), right[~held_out.positive].mean()
    assert abs(recall - specificity) < 0.1


def test_features_that_never_move_are_harmless() -> None:
    train, validation = examples(1, 200), examples(2, 100)
    for found in (train, validation):
        found.embeddings[:, 5] = 0.0

    assert np.isfinite(fitted(train, validation).head.weights).all()


def test_without_validation_photos_the_first_penalty_is_taken() -> None:
    fit = fitted(examples(1, 200), examples(2, 0))

    assert fit.chosen.l2 == GRID[0]


def test_one_label_alone_cannot_be_trained_on() -> None:
    with pytest.raises(TrainingError, match="lacks one of the labels"):
        fitted(examples(1, 50, share=0.0), examples(2, 50))


def test_a_step_size_that_diverges_is_an_error() -> None:
    train = examples(1, 200)
    train.embeddings[0, 0] = np.inf

    with np.errstate(all="ignore"), pytest.raises(TrainingError, match="learning_rate"):
        fitted(train, examples(2, 50))


def test_the_first_bias_balances_the_prior_alone() -> None:
    random = np.random.default_rng(4)
    positive = np.arange(200) % 2 == 0
    m = random.normal(0, 2, 200) + 3.0 * positive - 9.0

    bias = best_bias(m, positive, np.ones(200))

    assert np.sum(sigmoid(m + bias)) == pytest.approx(positive.sum(), abs=1e-3)


def test_the_bias_is_for_raw_features() -> None:
    fit = fitted(examples(1, 800), examples(2, 200))

    logits = Head(None, fit.head.weights, fit.head.bias).logits(examples(1, 800).embeddings)

    assert np.mean(sigmoid(logits)) == pytest.approx(0.5, abs=0.05)
