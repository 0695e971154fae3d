"""The golden photos: what a challenger has to know before it meets a caller.

They are photos of its data set that the champion answers right and without a doubt. A sound
challenger differs from the champion on the hard ones; on these it has nothing to lose.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from areyouacat.model_spec import ModelSpec
from areyouacat.settings import GOLDEN, LABELS, UNSURE, GoldenRules
from areyouacat.traffic import golden_harm
from areyouacat.verdicts import label, verdict
from lambdas.serving.logic.scoring import ScoredPhoto

_SHOWN: Final = 5


@dataclass(frozen=True, slots=True)
class Golden:
    """How a challenger did. `wrong`: the first few photos (SHA-256) that it does not know."""

    photos: int
    right: int
    wrong: tuple[str, ...]
    passed: bool
    reason: str


def judge_golden(
    scored: Iterable[ScoredPhoto],
    challenger: ModelSpec,
    champion: ModelSpec,
    rules: GoldenRules = GOLDEN,
) -> Golden:
    """Judges the challenger by photos that both models scored, each label alike as far as it goes.

    `scored`: the challenger in the candidate's place; each photo's champion score is there.
    """
    known = [photo for photo in scored if _is_golden(photo, champion)]
    chosen = _evenly(known, rules.photos)
    wrong = [
        photo.entry.photo
        for photo in chosen
        if label(photo.candidate, challenger.threshold) != photo.entry.label
    ]
    right = len(chosen) - len(wrong)
    harm = golden_harm(len(chosen), right, rules)
    if not chosen:
        return unknown("no golden photo is left in the lake")
    reason = harm or f"right on {right} of {len(chosen)} golden photos"
    return Golden(len(chosen), right, tuple(wrong[:_SHOWN]), harm is None, reason)


def refused(reason: str) -> Golden:
    """A challenger that cannot be loaded, or answers with no number."""
    return Golden(0, 0, (), False, reason)


def unknown(reason: str) -> Golden:
    """No photo is known to be golden: health alone will decide."""
    return Golden(0, 0, (), True, reason)


def _is_golden(photo: ScoredPhoto, champion: ModelSpec) -> bool:
    if photo.champion is None or verdict(photo.champion, champion.bands) == UNSURE:
        return False
    return label(photo.champion, champion.threshold) == photo.entry.label


def _evenly(photos: list[ScoredPhoto], most: int) -> list[ScoredPhoto]:
    """At most `most` of them, the labels in turn: one label must not hide the other's failures."""
    by_label = [[photo for photo in photos if photo.entry.label == name] for name in LABELS.all]
    shorter, longer = sorted(by_label, key=len)
    few = shorter[: most // 2]
    return [*few, *longer[: most - len(few)]]
