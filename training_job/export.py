"""Keras to TFLite in three precisions, and the choice of the one that ships."""

import logging
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, get_args

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from areyouacat.model_spec import TfliteVariant

_LOG = logging.getLogger(__name__)

Pixels = npt.NDArray[np.float32]
SIGNATURE = "serving_default"
INPUT = "photo"


@dataclass(frozen=True, slots=True)
class Exported:
    """One TFLite file's bytes and how long the conversion took."""

    variant: TfliteVariant
    tflite: bytes
    seconds: float


def export_variants(
    model: keras.Model, representative: Callable[[], Iterable[Pixels]]
) -> Iterator[Exported]:
    """float32, float16 and full-integer arithmetic with float inputs and outputs.

    int8 is twice as fast, but has not yet kept the gate's parity, so the choice has fallen on
    another variant so far. One trial on 200 photos with the head left in float was no better,
    which points to the backbone without proving it.

    `representative` gives photos' pixels (px, px, 3) whose activations set int8's ranges; each
    call starts anew.
    """
    with tempfile.TemporaryDirectory() as folder:
        _save(model, folder)
        for variant in get_args(TfliteVariant):
            start = time.monotonic()
            tflite = _convert(folder, variant, representative)
            seconds = time.monotonic() - start
            _LOG.info("export %s: %.1f MB in %.1f s", variant, len(tflite) / 1e6, seconds)
            yield Exported(variant, tflite, seconds)


def export_float32(model: keras.Model) -> bytes:
    """The model as TFLite in float32, without a signature: outputs go by position.

    That spares the SavedModel, and with it two thirds of the time.
    """
    function = _frozen(model)
    concrete = function.get_concrete_function()
    tflite: bytes = tf.lite.TFLiteConverter.from_concrete_functions([concrete], function).convert()
    return tflite


def _save(model: keras.Model, folder: str) -> None:
    """A SavedModel for one photo at a time, with the signature that serving calls."""
    module = tf.Module()
    module.function = _frozen(model)
    signature = module.function.get_concrete_function()
    tf.saved_model.save(module, folder, signatures={SIGNATURE: signature})


def _frozen(model: keras.Model) -> Any:
    """The model as a function of one photo, its weights constants in it.

    Keras' own `model.export` keeps variables, which each conversion then has to load and freeze:
    that takes three times as long.
    """
    trainable = [variable.numpy() for variable in model.trainable_variables]
    frozen = [variable.numpy() for variable in model.non_trainable_variables]

    def call(photo: tf.Tensor) -> dict[str, tf.Tensor]:
        outputs, _ = model.stateless_call(trainable, frozen, photo, training=False)
        return dict(outputs)

    photo = tf.TensorSpec((1, *model.input.shape[1:]), tf.float32, name=INPUT)
    return tf.function(call, input_signature=[photo], autograph=False)


def _convert(
    folder: str, variant: TfliteVariant, representative: Callable[[], Iterable[Pixels]]
) -> bytes:
    converter = tf.lite.TFLiteConverter.from_saved_model(folder)
    if variant != "float32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if variant == "float16":
        converter.target_spec.supported_types = [tf.float16]
    if variant == "int8":
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.representative_dataset = lambda: (
            [pixels[np.newaxis]] for pixels in representative()
        )
    tflite: bytes = converter.convert()
    return tflite
