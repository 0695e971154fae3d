"""Scoring many photos with the serving code: first a few for the clock, then all on all cores."""

from __future__ import annotations

import itertools
import os
import statistics
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from areyouacat.dataset import ManifestEntry
from areyouacat.errors import RequestError
from areyouacat.images import decode, to_model_input
from lambdas.serving.logic.ahead import ahead
from lambdas.serving.logic.loaded_model import LoadedModel, ModelFiles

Photo = tuple[ManifestEntry, bytes | None]
"""A photo's place in the data set, and its bytes if it still has any."""

ModelInput = NDArray[np.float32]

_WARM_UP_RUNS = 3


@dataclass(frozen=True, slots=True)
class ScoredPhoto:
    """One photo of the sample; probabilities of the positive label, [0, 1]."""

    entry: ManifestEntry
    candidate: float
    champion: float | None


def median_latency_ms(model: LoadedModel, inputs: Sequence[ModelInput]) -> float:
    """The median time of one inference; `inputs`: at least one. Nothing else should be running."""
    for model_input in inputs[:_WARM_UP_RUNS]:
        model.score(model_input)
    times = []
    for model_input in inputs:
        started = time.perf_counter()
        model.score(model_input)
        times.append(time.perf_counter() - started)
    return 1000 * statistics.median(times)


def model_inputs(photos: Iterable[Photo], most: int) -> list[ModelInput]:
    """The first photos that can be read, as the network wants them."""
    inputs = (_model_input(data) for _, data in photos)
    return list(itertools.islice((found for found in inputs if found is not None), most))


def score(
    photos: Iterable[Photo], candidate: ModelFiles, champion: ModelFiles | None
) -> Iterator[ScoredPhoto]:
    """Scores photos with both models, in order; leaves out those erased or not readable."""
    models = [files for files in (candidate, champion) if files]
    for entry, probabilities in score_all(photos, models):
        yield ScoredPhoto(entry, probabilities[0], probabilities[1] if champion else None)


def score_all(
    photos: Iterable[Photo], models: Sequence[ModelFiles]
) -> Iterator[tuple[ManifestEntry, tuple[float, ...]]]:
    """Photos with every model's probability, in order; leaves out those erased or not readable.

    A photo is decoded once. Every thread has interpreters of its own; LiteRT and Pillow let go of
    Python's lock, so all cores work. The numbers do not depend on who computes them.
    """
    cores = os.cpu_count() or 1
    local = threading.local()

    def loaded() -> Sequence[LoadedModel]:
        if not hasattr(local, "models"):
            local.models = [LoadedModel(files) for files in models]
        found: Sequence[LoadedModel] = local.models
        return found

    def score_one(photo: Photo) -> tuple[ManifestEntry, tuple[float, ...]] | None:
        entry, data = photo
        model_input = _model_input(data)
        if model_input is None:
            return None
        return entry, tuple(model.score(model_input).probability for model in loaded())

    for scored in ahead(score_one, photos, threads=cores, window=2 * cores):
        if scored is not None:
            yield scored


def _model_input(data: bytes | None) -> ModelInput | None:
    if data is None:
        return None
    try:
        return to_model_input(decode(data))
    except RequestError:
        return None
