"""Export of the tiny model; the real backbone has a test of its own."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import numpy.typing as npt
import pytest

from areyouacat.model_spec import EXPLANATION_OUTPUT, PROBABILITY_OUTPUT, SKETCH_OUTPUT
from areyouacat.settings import LABELS, SKETCH_DIM
from training_job import sketch
from training_job.backbone import Backbone
from training_job.comparison import Measurement, TfliteModel, choose, measure
from training_job.errors import TrainingError
from training_job.export import Exported, export_variants
from training_job.head import Head, make_prior
from training_job.model import build_model
from training_job.settings import EXPORT_MEASURES
from training_job.sketch import sketch_projection

Pixels = npt.NDArray[np.float32]

PROJECTION_CORNER = -0.0153897610  # must never change: stored sketches are compared with new ones


@pytest.fixture(scope="session")
def pixels() -> list[Pixels]:
    random = np.random.default_rng(8)
    return [random.uniform(-1, 1, (224, 224, 3)).astype(np.float32) for _ in range(12)]


@pytest.fixture(scope="session")
def head(tiny_backbone: Backbone, pixels: list[Pixels]) -> Head:
    """A head whose answers on `pixels` lie on both sides of 0.5."""
    prior = make_prior(tiny_backbone.imagenet, {LABELS.positive: (3, 7, 11)}, LABELS)
    weights = np.random.default_rng(6).normal(0, 1, tiny_backbone.spec.embedding_dim)
    uncentred = Head(prior, weights, bias=0.0).logits(embeddings(tiny_backbone, pixels))
    return Head(prior, weights, bias=-float(np.median(uncentred)), temperature=0.1)


@pytest.fixture(scope="session")
def model(tiny_backbone: Backbone, head: Head) -> keras.Model:
    return build_model(tiny_backbone, head)


@pytest.fixture(scope="session")
def exports(model: keras.Model, pixels: list[Pixels]) -> dict[str, Exported]:
    return {found.variant: found for found in export_variants(model, lambda: pixels)}


def embeddings(backbone: Backbone, pixels: Sequence[Pixels]) -> Pixels:
    return np.asarray(np.mean(backbone.network(np.stack(pixels)), axis=(1, 2)), np.float32)


def test_the_whole_model_answers_as_the_head_does_on_stored_features(
    tiny_backbone: Backbone, head: Head, model: keras.Model, pixels: list[Pixels]
) -> None:
    answers = np.asarray(model(np.stack(pixels))[PROBABILITY_OUTPUT])[:, 0]

    expected = head.probabilities(embeddings(tiny_backbone, pixels))

    np.testing.assert_allclose(answers, expected, atol=1e-4)
    assert answers.min() < 0.5 < answers.max()


@pytest.mark.parametrize("with_prior", [True, False])
def test_the_explanation_is_the_gradients_projection_scaled_to_its_strongest_cell(
    tiny_backbone: Backbone, head: Head, pixels: list[Pixels], with_prior: bool
) -> None:
    head = head if with_prior else replace(head, prior=None)
    found = np.asarray(build_model(tiny_backbone, head)(np.stack(pixels[:1]))[EXPLANATION_OUTPUT])[
        0
    ]

    gradient = head.gradient(embeddings(tiny_backbone, pixels[:1])[0])
    expected = np.asarray(tiny_backbone.network(np.stack(pixels[:1])))[0] @ gradient

    assert np.abs(found).max() == pytest.approx(1.0)
    np.testing.assert_allclose(found, expected / np.abs(expected).max(), atol=1e-4)


def test_the_sketch_is_the_fixed_projection_of_the_embedding(
    tiny_backbone: Backbone, model: keras.Model, pixels: list[Pixels]
) -> None:
    found = np.asarray(model(np.stack(pixels))[SKETCH_OUTPUT])

    x = embeddings(tiny_backbone, pixels)

    np.testing.assert_allclose(found, x @ sketch_projection(x.shape[1]), atol=1e-4)


def test_the_projection_keeps_lengths_within_its_span_and_never_changes() -> None:
    projection = sketch_projection(1280)

    np.testing.assert_allclose(projection.T @ projection, np.eye(SKETCH_DIM), atol=1e-5)
    assert projection[0, 0] == pytest.approx(PROJECTION_CORNER, abs=1e-6)


def test_sketches_of_many_photos_are_those_of_each(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sketch, "_CHUNK", 3)
    stored = np.random.default_rng(1).random((7, 64)).astype(np.float16)

    found = sketch.sketches(stored)

    np.testing.assert_allclose(found, stored @ sketch_projection(64), atol=1e-5)


@pytest.mark.parametrize("variant", ["float32", "float16"])
def test_the_exported_model_has_the_three_outputs_and_agrees_with_keras(
    exports: dict[str, Exported], model: keras.Model, pixels: list[Pixels], variant: str
) -> None:
    tflite = TfliteModel(exports[variant].tflite)

    for photo in pixels[:3]:
        found, expected = tflite.outputs(photo), model(photo[np.newaxis])
        assert found[PROBABILITY_OUTPUT].shape == (1, 1)
        assert found[EXPLANATION_OUTPUT].shape == (1, 7, 7)
        assert found[SKETCH_OUTPUT].shape == (1, SKETCH_DIM)
        for name, value in found.items():
            np.testing.assert_allclose(value, np.asarray(expected[name]), atol=1e-2)


def test_all_three_precisions_are_exported_with_float_inputs_and_outputs(
    exports: dict[str, Exported], pixels: list[Pixels]
) -> None:
    assert list(exports) == ["float32", "float16", "int8"]
    for exported in exports.values():
        outputs = TfliteModel(exported.tflite).outputs(pixels[0])
        assert {value.dtype for value in outputs.values()} == {np.dtype(np.float32)}


def test_exporting_twice_gives_the_same_bytes(
    exports: dict[str, Exported], model: keras.Model, pixels: list[Pixels]
) -> None:
    again = next(iter(export_variants(model, lambda: pixels)))

    assert again.tflite == exports["float32"].tflite


def test_the_saved_keras_model_loads_without_our_code_and_answers_the_same(
    tmp_path: Path, model: keras.Model, pixels: list[Pixels]
) -> None:
    model.save(tmp_path / "model.keras")

    loaded = keras.models.load_model(tmp_path / "model.keras", safe_mode=True)

    photo = pixels[0][np.newaxis]
    for name, value in model(photo).items():
        np.testing.assert_allclose(np.asarray(loaded(photo)[name]), np.asarray(value), atol=1e-6)


@pytest.mark.parametrize("timed", [2, 50])
def test_a_measurement_tells_how_far_a_variant_is_from_the_scores(
    exports: dict[str, Exported],
    model: keras.Model,
    pixels: list[Pixels],
    timed: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fewer = replace(EXPORT_MEASURES, latency_runs=timed)  # the others are answered by threads
    monkeypatch.setattr("training_job.comparison.EXPORT_MEASURES", fewer)
    scores = np.asarray(model(np.stack(pixels))[PROBABILITY_OUTPUT])[:, 0].astype(np.float64)
    positive = scores >= 0.5

    right = measure(exports["float32"], pixels, positive, scores, 0.5)
    wrong = measure(exports["float32"], pixels, positive, 1 - scores, 0.5)

    assert right.parity_max < 1e-4
    assert right.accuracy_loss_points == 0.0
    assert right.latency_ms > 0
    assert wrong.parity_max == pytest.approx(np.abs(1 - 2 * scores).max(), abs=1e-4)


def measurement(
    variant: str,
    *,
    loss: float = 0.0,
    parity: float = 0.0,
    worst: float = 0.0,
    latency: float = 10.0,
    size: int = 9,
) -> Measurement:
    exported = Exported(variant, bytes(size), 0.0)  # type: ignore[arg-type]
    return Measurement(exported, loss, parity, max(parity, worst), latency)


def test_the_fastest_variant_that_is_good_enough_ships() -> None:
    slow, fast = measurement("float32"), measurement("int8", latency=5.0)

    assert choose([slow, fast]) is fast


@pytest.mark.parametrize("flaw", [{"loss": 0.31}, {"parity": 0.021}, {"worst": 0.021}])
def test_a_fast_variant_that_loses_accuracy_or_parity_does_not_ship(
    flaw: dict[str, float],
) -> None:
    slow, fast = measurement("float32"), measurement("int8", latency=5.0, **flaw)  # type: ignore[arg-type]

    assert choose([slow, fast]) is slow


def test_of_equally_fast_variants_the_smaller_ships() -> None:
    large = measurement("float32", latency=10.0, size=20)
    small = measurement("float16", latency=11.0, size=10)

    assert choose([large, small]) is small


def test_no_variant_ships_if_none_agrees_with_keras() -> None:
    with pytest.raises(TrainingError, match=r"float32 loses 5\.00 points"):
        choose([measurement("float32", loss=5.0)])
