"""What a window's photos are counted as, and what that says."""

from typing import Any

import numpy as np
import pytest

from areyouacat.drift import Histogram
from areyouacat.drift_features import (
    INPUT_FEATURES,
    LABEL_FEATURE,
    PROBABILITY_FEATURE,
    SKETCH_FEATURES,
    baseline_of,
    input_features,
    read_baseline,
)
from areyouacat.predictions import PredictionItem
from areyouacat.settings import DRIFT
from lambdas.monitoring.logic import window_features
from lambdas.monitoring.logic.collection import collect
from lambdas.monitoring.logic.window_features import WindowFeatures
from tests.unit.lambdas.monitoring.memory_predictions import MemoryPredictions
from tests.unit.lambdas.pipeline.factories import NOON, labelled_item

EDGES = {
    "brightness": (0.25, 0.5, 0.75),
    "size": (16.0,),
    "aspect": (0.0,),
    "sketch_00": (0.0,),
    "sketch_15": (0.0,),
    PROBABILITY_FEATURE: (0.5,),
}
BASELINE = {name: Histogram(edges, (100,) * (len(edges) + 1)) for name, edges in EDGES.items()}


def counted(*items: PredictionItem, serving: str | None = "1") -> dict[str, tuple[int, ...]]:
    features = WindowFeatures(BASELINE, serving)
    assert list(features.watching(items)) == list(items)
    return {name: one.counts for name, one in features.histograms().items()}


def test_every_feature_of_a_photo_is_counted_in_the_baselines_bins() -> None:
    sketch = (-1.0, *(0.0,) * 14, 1.0)
    item = labelled_item("a", brightness=0.6, width=512, height=256, sketch=sketch, probability=0.9)

    assert counted(item) == {
        "brightness": (0, 0, 1, 0),
        "size": (0, 1),
        "aspect": (0, 1),
        "sketch_00": (1, 0),
        "sketch_15": (0, 1),
        PROBABILITY_FEATURE: (0, 1),
    }


def test_a_photo_counts_once_however_often_it_is_asked_about() -> None:
    again = [labelled_item("a", prediction_id=str(number)) for number in range(50)]

    assert sum(counted(*again, labelled_item("b"))["brightness"]) == 2


def test_probabilities_are_the_serving_versions_alone() -> None:
    other, serving = labelled_item("a", model_version="1"), labelled_item("b", model_version="2")

    found = counted(other, serving, serving="2")

    assert (sum(found[PROBABILITY_FEATURE]), sum(found["brightness"])) == (1, 2)


def test_many_photos_are_counted_as_few_are(monkeypatch: pytest.MonkeyPatch) -> None:
    shades = [number / 1000 for number in range(1000)]
    items = [labelled_item(str(shade), brightness=shade) for shade in shades]
    at_once = counted(*items)
    monkeypatch.setattr(window_features, "_HELD_ROWS", 7)

    assert counted(*items) == at_once
    assert at_once["brightness"] == (250, 250, 250, 250)


def test_without_a_baseline_nothing_is_counted() -> None:
    features = WindowFeatures({}, "1")
    list(features.watching([labelled_item("a")]))

    assert features.histograms() == {}


def world(seed: int, size: int, **moved: Any) -> list[PredictionItem]:
    """Photos of an ordinary day, of which `moved` says what is different."""
    drawn = np.random.default_rng(seed)
    items = []
    for number in range(size):
        values = {
            "brightness": drawn.uniform(0.2, 0.8),
            "contrast": drawn.uniform(0.1, 0.3),
            "sharpness": drawn.lognormal(-4, 1),
            "width": int(drawn.integers(300, 4000)),
            "height": int(drawn.integers(300, 4000)),
            "sketch": tuple(drawn.normal(size=len(SKETCH_FEATURES)).tolist()),
            "probability": drawn.random(),
        }
        items.append(labelled_item(f"{seed}-{number}", **{**values, **moved}))
    return items


def known_world() -> dict[str, Histogram]:
    """A baseline as training would make it of that world."""
    items = [item.prediction for item in world(1, 1000)]
    rows = np.array([[*input_features(one), *one.sketch] for one in items])
    made = {
        name: Histogram.of(rows[:, column], DRIFT.bins)
        for column, name in enumerate((*INPUT_FEATURES, *SKETCH_FEATURES))
    }
    return made | {
        PROBABILITY_FEATURE: Histogram.of([one.probability for one in items], DRIFT.bins)
    }


def test_an_ordinary_window_has_a_drift_of_zero_and_a_distance_for_each_feature() -> None:
    found = collect(MemoryPredictions(*world(2, 300)), None, known_world(), 24, NOON)

    assert (found.drift.score, found.metrics["DataDrift"]) == (0.0, 0.0)
    assert {one.feature for one in found.drift.features} == {*INPUT_FEATURES, *SKETCH_FEATURES}


def test_night_is_noticed_and_named() -> None:
    night = world(3, 300, brightness=0.1)

    found = collect(MemoryPredictions(*night), None, known_world(), 24, NOON)

    assert found.drift.worst == ("brightness",)
    assert found.metrics["DataDrift"] > 1


def test_too_small_a_window_publishes_no_drift() -> None:
    found = collect(MemoryPredictions(*world(4, 50)), None, known_world(), 24, NOON)

    assert "DataDrift" not in found.metrics
    assert "the window has 50 photos" in str(found.drift.unknown)


def test_a_baseline_is_read_as_it_was_written() -> None:
    known = known_world()

    assert read_baseline(baseline_of(known)) == known
    assert read_baseline({"photos": 3, "probability": {"edges": [], "counts": []}}) == {}


@pytest.mark.parametrize(
    "features", [3, {"a": 3}, {"a": {}}, {"a": {"edges": [1, 2], "counts": [1]}}]
)
def test_what_is_no_baseline_is_refused(features: Any) -> None:
    with pytest.raises(ValueError, match="not a"):
        read_baseline({"features": features})


def test_of_each_photo_one_label_is_counted_in_the_baselines_bins() -> None:
    features = WindowFeatures({LABEL_FEATURE: Histogram((1.0,), (50, 50))}, "1")
    items = [
        labelled_item("a", said="cat"),
        labelled_item("a", said="cat", prediction_id="again"),
        labelled_item("b", said="not_cat"),
        labelled_item("c", said=None),
    ]

    assert list(features.watching_labels(items)) == items
    assert features.histograms()[LABEL_FEATURE].counts == (1, 1)
