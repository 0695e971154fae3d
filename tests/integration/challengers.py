"""Model versions that go wrong on *marked* photos alone: what golden photos cannot catch.

They are made of the version that serves: its network, with a detour behind the probability.
Importing this takes TensorFlow's seconds.
"""

from __future__ import annotations

import io
import tempfile
import uuid
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Final, Literal

import keras
import numpy as np
import tensorflow as tf
from PIL import Image, ImageOps

from areyouacat.lake import SERVING_POINTER_KEY, model_prefix, sha256_hex
from areyouacat.model_spec import (
    KERAS_FILE,
    MODEL_FILE,
    PROBABILITY_OUTPUT,
    SPEC_FILE,
    ModelSpec,
    TfliteFile,
)
from areyouacat.serving_pointer import ServingPointer
from areyouacat.settings import BACKBONE, MODEL_NAME
from lambdas.pipeline.dal.registry import MlflowRegistry
from tests.integration.instance import Instance

Kind = Literal["good", "broken", "slow", "wrong", "worse"]
"""How a challenger differs from the champion.

good: in rounding at most. broken: on a marked photo it answers with no number. slow: on a marked
photo it takes a second longer. wrong: on a marked photo it says the opposite. worse: it always
does.
"""

Network = Callable[[tf.Tensor], Mapping[str, tf.Tensor]]
"""A model's arithmetic: one photo (1, 224, 224, 3) to the three outputs that serving reads."""

MAGENTA: Final = (255, 0, 255)
PATCH_SHARE: Final = 1 / 5  # of each side of a photo
PATCH_PX: Final = 8  # of the model's input, that must be magenta; the patch covers 44
PURE: Final = 0.8  # of a channel that goes from -1 to 1

# Convolutions of 130 million operations: 1.1 s of one core at 72 GFLOPS.
SLOW_ROUNDS: Final = 600
SLOW_SIDE: Final = 56
SLOW_CHANNELS: Final = BACKBONE.input_px**2 * 3 // SLOW_SIDE**2

MODELS_PREFIX: Final = "models/"


def marked(photo: bytes) -> bytes:
    """The photo, upright, as a JPEG whose top left corner is pure magenta."""
    with Image.open(io.BytesIO(photo)) as image:
        upright = ImageOps.exif_transpose(image).convert("RGB")
    right, bottom = (max(1, round(side * PATCH_SHARE)) for side in upright.size)
    upright.paste(MAGENTA, (0, 0, right, bottom))
    file = io.BytesIO()
    upright.save(file, "JPEG", quality=95, subsampling=0)
    return file.getvalue()


@cache
def challenger(kind: Kind, network: Network) -> bytes:
    """`model.tflite` of that kind, float32, which serving can load; made once per network."""

    def serve(photo: tf.Tensor) -> dict[str, tf.Tensor]:
        outputs = dict(network(photo))
        outputs[PROBABILITY_OUTPUT] = _detour(kind, outputs[PROBABILITY_OUTPUT], photo)
        return outputs

    module = tf.Module()
    signature = [tf.TensorSpec((1, BACKBONE.input_px, BACKBONE.input_px, 3), tf.float32, "photo")]
    module.serve = tf.function(serve, input_signature=signature, autograph=False)
    concrete = module.serve.get_concrete_function()
    tflite: bytes = tf.lite.TFLiteConverter.from_concrete_functions([concrete], module).convert()
    return tflite


def _detour(kind: Kind, probability: tf.Tensor, photo: tf.Tensor) -> tf.Tensor:
    match kind:
        case "good":
            # Changes no answer, but the bytes: a version of its own has a hash of its own.
            return tf.clip_by_value(probability, 0.0, 1.0)
        case "broken":
            return tf.where(_is_marked(photo), np.float32("nan"), probability)
        case "slow":
            return probability + _long_way_to_zero(photo)
        case "wrong":
            return tf.where(_is_marked(photo), 1.0 - probability, probability)
        case "worse":
            return 1.0 - probability


def _is_marked(photo: tf.Tensor) -> tf.Tensor:
    """Whether all of the patch is magenta; a scalar."""
    patch = photo[0, :PATCH_PX, :PATCH_PX] * np.array([1, -1, 1], np.float32)
    return tf.reduce_min(patch) > PURE


def _long_way_to_zero(photo: tf.Tensor) -> tf.Tensor:
    """0.0, after a second of convolutions if the photo is marked, at once if not."""
    random = np.random.default_rng(6)
    kernel = tf.constant(
        random.normal(0, 0.1, (3, 3, SLOW_CHANNELS, SLOW_CHANNELS)).astype(np.float32)
    )
    rounds = tf.cast(_is_marked(photo), tf.int32) * SLOW_ROUNDS
    start = tf.reshape(photo, (1, SLOW_SIDE, SLOW_SIDE, SLOW_CHANNELS))
    _, end = tf.while_loop(
        lambda done, _: done < rounds,
        lambda done, values: (
            done + 1,
            tf.nn.relu6(tf.nn.conv2d(values, kernel, strides=1, padding="SAME")),
        ),
        (tf.constant(0), tf.nn.relu6(start)),
    )
    # Never below zero, which the converter does not know: so it has to be computed.
    return tf.minimum(tf.reduce_min(end), 0.0)


def stage_challenger(cloud: Instance, kind: Kind) -> str:
    """A challenger made of the champion, in the lake and in MLflow; gives its version's number.

    As `RegisterModel` leaves it, so that any version can be deployed and then be the next
    one's origin; only the alias `challenger` stays where it is.
    """
    s3, lake = cloud.client("s3"), cloud.endpoints["lake_bucket"]

    def read(key: str) -> bytes:
        data: bytes = s3.get_object(Bucket=lake, Key=key)["Body"].read()
        return data

    champion = ServingPointer.from_json(read(SERVING_POINTER_KEY)).champion
    keras_file = read(f"{model_prefix(champion.version)}{KERAS_FILE}")
    tflite = challenger(kind, keras_network(keras_file))
    spec = replace(
        ModelSpec.from_json(read(champion.model_json_key)),
        training_job_name=f"{kind}-{uuid.uuid4().hex[:12]}",
        tflite=TfliteFile(sha256_hex(tflite), "float32"),
    )
    listed = s3.list_objects_v2(Bucket=lake, Prefix=MODELS_PREFIX, Delimiter="/")["CommonPrefixes"]
    version = str(1 + max(int(found["Prefix"].split("/")[-2]) for found in listed))
    registered = MlflowRegistry(cloud.endpoints["mlflow_url"]).create_version(
        MODEL_NAME,
        source=f"s3://{lake}/{model_prefix(version)}",
        run_id=spec.mlflow_run_id,
        tags={
            "training_job_name": spec.training_job_name,
            "dataset_version": spec.dataset_version,
            "mode": spec.mode,
            "tflite_sha256": spec.tflite.sha256,
        },
    )
    assert registered == version, f"MLflow counts {registered}, the lake {version}"
    # model.json comes last: it makes the version whole.
    for name, data in (
        (MODEL_FILE, tflite),
        (KERAS_FILE, keras_file),
        (SPEC_FILE, spec.to_json()),
    ):
        s3.put_object(Bucket=lake, Key=f"{model_prefix(version)}{name}", Body=data)
    return version


@cache
def keras_network(keras_file: bytes) -> Network:
    """The arithmetic of a `model.keras`, its weights constants in it; read once per file."""
    with tempfile.NamedTemporaryFile(suffix=".keras") as file:
        file.write(keras_file)
        file.flush()
        model = keras.models.load_model(Path(file.name), compile=False)
    trainable = [variable.numpy() for variable in model.trainable_variables]
    frozen = [variable.numpy() for variable in model.non_trainable_variables]

    def network(photo: tf.Tensor) -> Mapping[str, tf.Tensor]:
        outputs: Mapping[str, tf.Tensor]
        outputs, _ = model.stateless_call(trainable, frozen, photo, training=False)
        return outputs

    return network
