"""Predictions in memory, by time."""

from collections.abc import Iterable
from datetime import datetime

from areyouacat.predictions import PredictionItem


class MemoryPredictions:
    """Answers as the table does; remembers which times it was asked for."""

    def __init__(self, *items: PredictionItem) -> None:
        self._items = items
        self.asked: list[tuple[datetime, datetime]] = []

    def predicted_between(self, start: datetime, end: datetime) -> Iterable[PredictionItem]:
        self.asked.append((start, end))
        return [i for i in self._items if start <= i.prediction.predicted_at <= end]

    def labelled_between(self, start: datetime, end: datetime) -> Iterable[PredictionItem]:
        self.asked.append((start, end))
        return [i for i in self._items if i.feedback and start <= i.feedback.at <= end]
