"""A model in memory: verified files, LiteRT with one thread, three outputs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

from areyouacat.errors import CorruptModelError
from areyouacat.lake import sha256_hex
from areyouacat.model_spec import (
    EXPLANATION_OUTPUT,
    PROBABILITY_OUTPUT,
    SKETCH_OUTPUT,
)
from areyouacat.serving_pointer import Variant
from areyouacat.settings import BACKBONE, SKETCH_DIM
from lambdas.shared.model_files import verified_spec

SIGNATURE = "serving_default"
_OUTPUT_SHAPES = {
    PROBABILITY_OUTPUT: (1, 1),
    EXPLANATION_OUTPUT: (1, BACKBONE.grid, BACKBONE.grid),
    SKETCH_OUTPUT: (1, SKETCH_DIM),
}
_INPUT_SHAPE = (1, BACKBONE.input_px, BACKBONE.input_px, 3)


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """The bytes of `model.tflite` and of `model.json`."""

    tflite: bytes
    spec: bytes


@dataclass(frozen=True, slots=True)
class Scores:
    """What a model says of one photo.

    `probability`: of the positive label, [0, 1]. `explanation`: float32 (7, 7), above zero where
    the photo speaks for the positive label. `sketch`: float32 (16,).
    """

    probability: float
    explanation: NDArray[np.float32]
    sketch: NDArray[np.float32]


class LoadedModel:
    """A model ready to answer. Not thread-safe: a Lambda serves one request at a time."""

    def __init__(self, files: ModelFiles) -> None:
        """Loads a model by its two files, which must fit each other.

        Raises:
            CorruptModelError: not a model, not a spec, or not one that this code can serve.
        """
        self.spec = verified_spec(files.spec, files.tflite)
        try:
            # One thread: a second one makes so small a network slower.
            self._interpreter = Interpreter(model_content=files.tflite, num_threads=1)
            self._interpreter.allocate_tensors()
            runner = self._interpreter.get_signature_runner(SIGNATURE)
        except (ValueError, RuntimeError) as error:
            raise CorruptModelError(f"LiteRT cannot load the model: {error}") from error
        inputs = runner.get_input_details()
        outputs = runner.get_output_details()
        found = {name: tuple(detail["shape"]) for name, detail in outputs.items()}
        if found != _OUTPUT_SHAPES or [tuple(d["shape"]) for d in inputs.values()] != [
            _INPUT_SHAPE
        ]:
            raise CorruptModelError(f"the model's inputs or outputs are others: {found}")
        (self._input,) = (detail["index"] for detail in inputs.values())
        self._outputs = {name: detail["index"] for name, detail in outputs.items()}

    def score(self, model_input: NDArray[np.float32]) -> Scores:
        """Runs the network on one photo, float32 (224, 224, 3) as `to_model_input` gives it.

        Raises:
            CorruptModelError: the network's answer is no number.
        """
        self._interpreter.set_tensor(self._input, model_input[np.newaxis])
        self._interpreter.invoke()
        probability = float(self._output(PROBABILITY_OUTPUT)[0, 0])
        explanation = self._output(EXPLANATION_OUTPUT)[0]
        sketch = self._output(SKETCH_OUTPUT)[0]
        if not (
            0.0 <= probability <= 1.0
            and np.isfinite(explanation).all()
            and np.isfinite(sketch).all()
        ):
            raise CorruptModelError(f"the model answered with no number: {probability}")
        return Scores(probability, explanation, sketch)

    def _output(self, name: str) -> NDArray[np.float32]:
        tensor: NDArray[np.float32] = self._interpreter.get_tensor(self._outputs[name])
        return tensor


def load_variant(variant: Variant, files: ModelFiles) -> LoadedModel:
    """Loads what the serving pointer names.

    Raises:
        CorruptModelError: the bytes are not those that were promoted, or cannot be served.
    """
    _require("model.json", variant, sha256_hex(files.spec), variant.model_json_sha256)
    model = LoadedModel(files)  # it has the hash that its model.json says
    _require("model", variant, model.spec.tflite.sha256, variant.sha256)
    return model


def _require(name: str, variant: Variant, found: str, promised: str) -> None:
    if found != promised:
        raise CorruptModelError(
            f"the {name} of version {variant.version} has the hash {found}, "
            f"the serving pointer says {promised}"
        )
