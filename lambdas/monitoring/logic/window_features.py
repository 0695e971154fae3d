"""The features of a window's photos, counted in the bins of the model's baseline."""

from array import array
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

import numpy as np

from areyouacat.drift import Histogram
from areyouacat.drift_features import (
    INPUT_FEATURES,
    LABEL_FEATURE,
    PROBABILITY_FEATURE,
    SKETCH_FEATURES,
    input_features,
)
from areyouacat.predictions import Prediction, PredictionItem
from areyouacat.settings import LABELS

_COLUMNS: Final = (*INPUT_FEATURES, *SKETCH_FEATURES)
_HELD_ROWS: Final = 4096
_ID_DIGITS: Final = 16
"""Of a photo's hash: two different photos of a window share them as good as never."""


class WindowFeatures:
    """Counts predictions as they are read; keeps eight bytes and a little of each photo.

    A photo counts once, however often it was asked about: who asks again tells nothing new of the
    world, and a test would take ten questions about one photo for ten photos.
    """

    def __init__(self, baseline: Mapping[str, Histogram], serving_version: str | None) -> None:
        """Probabilities are counted of `serving_version` alone: other models have others."""
        self._known = {name: one for name, one in baseline.items() if name in _COLUMNS}
        self._probability = baseline.get(PROBABILITY_FEATURE)
        self._serving_version = serving_version
        self._label = baseline.get(LABEL_FEATURE)
        self._seen: set[int] = set()
        self._labelled: set[int] = set()
        self._rows = array("d")
        self._probabilities = array("d")
        self._labels = array("d")
        self._counts = {
            name: np.zeros(len(one.counts), dtype=np.int64) for name, one in self._known.items()
        }

    def watching(self, items: Iterable[PredictionItem]) -> Iterator[PredictionItem]:
        """The same items; each is counted as it passes."""
        for item in items:
            self._add(item.prediction)
            yield item

    def watching_labels(self, items: Iterable[PredictionItem]) -> Iterator[PredictionItem]:
        """The same items; of each photo one label is counted as it passes."""
        for item in items:
            if item.feedback is not None:
                name = _name(item.prediction)
                if name not in self._labelled:
                    self._labelled.add(name)
                    self._labels.append(item.feedback.label == LABELS.positive)
            yield item

    def histograms(self) -> dict[str, Histogram]:
        """What was counted so far, by feature."""
        self._flush()
        found = {
            name: Histogram(one.edges, tuple(map(int, self._counts[name])))
            for name, one in self._known.items()
        }
        if self._probability is not None:
            found[PROBABILITY_FEATURE] = self._probability.count(self._probabilities)
        if self._label is not None:
            found[LABEL_FEATURE] = self._label.count(self._labels)
        return found

    def _add(self, prediction: Prediction) -> None:
        name = _name(prediction)
        if name in self._seen:
            return
        self._seen.add(name)
        self._rows.extend(input_features(prediction))
        self._rows.extend(prediction.sketch)
        if prediction.model_version == self._serving_version:
            self._probabilities.append(prediction.probability)
        if len(self._rows) >= _HELD_ROWS * len(_COLUMNS):
            self._flush()

    def _flush(self) -> None:
        rows = np.frombuffer(self._rows, dtype=np.float64).reshape(-1, len(_COLUMNS))
        for column, name in enumerate(_COLUMNS):
            if name in self._known:
                self._counts[name] += self._known[name].count(rows[:, column]).counts
        self._rows = array("d")


def _name(prediction: Prediction) -> int:
    return int(prediction.photo[:_ID_DIGITS], 16)
