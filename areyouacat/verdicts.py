"""From a probability to a label and to a verdict in three bands."""

from dataclasses import dataclass

from areyouacat.settings import LABELS, UNSURE


@dataclass(frozen=True, slots=True)
class Bands:
    """The limits of the unsure band, as probabilities of the positive label.

    Raises:
        ValueError: unless 0 <= negative_to <= positive_from <= 1.
    """

    negative_to: float
    positive_from: float

    def __post_init__(self) -> None:
        if not 0.0 <= self.negative_to <= self.positive_from <= 1.0:
            raise ValueError(
                f"bands must satisfy 0 <= negative_to <= positive_from <= 1, got {self}"
            )


def label(probability: float, threshold: float) -> str:
    """The label of a probability in [0, 1]: positive at or above `threshold`."""
    return LABELS.positive if probability >= threshold else LABELS.negative


def verdict(probability: float, bands: Bands) -> str:
    """The positive label, the negative label, or `settings.UNSURE` between the bands."""
    if probability >= bands.positive_from:
        return LABELS.positive
    if probability <= bands.negative_to:
        return LABELS.negative
    return UNSURE
