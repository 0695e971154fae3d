"""What of a photo is watched for drift: how it is, how the backbone sees it, what is answered,
what people say it shows."""

import math
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final, Protocol

from areyouacat.drift import Histogram
from areyouacat.settings import SKETCH_DIM

INPUT_FEATURES: Final = ("brightness", "contrast", "sharpness", "size", "aspect")
SKETCH_FEATURES: Final = tuple(f"sketch_{number:02}" for number in range(SKETCH_DIM))
PROBABILITY_FEATURE: Final = "probability"
LABEL_FEATURE: Final = "label"
"""What people say: 1 for the positive label, else 0."""

_KEY: Final = "features"


class Measured(Protocol):
    """A photo that was measured at ingest, as `image_stats.ImageStats` has it."""

    @property
    def brightness(self) -> float:
        """Mean grey, [0, 1]."""

    @property
    def contrast(self) -> float:
        """Standard deviation of grey."""

    @property
    def sharpness(self) -> float:
        """Variance of the Laplacian of grey."""

    @property
    def width(self) -> int:
        """Pixels."""

    @property
    def height(self) -> int:
        """Pixels."""


def input_features(photo: Measured) -> tuple[float, float, float, float, float]:
    """The `INPUT_FEATURES` of a photo; size and aspect as logarithms to base 2.

    Raises:
        ValueError: a side has no length.
    """
    return (
        photo.brightness,
        photo.contrast,
        photo.sharpness,
        math.log2(photo.width) + math.log2(photo.height),
        math.log2(photo.width) - math.log2(photo.height),
    )


def baseline_of(features: Mapping[str, Histogram]) -> dict[str, Any]:
    """The `baseline` of a `model.json`."""
    return {_KEY: {name: asdict(one) for name, one in features.items()}}


def read_baseline(baseline: Mapping[str, Any]) -> dict[str, Histogram]:
    """What `baseline_of` wrote; empty for a model that is older than it.

    Raises:
        ValueError: it was written by something else.
    """
    try:
        found = baseline.get(_KEY, {})
        return {name: Histogram.from_dict(values) for name, values in found.items()}
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError(f"not a baseline: {error!r}") from error
