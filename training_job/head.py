"""The head: ImageNet's own opinion, corrected by what our labels teach.

    logit = (m(x) + w.x + b) / T
    m(x)  = logsumexp(rows of the positive label) - logsumexp(rows of the negative label)

where the rows are those of ImageNet's linear layer that settings map to a label; a label without
rows stands for all rows that the other does not have, and if neither has any, m = 0. Starting
from m, a handful of photos already gives a good model; w and b learn only the difference.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from areyouacat.settings import LabelNames
from training_job.backbone import ImagenetHead

Array = npt.NDArray[np.float64]

_CHUNK = 4_096  # photos that are in memory as float32, with their thousand answers, at once


@dataclass(frozen=True, slots=True)
class Prior:
    """The two groups of ImageNet's rows. `rows`: (n, dim). `bias`: (n,)."""

    positive_rows: npt.NDArray[np.float32]
    positive_bias: npt.NDArray[np.float32]
    negative_rows: npt.NDArray[np.float32]
    negative_bias: npt.NDArray[np.float32]

    def margin(self, embeddings: npt.NDArray[Any]) -> Array:
        """m(x), in nats, of embeddings (n, dim)."""
        margin = np.empty(len(embeddings))
        for at in range(0, len(embeddings), _CHUNK):
            x = _at_least_single(embeddings[at : at + _CHUNK])
            margin[at : at + _CHUNK] = _logsumexp(
                x @ self.positive_rows.T + self.positive_bias
            ) - _logsumexp(x @ self.negative_rows.T + self.negative_bias)
        return margin

    def gradient(self, embedding: npt.NDArray[Any]) -> Array:
        """dm/dx (dim,) at one embedding (dim,)."""
        positive = _softmax(self.positive_rows @ embedding + self.positive_bias)
        negative = _softmax(self.negative_rows @ embedding + self.negative_bias)
        return positive @ self.positive_rows - negative @ self.negative_rows


@dataclass(frozen=True, slots=True)
class Head:
    """Turns embeddings into calibrated logits of the positive label.

    `weights`: (dim,). `temperature` > 0. `prior` is None where m = 0.
    """

    prior: Prior | None
    weights: Array
    bias: float
    temperature: float = 1.0

    def logits(self, embeddings: npt.NDArray[Any], margin: Array | None = None) -> Array:
        """Calibrated logits (n,) of embeddings (n, dim). `margin`: their m(x), where known."""
        m = margins(self.prior, embeddings) if margin is None else margin
        learnt = np.empty(len(embeddings))
        for at in range(0, len(embeddings), _CHUNK):
            x = _at_least_single(embeddings[at : at + _CHUNK])
            learnt[at : at + _CHUNK] = x @ self.weights.astype(x.dtype)
        return np.asarray((m + learnt + self.bias) / self.temperature)

    def probabilities(self, embeddings: npt.NDArray[Any], margin: Array | None = None) -> Array:
        """Probabilities (n,) of the positive label, in [0, 1]."""
        return sigmoid(self.logits(embeddings, margin))

    def gradient(self, embedding: npt.NDArray[Any]) -> Array:
        """What speaks for the positive label: d(logit * T)/dx (dim,) at one embedding."""
        if self.prior is None:
            return self.weights
        return self.prior.gradient(embedding) + self.weights

    def calibrated(self, temperature: float) -> "Head":
        """The same head at another temperature."""
        return replace(self, temperature=temperature)


def make_prior(
    imagenet: ImagenetHead, rows: Mapping[str, tuple[int, ...]], labels: LabelNames
) -> Prior | None:
    """The prior that settings ask for, or None if they map neither label to rows."""
    positive, negative = rows.get(labels.positive), rows.get(labels.negative)
    if not positive and not negative:
        return None
    every = range(len(imagenet.bias))
    chosen = np.array(positive or sorted(set(every) - set(negative or ())))
    others = np.array(negative or sorted(set(every) - set(positive or ())))
    return Prior(
        imagenet.rows[chosen], imagenet.bias[chosen], imagenet.rows[others], imagenet.bias[others]
    )


def margins(prior: Prior | None, embeddings: npt.NDArray[Any]) -> Array:
    """m(x) of embeddings (n, dim), zeros without a prior."""
    return np.zeros(len(embeddings)) if prior is None else prior.margin(embeddings)


def bootstrap_head(prior: Prior, negative_margins: Array, percentile: float) -> Head:
    """The prior alone, its threshold moved to where few of the known negatives lie above.

    ImageNet's head answers for a world in which each of its 1,000 classes is equally likely, so
    the margin's own zero is no sensible threshold for two labels. The bias re-weighs that class
    prior: the `percentile` of m on the negatives becomes probability 0.5. With so few photos
    nothing else is fitted, and the temperature stays 1.
    """
    shift = float(np.percentile(negative_margins, percentile))
    return Head(prior, np.zeros(prior.positive_rows.shape[1]), -shift)


def sigmoid(logits: npt.NDArray[Any]) -> Array:
    """1 / (1 + exp(-z)) without overflow."""
    values = np.asarray(logits, dtype=np.float64)
    return np.exp(-np.logaddexp(0.0, -values))


def _at_least_single(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """float16, which BLAS does not know, as float32; others as they are."""
    return values.astype(np.result_type(values, np.float32), copy=False)


def _logsumexp(values: npt.NDArray[Any]) -> Array:
    top = values.max(axis=1, keepdims=True)
    return np.asarray(
        top[:, 0] + np.log(np.exp(values - top).sum(axis=1, dtype=np.float64)), dtype=np.float64
    )


def _softmax(values: npt.NDArray[Any]) -> Array:
    shifted = np.exp(values - values.max(), dtype=np.float64)
    return np.asarray(shifted / shifted.sum(), dtype=np.float64)
