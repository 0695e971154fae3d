"""Some of a window's photos, one row each, for the drift report."""

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final

from areyouacat.drift_features import input_features
from areyouacat.drift_sample import SampleRow
from areyouacat.predictions import PredictionItem
from areyouacat.settings import DRIFT_REPORT
from areyouacat.splits import position

_PURPOSE: Final = "drift report"


class WindowSample:
    """Keeps a bounded number of different photos, chosen by their hashes, as they are read.

    Of the serving version alone: another model's probabilities are others, and so may its sketches
    be. A photo that was asked about more than once has the label that was read last.
    """

    def __init__(self, serving_version: str | None, most: int = DRIFT_REPORT.sample_photos) -> None:
        """`most`: photos, above 0."""
        self._serving_version = serving_version
        self._most = most
        self._rows: dict[str, SampleRow] = {}
        self._places: list[tuple[float, str]] = []  # a heap: the last place, negative, comes first

    def watching(self, items: Iterable[PredictionItem]) -> Iterator[PredictionItem]:
        """The same items; each is looked at as it passes."""
        for item in items:
            if item.prediction.model_version == self._serving_version:
                self._add(item)
            yield item

    def rows(self) -> list[SampleRow]:
        """What was kept so far; the same photos give the same order."""
        return [self._rows[photo] for _, photo in sorted(self._places, reverse=True)]

    def _add(self, item: PredictionItem) -> None:
        photo, label = item.prediction.photo, item.feedback.label if item.feedback else None
        if photo in self._rows:
            if label:
                self._rows[photo] = replace(self._rows[photo], label=label)
            return
        place = -position(photo, _PURPOSE)
        if len(self._places) < self._most:
            heapq.heappush(self._places, (place, photo))
        elif place > self._places[0][0]:
            _, gone = heapq.heapreplace(self._places, (place, photo))
            del self._rows[gone]
        else:
            return
        self._rows[photo] = SampleRow(
            inputs=input_features(item.prediction),
            sketch=item.prediction.sketch,
            probability=item.prediction.probability,
            label=label,
        )
