"""Which TFLite variant ships: measured against the scores of the head it was made from."""

import hashlib
import os
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from ai_edge_litert.interpreter import Interpreter

from areyouacat.model_spec import PROBABILITY_OUTPUT, TfliteVariant
from areyouacat.settings import EXPORT, GATE, ExportRules, GateRules
from training_job.errors import TrainingError
from training_job.export import INPUT, SIGNATURE, Exported
from training_job.settings import EXPORT_MEASURES

Pixels = npt.NDArray[np.float32]


class TfliteModel:
    """An exported model, run as serving runs it: LiteRT on one thread."""

    def __init__(self, tflite: bytes) -> None:
        """`tflite`: a file with the three outputs of `model.build_model`."""
        # The runner keeps no reference to its interpreter, which must outlive it.
        self._interpreter = Interpreter(model_content=tflite, num_threads=1)
        self._run = self._interpreter.get_signature_runner(SIGNATURE)

    def outputs(self, pixels: Pixels) -> dict[str, npt.NDArray[np.float32]]:
        """All outputs by name for one photo (px, px, 3), with their batch axis of 1."""
        return dict(self._run(**{INPUT: pixels[np.newaxis]}))

    def probability(self, pixels: Pixels) -> float:
        """Probability of the positive label for one photo (px, px, 3)."""
        return float(self.outputs(pixels)[PROBABILITY_OUTPUT][0, 0])


@dataclass(frozen=True, slots=True)
class Measurement:
    """One variant beside the Keras scores, on the same photos.

    `accuracy_loss_points`: percentage points. `parity_p99`, `parity_max`: of |difference| of the
    probability. `latency_ms`: p50 of one inference on one thread.
    """

    exported: Exported
    accuracy_loss_points: float
    parity_p99: float
    parity_max: float
    latency_ms: float

    @property
    def sha256(self) -> str:
        """Of the TFLite file."""
        return hashlib.sha256(self.exported.tflite).hexdigest()


def measure(
    exported: Exported,
    photos: Sequence[Pixels],
    positive: npt.NDArray[np.bool_],
    scores: npt.NDArray[np.float64],
    threshold: float,
) -> Measurement:
    """Run a variant on some photos (all arguments in the same order; at least one photo).

    The first ones are timed with nothing beside them; the others only have to be answered, by as
    many threads as there are cores.
    """
    model = TfliteModel(exported.tflite)
    seconds: list[float] = []
    answers: list[float] = []
    for pixels in photos[: EXPORT_MEASURES.latency_runs]:
        start = time.perf_counter()
        answers.append(model.probability(pixels))
        seconds.append(time.perf_counter() - start)
    probabilities = np.array([*answers, *_answers(exported.tflite, photos[len(answers) :])])
    difference = np.abs(probabilities - scores)
    right = np.mean((probabilities >= threshold) == positive)
    expected = np.mean((scores >= threshold) == positive)
    return Measurement(
        exported,
        accuracy_loss_points=float(100 * (expected - right)),
        parity_p99=float(np.percentile(difference, 99)),
        parity_max=float(difference.max()),
        latency_ms=float(1000 * np.median(seconds)),
    )


def _answers(tflite: bytes, photos: Sequence[Pixels]) -> list[float]:
    """Probabilities of photos in their order. LiteRT lets go of the interpreter lock as it runs."""
    local = threading.local()

    def answer(pixels: Pixels) -> float:
        if not hasattr(local, "model"):
            local.model = TfliteModel(tflite)
        model: TfliteModel = local.model
        return model.probability(pixels)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(answer, photos))


def choose(
    measurements: Sequence[Measurement], rules: ExportRules = EXPORT, gate: GateRules = GATE
) -> Measurement:
    """The fastest variant that keeps its accuracy and on no photo leaves the gate's parity.

    The gate looks at the 99th percentile on test. Photos compared here may be few, or known so
    well that every variant is sure of them: so here it is the worst of them that counts.

    Latencies nearer than `latency_tie` count as equal, and then the smaller file wins: it loads
    faster, and the choice does not hang on a measurement's noise.

    Raises TrainingError if not even float32 does: then the export itself is wrong.
    """
    fit = [
        measured
        for measured in measurements
        if measured.accuracy_loss_points <= rules.max_accuracy_loss_points
        and measured.parity_max <= gate.max_parity_difference
    ]
    if not fit:
        raise TrainingError(
            "no TFLite variant agrees with the Keras scores: "
            + "; ".join(
                f"{measured.exported.variant} loses {measured.accuracy_loss_points:.2f} points, "
                f"differs by {measured.parity_max:.4f}"
                for measured in measurements
            )
        )
    fastest = min(measured.latency_ms for measured in fit)
    ties = [m for m in fit if m.latency_ms <= fastest * (1 + EXPORT_MEASURES.latency_tie)]
    return min(ties, key=lambda measured: len(measured.exported.tflite))


def summary(measurements: Sequence[Measurement]) -> Mapping[TfliteVariant, Mapping[str, float]]:
    """The measured numbers by variant, for metrics.json."""
    return {
        measured.exported.variant: {
            "megabytes": len(measured.exported.tflite) / 1e6,
            "conversion_seconds": measured.exported.seconds,
            "accuracy_loss_points": measured.accuracy_loss_points,
            "parity_p99": measured.parity_p99,
            "parity_max": measured.parity_max,
            "latency_ms": measured.latency_ms,
        }
        for measured in measurements
    }
