"""Keeps an answered request: the photo in the lake, the item in the table."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from areyouacat.predictions import Prediction, prediction_item
from areyouacat.settings import SERVING
from lambdas.serving.dal.photo_store import PhotoStore
from lambdas.shared.predictions_table import PredictionsTable


class PredictionWriter:
    """Writes to both stores side by side."""

    def __init__(self, photos: PhotoStore, table: PredictionsTable) -> None:
        """The two stores; one thread is kept for the photo."""
        self._photos = photos
        self._table = table
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="photo")

    @contextmanager
    def storing(self, photo: str, data: bytes, image_format: str) -> Iterator[None]:
        """Stores a photo's bytes while the block runs, and has stored them when it ends.

        Nothing is left running, whatever fails: a Lambda freezes when it has answered.
        """
        upload = self._pool.submit(self._photos.put, photo, data, image_format)
        try:
            yield
        finally:
            upload.exception()
        upload.result()

    def keep(self, prediction: Prediction) -> bool:
        """Stores a prediction; false if there is one of this id already."""
        return self._table.put(prediction_item(prediction, SERVING.prediction_ttl_days))

    def stored(self, prediction_id: str) -> Prediction | None:
        """The prediction of an id, if there is one."""
        item = self._table.get(prediction_id)
        return item.prediction if item else None
