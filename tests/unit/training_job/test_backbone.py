"""The real network with its real weights."""

import keras
import numpy as np
import pytest

from areyouacat.settings import BACKBONE
from training_job.backbone import Backbone, build_network, load_backbone

# Measured once, when the same network named 99 of 100 photos of dogs a dog: they stand for its
# padding, its batch normalisation and the order of its weights.
PATTERN_MEAN = 0.11646
PATTERN_CLASS = 807


@pytest.fixture(scope="module")
def backbone() -> Backbone:
    return load_backbone()


def test_the_network_has_the_shape_that_settings_promise(backbone: Backbone) -> None:
    assert backbone.network.output.shape == (None, BACKBONE.grid, BACKBONE.grid, 1280)
    assert BACKBONE.embedding_dim == 1280
    assert backbone.imagenet.rows.shape == (1000, 1280)


def test_a_pattern_gives_the_features_it_always_gave(backbone: Backbone) -> None:
    rows, columns = np.indices((BACKBONE.input_px, BACKBONE.input_px))
    stripes = np.where((rows + columns) % 32 < 16, 0.9, -0.9)
    pattern = np.stack([stripes, stripes, -stripes], axis=-1)[np.newaxis].astype(np.float32)

    embedding = np.asarray(backbone.network(pattern)).mean(axis=(1, 2))[0]
    answers = embedding @ backbone.imagenet.rows.T + backbone.imagenet.bias

    assert embedding.mean() == pytest.approx(PATTERN_MEAN, rel=1e-3)
    assert int(answers.argmax()) == PATTERN_CLASS


def test_no_layer_name_would_be_refused_by_a_saved_model() -> None:
    names = [layer.name for layer in build_network(BACKBONE).layers]

    assert not [name for name in names if name.startswith("_")]
    assert len(names) == len(set(names))


def test_nothing_in_the_backbone_is_trained(backbone: Backbone) -> None:
    around = keras.Sequential([backbone.network, keras.layers.Dense(1)])
    over = keras.Model(backbone.network.input, keras.layers.Flatten()(backbone.network.output))

    assert backbone.network.trainable_variables == []
    assert len(around.trainable_variables) == 2
    assert over.trainable_variables == []
