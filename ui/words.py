"""What the page says about an answer, in words made of the settings' label names."""

from __future__ import annotations

from areyouacat.settings import LABELS, UNSURE
from ui.answers import Prediction

QUESTION = f"Is this {LABELS.positive_words}?"


def label_words(label: str) -> str:
    """A label as people say it, such as "a cat"."""
    return LABELS.positive_words if label == LABELS.positive else LABELS.negative_words


def headline(prediction: Prediction) -> str:
    """The verdict as a sentence."""
    if prediction.verdict == UNSURE:
        return f"{LABELS.unsure_words.capitalize()}."
    return f"This is {label_words(prediction.verdict)}."


def likelihood(probability: float) -> str:
    """How likely the positive label is, never claiming certainty."""
    return f"{percent(probability)} likely to be {LABELS.positive_words}"


def calibration(probability: float) -> str:
    """What the probability promises, in photos."""
    return (
        f"Of 100 photos that get this answer, about "
        f"{max(1, min(99, round(probability * 100)))} can be expected to show "
        f"{LABELS.positive_words}."
    )


def percent(probability: float) -> str:
    """A probability in whole per cent, open at both ends."""
    if probability < 0.01:
        return "less than 1 %"
    if probability > 0.99:
        return "more than 99 %"
    return f"{probability * 100:.0f} %"


def erased(*, photo_erased: bool) -> str:
    """What is gone after a person had an answer erased."""
    if photo_erased:
        return "Erased: the photo, the answer and what you said about it."
    return (
        "Erased: the answer and what you said about it. The photo itself stays: it is part of the "
        "collection that the model learns from."
    )
