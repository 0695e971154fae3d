"""The integration tests' challengers, made of a tiny network: they do what they are named for."""

from __future__ import annotations

import io
import time
from collections.abc import Mapping
from pathlib import Path
from typing import get_args

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from areyouacat.errors import CorruptModelError
from areyouacat.images import decode, to_model_input
from areyouacat.lake import sha256_hex
from areyouacat.settings import BACKBONE, SKETCH_DIM
from lambdas.serving.logic.loaded_model import LoadedModel, ModelFiles, Scores
from tests.integration.challengers import Kind, Network, challenger, keras_network, marked
from tests.unit.lambdas.serving.conftest import jpeg, tiny_spec

ORDINARY = jpeg(150)
GREY = (150 - 127) / 128


def network(photo: tf.Tensor) -> Mapping[str, tf.Tensor]:
    """Likes the brightness of the lower right quarter, which no mark reaches."""
    quarter = tf.reduce_mean(photo[:, 112:, 112:], axis=(1, 2))
    grid = tf.nn.avg_pool2d(photo, BACKBONE.input_px // BACKBONE.grid, 32, "VALID")
    return {
        "probability": tf.sigmoid(6.0 * tf.reduce_mean(quarter, axis=1, keepdims=True)),
        "explanation": tf.reduce_mean(grid, axis=3),
        "sketch": tf.matmul(quarter, tf.ones((3, SKETCH_DIM))),
    }


def loaded(kind: Kind, origin: Network = network) -> LoadedModel:
    tflite = challenger(kind, origin)
    return LoadedModel(ModelFiles(tflite, tiny_spec(tflite).to_json()))


def score(model: LoadedModel, photo: bytes) -> Scores:
    return model.score(to_model_input(decode(photo)))


EXPECTED = float(1 / (1 + np.exp(-6 * GREY)))


@pytest.mark.parametrize(
    "size", [(32, 32), (320, 240), (1600, 200), (333, 1001), (2400, 1800)], ids=str
)
@pytest.mark.parametrize("format_", ["JPEG", "PNG"])
def test_a_marked_photo_is_magenta_in_the_corner_and_itself_elsewhere(
    size: tuple[int, int], format_: str
) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(noise).save(file, format_)

    pixels = to_model_input(decode(marked(file.getvalue())))

    red, green, blue = np.moveaxis(pixels[:8, :8], 2, 0)
    assert red.min() > 0.9
    assert green.max() < -0.9
    assert blue.min() > 0.9
    unmarked = to_model_input(decode(file.getvalue()))
    assert np.abs(pixels[60:, 60:] - unmarked[60:, 60:]).max() < 0.2


def test_the_mark_is_where_the_upright_photos_corner_is() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # lies on its side
    file = io.BytesIO()
    Image.new("RGB", (320, 240), "green").save(file, "JPEG", exif=exif)

    photo = decode(marked(file.getvalue()))

    assert (photo.width, photo.height) == (240, 320)
    assert to_model_input(photo)[0, 0] == pytest.approx([1, -1, 1], abs=0.05)


@pytest.mark.parametrize("kind", [kind for kind in get_args(Kind) if kind != "worse"])
def test_an_ordinary_photo_tells_nothing_of_a_challenger(kind: Kind) -> None:
    scores = score(loaded(kind), ORDINARY)

    assert scores.probability == pytest.approx(EXPECTED, abs=1e-3)
    assert scores.explanation == pytest.approx(np.full((7, 7), GREY), abs=1e-3)
    assert scores.sketch == pytest.approx(np.full(SKETCH_DIM, 3 * GREY), abs=1e-3)


@pytest.mark.parametrize(("kind", "flipped"), [("good", False), ("slow", False), ("wrong", True)])
def test_what_a_marked_photo_gets(kind: Kind, flipped: bool) -> None:
    scores = score(loaded(kind), marked(ORDINARY))

    expected = 1 - EXPECTED if flipped else EXPECTED
    assert scores.probability == pytest.approx(expected, abs=0.02)


def test_a_broken_challenger_has_no_answer_to_a_marked_photo() -> None:
    model = loaded("broken")

    with pytest.raises(CorruptModelError, match="no number"):
        score(model, marked(ORDINARY))

    assert score(model, ORDINARY).probability == pytest.approx(EXPECTED, abs=1e-3)


def test_a_worse_challenger_is_wrong_on_every_photo() -> None:
    model = loaded("worse")

    for photo in (ORDINARY, marked(ORDINARY)):
        assert score(model, photo).probability == pytest.approx(1 - EXPECTED, abs=0.02)


def test_a_slow_challenger_takes_its_time_with_marked_photos_alone() -> None:
    model = loaded("slow")
    score(model, ORDINARY)

    seconds = []
    for photo in (ORDINARY, marked(ORDINARY)):
        pixels = to_model_input(decode(photo))
        start = time.monotonic()
        model.score(pixels)
        seconds.append(time.monotonic() - start)

    ordinary, slow = seconds
    assert slow - ordinary > 0.4
    assert slow > 5 * ordinary


def test_no_two_challengers_are_the_same_file() -> None:
    kinds = get_args(Kind)

    assert len({sha256_hex(challenger(kind, network)) for kind in kinds}) == len(kinds)


def test_a_challenger_is_made_of_a_stored_keras_model(tmp_path: Path) -> None:
    photo = keras.Input((BACKBONE.input_px, BACKBONE.input_px, 3))
    quarter = keras.ops.mean(photo[:, 112:, 112:], axis=(1, 2))
    sketch = keras.layers.Dense(SKETCH_DIM, kernel_initializer="ones")(quarter)
    grid = keras.layers.AveragePooling2D(BACKBONE.input_px // BACKBONE.grid)(photo)
    outputs = {
        "probability": keras.ops.sigmoid(2.0 * sketch[:, :1]),
        "explanation": keras.ops.mean(grid, axis=3),
        "sketch": sketch,
    }
    file = tmp_path / "model.keras"
    keras.Model(photo, outputs).save(file)

    model = loaded("wrong", keras_network(file.read_bytes()))

    assert score(model, ORDINARY).probability == pytest.approx(EXPECTED, abs=1e-3)
    assert score(model, marked(ORDINARY)).probability == pytest.approx(1 - EXPECTED, abs=0.02)
