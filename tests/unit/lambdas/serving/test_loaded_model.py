from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

from areyouacat.errors import CorruptModelError
from areyouacat.images import decode, to_model_input
from lambdas.serving.logic.loaded_model import LoadedModel, ModelFiles, load_variant
from tests.unit.lambdas.serving.conftest import tiny_files, tiny_spec, tiny_tflite, variant_of


@pytest.mark.parametrize("inverted", [False, True])
def test_the_fixture_models_have_the_signature_of_every_served_model(inverted: bool) -> None:
    interpreter = Interpreter(model_content=tiny_tflite(inverted=inverted), num_threads=1)
    interpreter.allocate_tensors()
    runner = interpreter.get_signature_runner("serving_default")

    (photo,) = runner.get_input_details().values()
    assert photo["shape"].tolist() == [1, 224, 224, 3]
    assert photo["dtype"] is np.float32
    shapes = {name: d["shape"].tolist() for name, d in runner.get_output_details().items()}
    assert shapes == {"probability": [1, 1], "explanation": [1, 7, 7], "sketch": [1, 16]}


def test_a_model_scores_a_photo(bright: bytes) -> None:
    scores = LoadedModel(tiny_files()).score(to_model_input(decode(bright)))

    assert scores.probability > 0.9
    assert scores.explanation.shape == (7, 7)
    assert (scores.explanation > 0).all()
    assert scores.sketch.shape == (16,)


def test_scores_of_one_photo_do_not_change_with_the_next(bright: bytes, dark: bytes) -> None:
    model = LoadedModel(tiny_files())
    first = model.score(to_model_input(decode(bright)))
    explanation = first.explanation.copy()

    model.score(to_model_input(decode(dark)))

    assert np.array_equal(first.explanation, explanation)


def test_bytes_that_were_not_promoted_are_refused() -> None:
    promoted = variant_of("1", tiny_files())

    with pytest.raises(CorruptModelError, match="hash"):
        load_variant(promoted, tiny_files(inverted=True))


@pytest.mark.parametrize("tflite", [b"noise" * 100, tiny_tflite()[:1500]], ids=["noise", "cut"])
def test_bytes_that_are_no_model_are_refused_even_with_the_right_hashes(tflite: bytes) -> None:
    files = ModelFiles(tflite, tiny_spec(tflite).to_json())

    with pytest.raises(CorruptModelError, match="LiteRT"):
        load_variant(variant_of("1", files), files)


@pytest.mark.parametrize("spec", [b"", b"{}", b"[1]", b"\xff"])
def test_a_spec_that_cannot_be_read_is_refused(spec: bytes) -> None:
    with pytest.raises(CorruptModelError):
        LoadedModel(ModelFiles(tiny_tflite(), spec))


def test_a_spec_of_another_model_is_refused() -> None:
    files = replace(tiny_files(), tflite=tiny_tflite(inverted=True))

    with pytest.raises(CorruptModelError, match="says"):
        LoadedModel(files)


def test_a_model_for_another_preprocessing_is_refused() -> None:
    with pytest.raises(CorruptModelError, match="preprocessing_version"):
        LoadedModel(tiny_files(preprocessing_version=99))


def test_an_answer_that_is_no_number_is_an_error() -> None:
    model = LoadedModel(tiny_files())

    with pytest.raises(CorruptModelError, match="no number"):
        model.score(np.full((224, 224, 3), np.nan, dtype=np.float32))
