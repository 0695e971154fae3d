"""What a model says of photos, by the code that serves it."""

import os
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from areyouacat.images import decode, to_model_input
from areyouacat.quality import Quality, evaluate
from areyouacat.settings import LABELS, UNSURE
from areyouacat.verdicts import label, verdict
from benchmarks.photos import LabelledPhoto
from lambdas.serving.logic.loaded_model import LoadedModel, ModelFiles


@dataclass(frozen=True, slots=True)
class Scored:
    """The answers to labelled photos.

    `probabilities`: of the positive label. `called`: the label answered. `verdicts`: with `unsure`.
    """

    labels: tuple[str, ...]
    probabilities: npt.NDArray[np.float64]
    called: tuple[str, ...]
    verdicts: tuple[str, ...]
    threshold: float

    @property
    def accuracy(self) -> float:
        """Share of right answers, [0, 1]."""
        return _share(a == b for a, b in zip(self.labels, self.called, strict=True))

    @property
    def called_positive(self) -> int:
        """How many were answered with the positive label."""
        return sum(answer == LABELS.positive for answer in self.called)

    @property
    def unsure(self) -> float:
        """Share of photos about which the model would not say, [0, 1]."""
        return _share(answer == UNSURE for answer in self.verdicts)

    @property
    def sure_precision(self) -> float:
        """Share of right answers where the model did say, [0, 1]."""
        return _share(
            true == answer
            for true, answer in zip(self.labels, self.verdicts, strict=True)
            if answer != UNSURE
        )

    @property
    def calibration_error(self) -> float:
        """Expected calibration error, as training measures it."""
        return self._quality.expected_calibration_error

    @property
    def log_loss(self) -> float:
        """Mean negative log likelihood of the true labels, in nats."""
        return self._quality.log_loss

    @property
    def _quality(self) -> Quality:
        positive = np.array([name == LABELS.positive for name in self.labels])
        return evaluate(self.probabilities, positive, self.threshold)


def score(files: ModelFiles, photos: Sequence[LabelledPhoto]) -> Scored:
    """Decode, resize and score every photo, on all processors."""
    threads = os.cpu_count() or 1

    def some(first: int) -> list[float]:
        model = LoadedModel(files)  # not thread-safe, so each thread has one
        return [
            model.score(to_model_input(decode(photo.data))).probability
            for photo in photos[first::threads]
        ]

    probabilities = np.empty(len(photos))
    with ThreadPoolExecutor(threads) as pool:
        for first, found in enumerate(pool.map(some, range(threads))):
            probabilities[first::threads] = found
    spec = LoadedModel(files).spec
    return Scored(
        tuple(photo.label for photo in photos),
        probabilities,
        tuple(label(value, spec.threshold) for value in probabilities),
        tuple(verdict(value, spec.bands) for value in probabilities),
        spec.threshold,
    )


def _share(hits: Iterable[bool]) -> float:
    found = list(hits)
    return sum(found) / len(found) if found else 0.0
