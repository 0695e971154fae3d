"""The least that features can cost: decode, resize, network, and nothing else."""

import os
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from areyouacat.images import decode, to_model_input
from benchmarks.photos import LabelledPhoto


def bare_seconds(photos: Sequence[LabelledPhoto], tflite: bytes) -> float:
    """Seconds for all photos, from bytes in memory, with as many threads as the job has.

    `tflite`: the network that the job computes its features with.
    """
    threads = os.cpu_count() or 1

    def some(first: int) -> None:
        interpreter = Interpreter(model_content=tflite, num_threads=1)
        interpreter.allocate_tensors()
        source = interpreter.get_input_details()[0]["index"]
        result = interpreter.get_output_details()[0]["index"]
        for photo in photos[first::threads]:
            interpreter.set_tensor(source, to_model_input(decode(photo.data))[np.newaxis])
            interpreter.invoke()
            interpreter.get_tensor(result)

    start = time.monotonic()
    with ThreadPoolExecutor(threads) as pool:
        for _ in pool.map(some, range(threads)):
            continue
    return time.monotonic() - start
