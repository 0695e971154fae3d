"""Keras to TFLite in three precisions, and the choice of the one that ships."""

import logging
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import get_args

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
    """The model as TFLite in float32."""
    with tempfile.TemporaryDirectory() as folder:
        _save(model, folder)
        return _convert(folder, "float32", lambda: ())


def _save(model: keras.Model, folder: str) -> None:
    """A SavedModel for one photo at a time, the weights written into it as constants.

    Keras' own `model.export` keeps variables, which each conversion then has to load and freeze:
    that takes three times as long.
    """
    trainable = [variable.numpy() for variable in model.trainable_variables]
    frozen = [variable.numpy() for variable in model.non_trainable_variables]

    def call(photo: tf.Tensor) -> dict[str, tf.Tensor]:
        outputs, _ = model.stateless_call(trainable, frozen, photo, training=False)
        return dict(outputs)

    shape = (1, *model.input.shape[1:])
    function = tf.function(
        call, input_signature=[tf.TensorSpec(shape, tf.float32, name=INPUT)], autograph=False
    )
    module = tf.Module()
    module.function = function
    tf.saved_model.save(module, folder, signatures={SIGNATURE: function.get_concrete_function()})


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
