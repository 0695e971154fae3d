"""Training the head's w and b on stored features: seconds, and the same result every time."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from areyouacat.settings import LABELS
from training_job.errors import TrainingError
from training_job.examples import Examples
from training_job.head import Head, Prior, sigmoid
from training_job.settings import HEAD

ClassWeights = Mapping[str, float] | None
"""Weight of a photo by its label, > 0; None: both labels weigh the same, whatever their counts."""

_ADAM_DECAYS = (0.9, 0.999)
_ADAM_EPSILON = 1e-8
_BIAS_MARGIN = 20.0  # nats beyond the margins' own range
_BISECTIONS = 50
_CHUNK = 8_192  # rows that are in memory as float32 at once


@dataclass(frozen=True, slots=True)
class Curve:
    """One regularisation's course. Losses: mean negative log-likelihood in nats.

    `steps`: how many batches had been seen at each point. Of many photos a sample is measured,
    but for the last point of validation, by which the penalty is chosen.
    """

    l2: float
    steps: tuple[int, ...]
    train_loss: tuple[float, ...]
    validation_loss: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Fit:
    """The chosen head (not calibrated yet), its curve, and those of the others tried."""

    head: Head
    chosen: Curve
    curves: tuple[Curve, ...]


def fit_head(
    train: Examples,
    validation: Examples,
    prior: Prior | None,
    *,
    epochs: int,
    learning_rate: float,
    l2_grid: tuple[float, ...],
    seed: int,
    class_weights: ClassWeights = None,
) -> Fit:
    """Logistic regression on top of the prior's margin; the penalty is chosen on validation.

    Adam with a cosine step size on standardised features. All penalties of the grid are trained
    side by side, one column of w each, which costs hardly more than one. At most
    `HEAD.max_steps` batches are seen, so that a retrain does not grow with all photos there are.
    Features are standardised in the arithmetic, never as a copy: x stays as it is stored.

    Raises TrainingError if the loss is not finite or train lacks a label.
    """
    if not train.positive.any() or train.positive.all():
        raise TrainingError("the train split lacks one of the labels; seed more photos of it")
    weights = photo_weights(train.positive, class_weights)
    total = min(_steps(len(train)) * epochs, HEAD.max_steps)
    state = _Adam(*_moments(train.embeddings), np.array(l2_grid), learning_rate, total)
    state.bias[:] = best_bias(train.margins, train.positive, weights)

    random = np.random.default_rng(seed)
    seen = np.sort(random.permutation(len(train))[: HEAD.loss_photos])
    unseen = np.sort(random.permutation(len(validation))[: HEAD.loss_photos])
    every_unseen = np.arange(len(validation))
    unseen_weights = photo_weights(validation.positive, class_weights)
    every = max(1, min(_steps(len(train)), total // HEAD.curve_points))
    points: list[tuple[int, npt.NDArray[Any], npt.NDArray[Any]]] = []
    for step, batch in enumerate(_batches(len(train), total, random), start=1):
        state.step(
            train.embeddings[batch].astype(np.float32),
            train.margins[batch],
            train.positive[batch],
            weights[batch],
        )
        if step % every == 0 or step == total:
            points.append(
                (
                    step,
                    _losses(state, train, weights, seen),
                    _losses(
                        state, validation, unseen_weights, unseen if step < total else every_unseen
                    ),
                )
            )
    if not np.isfinite(points[-1][1]).all():
        raise TrainingError("the loss is not finite; use a smaller learning_rate")

    curves = tuple(
        Curve(
            l2,
            tuple(step for step, _, _ in points),
            tuple(float(loss[column]) for _, loss, _ in points),
            tuple(float(loss[column]) for _, _, loss in points),
        )
        for column, l2 in enumerate(l2_grid)
    )
    best = min(range(len(curves)), key=lambda column: curves[column].validation_loss[-1])
    w, b = state.raw()
    return Fit(Head(prior, w[:, best].astype(np.float64), float(b[best])), curves[best], curves)


def best_bias(
    m: npt.NDArray[np.float64],
    positive: npt.NDArray[np.bool_],
    label_weights: npt.NDArray[np.float64],
) -> float:
    """The b that explains the labels best while w is 0, by bisection of the loss's slope.

    ImageNet's margin is off by several nats for two labels; small steps would take long to learn
    that, and the weights would learn it in b's place.
    """
    low, high = float(-m.max()) - _BIAS_MARGIN, float(-m.min()) + _BIAS_MARGIN
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        if np.sum(label_weights * (sigmoid(m + middle) - positive)) < 0:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def photo_weights(
    positive: npt.NDArray[np.bool_], class_weights: ClassWeights
) -> npt.NDArray[np.float64]:
    """Weights (n,) with mean 1, by label."""
    share = positive.mean() if len(positive) else 0.5
    if share in (0.0, 1.0):
        return np.ones(len(positive))
    if class_weights is None:
        return np.where(positive, 0.5 / share, 0.5 / (1 - share))
    weights = np.where(positive, class_weights[LABELS.positive], class_weights[LABELS.negative])
    return np.asarray(weights / weights.mean())


class _Adam:
    """Adam on w (dim, penalties) and b (penalties,), both for standardised features."""

    def __init__(
        self,
        mean: npt.NDArray[np.float32],
        scale: npt.NDArray[np.float32],
        l2: npt.NDArray[np.float64],
        learning_rate: float,
        steps: int,
    ) -> None:
        self._shift, self._scale = mean, scale[:, np.newaxis]
        self._l2 = l2.astype(np.float32)
        self._learning_rate = learning_rate
        self._steps = steps
        self._taken = 0
        # The last row is b: it learns like the weights but is not penalised.
        self._values: npt.NDArray[np.float32] = np.zeros((len(mean) + 1, len(l2)), np.float32)
        self._mean: npt.NDArray[Any] = np.zeros_like(self._values)
        self._square: npt.NDArray[Any] = np.zeros_like(self._values)

    @property
    def bias(self) -> npt.NDArray[np.float32]:
        return np.asarray(self._values[-1])

    def raw(self) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """w and b for features as they are."""
        w = self._values[:-1] / self._scale
        return w, self.bias - self._shift @ w

    def step(
        self,
        x: npt.NDArray[np.float32],
        m: npt.NDArray[np.float64],
        positive: npt.NDArray[np.bool_],
        weights: npt.NDArray[np.float64],
    ) -> None:
        w, b = self.raw()
        error = sigmoid(m[:, np.newaxis] + x @ w + b) - positive[:, np.newaxis]
        error = (error * weights[:, np.newaxis] / len(x)).astype(np.float32)
        summed = error.sum(axis=0, keepdims=True)
        slope = (x.T @ error - self._shift[:, np.newaxis] * summed) / self._scale
        gradient = np.concatenate([slope + self._l2 * self._values[:-1], summed])
        self._taken += 1
        first, second = _ADAM_DECAYS
        self._mean = first * self._mean + (1 - first) * gradient
        self._square = second * self._square + (1 - second) * gradient**2
        mean = self._mean / (1 - first**self._taken)
        square = self._square / (1 - second**self._taken)
        rate = self._learning_rate * 0.5 * (1 + np.cos(np.pi * self._taken / self._steps))
        self._values -= (rate * mean / (np.sqrt(square) + _ADAM_EPSILON)).astype(np.float32)


def _moments(x: npt.NDArray[Any]) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Mean and scale (dim,) of features (n, dim)."""
    chunks = range(0, len(x), _CHUNK)
    mean = sum(x[at : at + _CHUNK].sum(axis=0, dtype=np.float64) for at in chunks) / len(x)
    square = sum(
        ((x[at : at + _CHUNK] - mean) ** 2).sum(axis=0, dtype=np.float64) for at in chunks
    ) / len(x)
    # Features are 0..6; those that are never active stay 0.
    return np.asarray(mean, np.float32), np.asarray(np.sqrt(square) + 1e-3, np.float32)


def _batches(
    photos: int, steps: int, random: np.random.Generator
) -> Iterator[npt.NDArray[np.int64]]:
    """So many batches of row numbers; all photos are seen once before any is seen again."""
    while steps:
        for batch in np.array_split(random.permutation(photos), _steps(photos))[:steps]:
            yield batch
            steps -= 1


def _steps(photos: int) -> int:
    """Batches an epoch; few photos come in smaller batches, or a head would hardly move."""
    few = min(HEAD.min_steps, photos // HEAD.min_batch_photos)
    return max(1, few, round(photos / HEAD.batch_photos))


def _losses(
    state: _Adam,
    examples: Examples,
    weights: npt.NDArray[np.float64],
    rows: npt.NDArray[np.int64],
) -> npt.NDArray[np.float64]:
    """Weighted mean NLL of some rows, a value a column.

    Zeros for no photos, so that the first penalty is taken.
    """
    w, b = state.raw()
    total = np.zeros(len(b))
    for at in range(0, len(rows), _CHUNK):
        part = rows[at : at + _CHUNK]
        logits = examples.margins[part, np.newaxis] + examples.embeddings[part] @ w + b
        signed = np.where(examples.positive[part, np.newaxis], -logits, logits)
        total += (np.logaddexp(0.0, signed) * weights[part, np.newaxis]).sum(axis=0)
    return total / max(len(rows), 1)
