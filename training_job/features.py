"""Features once per photo, ever: load what the lake has, compute the rest, store it."""

import logging
import os
import threading
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from ai_edge_litert.interpreter import Interpreter

from training_job.errors import TrainingDataError
from training_job.feature_cache import FeatureCache
from training_job.photos import PhotoSource, UnusablePhoto
from training_job.settings import FEATURES
from training_job.vector_table import Vector, VectorTable
from training_job.views import view_pixels

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Features:
    """Vectors of the photos that could be read, and why the others could not."""

    vectors: VectorTable
    unreadable: dict[str, str]
    computed: int
    seconds: float


def collect_features(
    photos: Sequence[str],
    cache: FeatureCache,
    source: PhotoSource,
    make_extractor: Callable[[], bytes],
) -> Features:
    """Vectors of all photos, seen as the cache's view says.

    `make_extractor` gives the backbone as TFLite; called only if needed.

    The lake is the job's checkpoint: shards are stored as they fill, and what a job that is told to
    stop has of one, too; the same job started again computes the rest. One that is killed loses a
    shard's work at most.

    Raises TrainingDataError if more than `max_unreadable_share` of the photos cannot be read.
    """
    start = time.monotonic()
    vectors = cache.load(photos)
    missing = vectors.missing()
    _LOG.info(
        "features (%s): %s stored, %s to compute",
        cache.view,
        f"{len(vectors):,}",
        f"{len(missing):,}",
    )
    unreadable: dict[str, str] = {}
    shard: dict[str, Vector] = {}
    # Closed, so that whoever stops the job between two photos does not wait for the others.
    with closing(_compute(missing, source, cache.view, make_extractor)) as results:
        try:
            for photo, result in results:
                if isinstance(result, str):
                    unreadable[photo] = result
                    continue
                shard[photo] = result
                if len(shard) == FEATURES.photos_per_shard:
                    _take(cache, vectors, shard)
                    shard = {}
        except BaseException:
            _keep(cache, shard)
            raise
    _take(cache, vectors, shard)
    _report_unreadable(unreadable, len(photos))
    computed = len(missing) - len(unreadable)
    return Features(vectors, unreadable, computed, time.monotonic() - start)


class Extractor:
    """The backbone in LiteRT. One instance serves one thread."""

    def __init__(self, tflite: bytes) -> None:
        """`tflite`: photo (1, px, px, 3) in, embedding (1, dim) out."""
        self._interpreter = Interpreter(model_content=tflite, num_threads=1)
        self._interpreter.allocate_tensors()
        self._input = self._interpreter.get_input_details()[0]["index"]
        self._output = self._interpreter.get_output_details()[0]["index"]

    def embed(self, pixels: npt.NDArray[np.float32]) -> npt.NDArray[np.float16]:
        """The embedding (dim,) of a photo's pixels (px, px, 3)."""
        self._interpreter.set_tensor(self._input, pixels[np.newaxis])
        self._interpreter.invoke()
        vector: npt.NDArray[np.float32] = self._interpreter.get_tensor(self._output)[0]
        return vector.astype(np.float16)


def _take(cache: FeatureCache, vectors: VectorTable, shard: Mapping[str, Vector]) -> None:
    if shard:
        cache.store(shard)
        vectors.fill(list(shard), np.stack(list(shard.values())))


def _keep(cache: FeatureCache, shard: Mapping[str, Vector]) -> None:
    """Store what is there of a shard; why the job ends matters more than that this fails."""
    try:
        cache.store(shard)
    except Exception:
        _LOG.exception("the features of %s photos could not be kept", f"{len(shard):,}")


def _compute(
    photos: Sequence[str], source: PhotoSource, view: str, make_extractor: Callable[[], bytes]
) -> Generator[tuple[str, npt.NDArray[np.float16] | str]]:
    """Each photo with its vector, or with the reason why it has none; in the given order.

    Threads are enough: Pillow and LiteRT both let go of the interpreter lock while they work.
    """
    if not photos:
        return
    tflite = make_extractor()
    local = threading.local()

    def embed(photo: str) -> npt.NDArray[np.float16] | str:
        if not hasattr(local, "extractor"):
            local.extractor = Extractor(tflite)
        try:
            pixels = view_pixels(source.decoded(photo), view)
        except UnusablePhoto as error:
            return str(error)
        vector: npt.NDArray[np.float16] = local.extractor.embed(pixels)
        return vector

    pool = ThreadPoolExecutor(os.cpu_count() or 1)
    try:
        told = start = time.monotonic()
        for done, (photo, result) in enumerate(
            zip(photos, pool.map(embed, photos), strict=True), start=1
        ):
            yield photo, result
            now = time.monotonic()
            if done == len(photos) or now - told >= FEATURES.progress_seconds:
                told = now
                rate = done / max(now - start, 1e-9)
                _LOG.info("features %s/%s (%.0f/s)", f"{done:,}", f"{len(photos):,}", rate)
    finally:
        pool.shutdown(cancel_futures=True)  # a stopped job does not first finish the queue


def _report_unreadable(unreadable: dict[str, str], photos: int) -> None:
    if not unreadable:
        return
    named = "; ".join(
        f"{photo}: {reason}" for photo, reason in list(unreadable.items())[: FEATURES.names_shown]
    )
    message = f"{len(unreadable):,} of {photos:,} photos cannot be read: {named}"
    if len(unreadable) > FEATURES.max_unreadable_share * photos:
        raise TrainingDataError(
            f"{message}. At most {FEATURES.max_unreadable_share:.0%} may be unreadable; remove "
            "these photos' labels or put readable copies into the lake"
        )
    _LOG.warning("%s; they are left out", message)
