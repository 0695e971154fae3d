"""Keeps an answered request: the photo in the lake and the item in the table, side by side."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from areyouacat.predictions import Prediction, prediction_item
from areyouacat.settings import SERVING
from lambdas.serving.dal.photo_store import PhotoStore
from lambdas.shared.predictions_table import PredictionsTable


class PredictionWriter:
    """Writes to both stores and returns when both have it."""

    def __init__(self, photos: PhotoStore, table: PredictionsTable) -> None:
        """The two stores; one thread is kept for the photo."""
        self._photos = photos
        self._table = table
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="photo")

    def write(self, prediction: Prediction, data: bytes) -> None:
        """Stores the photo's bytes and the prediction.

        Nothing is left running, whatever fails: a Lambda freezes when it has answered.
        """
        upload = self._pool.submit(self._photos.put, prediction.photo, data, prediction.format)
        try:
            self._table.put(prediction_item(prediction, SERVING.prediction_ttl_days))
        finally:
            upload.exception()
        upload.result()
