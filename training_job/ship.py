"""Export all variants, measure each on stored photos, choose the one that ships."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import keras
import numpy as np
import numpy.typing as npt

from areyouacat.dataset import ManifestEntry
from areyouacat.model_spec import PROBABILITY_OUTPUT
from areyouacat.settings import LABELS
from training_job.comparison import Measurement, choose, measure
from training_job.dataset import TrainingDataset
from training_job.errors import TrainingDataError
from training_job.export import export_variants
from training_job.photos import PhotoSource, UnusablePhoto
from training_job.settings import EXPORT_MEASURES, FEATURES

Pixels = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Shipped:
    """The chosen variant, all measurements, and the whole Keras model beside the scores.

    `keras_difference`: largest |Keras from pixels - score from stored features|.
    """

    chosen: Measurement
    measurements: tuple[Measurement, ...]
    compared_photos: int
    keras_difference: float


def ship(
    model: keras.Model,
    dataset: TrainingDataset,
    source: PhotoSource,
    scores: Mapping[str, float],
    threshold: float,
) -> Shipped:
    """Export, measure and choose.

    `scores`: probability by photo, from the stored features; photos without one are passed over.
    The photos compared are of validation, then of train where validation has too few: choosing a
    variant is a choice, so test stays out of it.

    Raises TrainingDataError if no photo at all can be read, TrainingError if no variant agrees.
    """
    photos = EXPORT_MEASURES
    compared = dataset.sample("export", ("validation", "train"), photos.compared_photos)
    read = list(_read([entry for entry in compared if entry.photo in scores], source))
    if not read:
        raise TrainingDataError("no photo can be read to compare the exported model with")
    pixels = [found for _, found in read]
    positive = np.array([entry.label == LABELS.positive for entry, _ in read])
    expected = np.array([scores[entry.photo] for entry, _ in read])

    representative = [
        found
        for _, found in _read(
            dataset.sample("int8", ("train",), photos.representative_photos), source
        )
    ]
    measurements = tuple(
        measure(exported, pixels, positive, expected, threshold)
        for exported in export_variants(model, lambda: representative or pixels)
    )
    return Shipped(
        choose(measurements),
        measurements,
        len(read),
        _keras_difference(model, pixels, expected),
    )


def _read(
    entries: Sequence[ManifestEntry], source: PhotoSource
) -> Iterator[tuple[ManifestEntry, Pixels]]:
    """Those that can still be read; the others were counted when features were collected."""

    def pixels(entry: ManifestEntry) -> Pixels | None:
        try:
            return source.pixels(entry.photo)
        except UnusablePhoto:
            return None

    with ThreadPoolExecutor(FEATURES.transfer_threads) as pool:
        for entry, found in zip(entries, pool.map(pixels, entries), strict=True):
            if found is not None:
                yield entry, found


def _keras_difference(
    model: keras.Model, pixels: Sequence[Pixels], expected: npt.NDArray[np.float64]
) -> float:
    some = np.stack(pixels[: EXPORT_MEASURES.keras_photos])
    answers = model.predict(some, batch_size=32, verbose=0)[PROBABILITY_OUTPUT][:, 0]
    return float(np.abs(answers - expected[: len(some)]).max())
