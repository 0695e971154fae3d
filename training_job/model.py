"""The whole model in Keras: backbone, head, and the three outputs that serving reads."""

from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from areyouacat.model_spec import EXPLANATION_OUTPUT, PROBABILITY_OUTPUT, SKETCH_OUTPUT
from training_job.backbone import Backbone
from training_job.head import Head
from training_job.sketch import sketch_projection

_SMALLEST_SCALE = 1e-6


def build_model(backbone: Backbone, head: Head) -> keras.Model:
    """Photo (n, px, px, 3) in; probability (n, 1), explanation (n, grid, grid), sketch (n, dim).

    The head's rows are laid over the feature map as 1x1 convolutions, so that one computation
    serves both: their mean over the map is the head's answer, since averaging and a linear layer
    can trade places; and weighted by the head's gradient at that answer they are the class
    activation map. The gradient of m is exact: softmax over the positive label's rows minus
    softmax over the other's, plus w.

    Explanation: each cell's contribution to the logit, divided by the strongest contribution of
    either sign, so in [-1, 1]; positive speaks for the positive label.
    """
    feature_map = backbone.network.output
    trained = _over_map(feature_map, "trained", head.weights[np.newaxis])
    logit = _mean_over_map(trained) + head.bias
    activation = keras.ops.squeeze(trained, axis=-1)
    if head.prior is not None:
        for sign, name, rows, bias in (
            (1.0, "positive_rows", head.prior.positive_rows, head.prior.positive_bias),
            (-1.0, "negative_rows", head.prior.negative_rows, head.prior.negative_bias),
        ):
            cells = _over_map(feature_map, name, rows)
            answers = keras.layers.Rescaling(1.0, offset=bias.tolist(), name=f"{name}_bias")(
                _mean_over_map(cells)
            )
            logit = logit + sign * keras.ops.logsumexp(answers, axis=-1, keepdims=True)
            shares = keras.ops.expand_dims(keras.ops.softmax(answers), axis=(1, 2))
            activation = activation + sign * keras.ops.sum(cells * shares, axis=-1)
    return keras.Model(
        backbone.network.input,
        {
            PROBABILITY_OUTPUT: keras.ops.sigmoid(logit / head.temperature),
            EXPLANATION_OUTPUT: _normalised(activation),
            SKETCH_OUTPUT: _sketch(_mean_over_map(feature_map)),
        },
        name="are_you_a_cat",
    )


def embedding_model(backbone: Backbone) -> keras.Model:
    """The backbone followed by the mean over its map: what the feature cache holds."""
    return keras.Model(
        backbone.network.input,
        {"embedding": _mean_over_map(backbone.network.output)},
        name="embedding",
    )


def _over_map(feature_map: Any, name: str, rows: npt.NDArray[Any]) -> Any:
    layer = keras.layers.Conv2D(len(rows), 1, use_bias=False, name=name)
    cells = layer(feature_map)
    layer.set_weights([rows.T[np.newaxis, np.newaxis]])
    return cells


def _mean_over_map(values: Any) -> Any:
    return keras.ops.mean(values, axis=(1, 2))


def _normalised(activation: Any) -> Any:
    strongest = keras.ops.max(keras.ops.abs(activation), axis=(1, 2), keepdims=True)
    return activation / keras.ops.maximum(strongest, _SMALLEST_SCALE)


def _sketch(embedding: Any) -> Any:
    projection = sketch_projection(embedding.shape[-1])
    layer = keras.layers.Dense(projection.shape[1], use_bias=False, name="projection")
    sketch = layer(embedding)
    layer.set_weights([projection])
    return sketch
