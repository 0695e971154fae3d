"""A lake in a folder, a backbone small enough to train with in seconds, drawn photos."""

import io
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras

from areyouacat.settings import BACKBONE, BackboneSpec
from tests.unit.training_job.folder_lake import FolderLake
from training_job.backbone import Backbone, ImagenetHead

TINY_DIM = 24
TINY_CLASSES = 300


@pytest.fixture
def lake(tmp_path: Path) -> FolderLake:
    return FolderLake(tmp_path / "lake")


@pytest.fixture(scope="session")
def tiny_spec() -> BackboneSpec:
    return BackboneSpec(
        name="tiny",
        weights_sha256="0" * 64,
        input_px=BACKBONE.input_px,
        embedding_dim=TINY_DIM,
        grid=BACKBONE.grid,
        preprocessing_version=BACKBONE.preprocessing_version,
    )


@pytest.fixture(scope="session")
def tiny_backbone(tiny_spec: BackboneSpec) -> Backbone:
    """One random convolution in place of EfficientNet, and a random ImageNet head."""
    random = np.random.default_rng(5)
    photo = keras.Input((tiny_spec.input_px, tiny_spec.input_px, 3), name="photo")
    side = tiny_spec.input_px // tiny_spec.grid
    layer = keras.layers.Conv2D(TINY_DIM, side, strides=side, activation="relu6", name="patches")
    network = keras.Model(photo, layer(photo), name="backbone", trainable=False)
    kernel = random.normal(0, 2 / side, (side, side, 3, TINY_DIM))
    layer.set_weights([kernel, np.full(TINY_DIM, 1.0)])
    rows = random.normal(0, 1, (TINY_CLASSES, TINY_DIM)).astype(np.float32)
    bias = random.normal(0, 1, TINY_CLASSES).astype(np.float32)
    return Backbone(tiny_spec, network, ImagenetHead(rows, bias))


@pytest.fixture
def draw_photo() -> Callable[[int, bool], bytes]:
    """JPEG bytes of a drawn picture: bright discs are positive, dark ones negative."""

    def draw(number: int, positive: bool) -> bytes:
        random = np.random.default_rng([number, int(positive)])
        image = Image.new("RGB", (64, 48), tuple(random.integers(0, 90, 3).tolist()))
        colour = (250, 240, 60) if positive else (60, 40, 200)
        x, y = random.integers(5, 25, 2).tolist()
        ImageDraw.Draw(image).ellipse((x, y, x + 30, y + 22), fill=colour)
        stream = io.BytesIO()
        image.save(stream, "JPEG")
        return stream.getvalue()

    return draw
