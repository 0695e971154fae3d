"""The least that a prediction can cost: draft decode, resize, network, and nothing else.

It imports nothing of the product, so that a fresh interpreter may measure what these cost alone.
"""

import io
from typing import TYPE_CHECKING

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from PIL import Image

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Floor:
    """A network, and the straight way to it from the bytes of a JPEG."""

    def __init__(self, tflite: bytes) -> None:
        self._interpreter = Interpreter(model_content=tflite, num_threads=1)
        self._interpreter.allocate_tensors()
        (source,) = self._interpreter.get_input_details()
        self._source = source["index"]
        self._size = (int(source["shape"][2]), int(source["shape"][1]))
        self._results = [detail["index"] for detail in self._interpreter.get_output_details()]

    def model_input(self, photo: bytes) -> "NDArray[np.float32]":
        """What the network sees of a JPEG, float32 of shape (height, width, 3)."""
        image = Image.open(io.BytesIO(photo))
        image.draft("RGB", self._size)
        square = image.convert("RGB").resize(
            self._size, Image.Resampling.BILINEAR, reducing_gap=2.0
        )
        pixels = np.asarray(square, dtype=np.float32)
        return (pixels - np.float32(127)) / np.float32(128)

    def predict(self, photo: bytes) -> list[object]:
        """Everything that the network says of a JPEG."""
        self._interpreter.set_tensor(self._source, self.model_input(photo)[np.newaxis])
        self._interpreter.invoke()
        return [self._interpreter.get_tensor(result) for result in self._results]
