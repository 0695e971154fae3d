"""Training the head's w and b on stored features: seconds, and the same result every time."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from training_job.errors import TrainingError
from training_job.head import Head, Prior, margins, sigmoid
from training_job.settings import HEAD

_ADAM_DECAYS = (0.9, 0.999)
_ADAM_EPSILON = 1e-8
_BIAS_MARGIN = 20.0  # nats beyond the margins' own range
_BISECTIONS = 50


@dataclass(frozen=True, slots=True)
class Examples:
    """Features and labels of one split. `embeddings`: (n, dim). `positive`: bool (n,)."""

    photos: tuple[str, ...]
    embeddings: npt.NDArray[np.float32]
    positive: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        """How many photos."""
        return len(self.photos)


@dataclass(frozen=True, slots=True)
class Curve:
    """One regularisation's course. Losses: mean negative log-likelihood in nats, per epoch."""

    l2: float
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
) -> Fit:
    """Logistic regression on top of the prior's margin; the penalty is chosen on validation.

    Adam with a cosine step size on standardised features, each label weighing the same. All
    penalties of the grid are trained side by side, one column of w each, which costs hardly more
    than one. Features are standardised on train; w and b are then expressed for raw features.

    Raises TrainingError if the loss is not finite or train lacks a label.
    """
    if not train.positive.any() or train.positive.all():
        raise TrainingError("the train split lacks one of the labels; seed more photos of it")
    mean = train.embeddings.mean(axis=0)
    scale = train.embeddings.std(axis=0) + 1e-3  # features are 0..6; never-active ones stay 0
    x, held_out = (train.embeddings - mean) / scale, (validation.embeddings - mean) / scale
    m, held_out_m = margins(prior, train.embeddings), margins(prior, validation.embeddings)
    label_weights = _balanced(train.positive)

    steps = _steps(len(train)) * epochs
    state = _Adam(x.shape[1], np.array(l2_grid), learning_rate, steps)
    state.bias[:] = best_bias(m, train.positive, label_weights)
    random = np.random.default_rng(seed)
    losses: list[npt.NDArray[Any]] = []
    held_out_losses: list[npt.NDArray[Any]] = []
    for _ in range(epochs):
        for batch in np.array_split(random.permutation(len(train)), _steps(len(train))):
            state.step(x[batch], m[batch], train.positive[batch], label_weights[batch])
        losses.append(_losses(state.logits(x, m), train.positive, label_weights))
        held_out_losses.append(
            _losses(
                state.logits(held_out, held_out_m),
                validation.positive,
                _balanced(validation.positive),
            )
        )
    if not np.isfinite(losses[-1]).all():
        raise TrainingError("the loss is not finite; use a smaller learning_rate")

    curves = tuple(
        Curve(
            l2,
            tuple(float(loss[column]) for loss in losses),
            tuple(float(loss[column]) for loss in held_out_losses),
        )
        for column, l2 in enumerate(l2_grid)
    )
    best = min(range(len(curves)), key=lambda column: curves[column].validation_loss[-1])
    weights = state.weights[:, best] / scale
    bias = float(state.bias[best] - mean @ weights)
    return Fit(Head(prior, weights.astype(np.float64), bias), curves[best], curves)


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


class _Adam:
    """Adam on w (dim, penalties) and b (penalties,)."""

    def __init__(
        self, dim: int, l2: npt.NDArray[np.float64], learning_rate: float, steps: int
    ) -> None:
        self._l2 = l2.astype(np.float32)
        self._learning_rate = learning_rate
        self._steps = steps
        self._taken = 0
        # The last row is b: it learns like the weights but is not penalised.
        self._values: npt.NDArray[np.float32] = np.zeros((dim + 1, len(l2)), np.float32)
        self._mean: npt.NDArray[Any] = np.zeros_like(self._values)
        self._square: npt.NDArray[Any] = np.zeros_like(self._values)

    @property
    def weights(self) -> npt.NDArray[np.float32]:
        return self._values[:-1]

    @property
    def bias(self) -> npt.NDArray[np.float32]:
        return np.asarray(self._values[-1])

    def logits(
        self, x: npt.NDArray[np.float32], m: npt.NDArray[np.float64]
    ) -> npt.NDArray[np.float64]:
        return np.asarray(m[:, np.newaxis] + x @ self.weights + self.bias)

    def step(
        self,
        x: npt.NDArray[np.float32],
        m: npt.NDArray[np.float64],
        positive: npt.NDArray[np.bool_],
        label_weights: npt.NDArray[np.float64],
    ) -> None:
        error = sigmoid(self.logits(x, m)) - positive[:, np.newaxis]
        error = (error * label_weights[:, np.newaxis] / len(x)).astype(np.float32)
        gradient = np.concatenate(
            [x.T @ error + self._l2 * self.weights, error.sum(axis=0, keepdims=True)]
        )
        self._taken += 1
        first, second = _ADAM_DECAYS
        self._mean = first * self._mean + (1 - first) * gradient
        self._square = second * self._square + (1 - second) * gradient**2
        mean = self._mean / (1 - first**self._taken)
        square = self._square / (1 - second**self._taken)
        rate = self._learning_rate * 0.5 * (1 + np.cos(np.pi * self._taken / self._steps))
        self._values -= (rate * mean / (np.sqrt(square) + _ADAM_EPSILON)).astype(np.float32)


def _steps(photos: int) -> int:
    """Batches an epoch; few photos come in smaller batches, or a head would hardly move."""
    few = min(HEAD.min_steps, photos // HEAD.min_batch_photos)
    return max(1, few, round(photos / HEAD.batch_photos))


def _balanced(positive: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
    """Weights with mean 1 that let both labels weigh the same, whatever their counts."""
    share = positive.mean() if len(positive) else 0.5
    if share in (0.0, 1.0):
        return np.ones(len(positive))
    return np.where(positive, 0.5 / share, 0.5 / (1 - share))


def _losses(
    logits: npt.NDArray[np.float64],
    positive: npt.NDArray[np.bool_],
    label_weights: npt.NDArray[np.float64],
) -> npt.NDArray[np.float64]:
    """Weighted mean NLL of each column; zeros for no photos, so that the first penalty is taken."""
    if not len(logits):
        return np.zeros(logits.shape[1])
    signed = np.where(positive[:, np.newaxis], -logits, logits)
    return np.asarray((np.logaddexp(0.0, signed) * label_weights[:, np.newaxis]).mean(axis=0))
