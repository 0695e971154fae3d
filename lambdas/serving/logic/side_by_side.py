"""Candidate and champion beside each other: every figure, every slice, every disagreement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from areyouacat.comparison import accuracy_difference
from areyouacat.model_spec import ModelSpec
from areyouacat.quality import FIGURES, SHARES
from areyouacat.resampling import Beside, Estimate, estimates, estimates_beside
from areyouacat.settings import EVALUATION
from areyouacat.slice_quality import slices
from lambdas.serving.logic.evaluation import Answered, answered, of_split, paired
from lambdas.serving.logic.scoring import ScoredPhoto


@dataclass(frozen=True, slots=True)
class Row:
    """One figure of some photos. `champion`, `difference`: None where there is none."""

    candidate: Estimate
    champion: Estimate | None
    difference: Estimate | None


@dataclass(frozen=True, slots=True)
class Disagreement:
    """Photos that one model has right and the other wrong; `photos`: the first few hashes."""

    number: int
    photos: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SideBySide:
    """What both models make of some photos; `rows` are empty where the photos are too few."""

    name: str
    photos: int
    positives: int
    rows: Mapping[str, Row]


@dataclass(frozen=True, slots=True)
class SplitSideBySide:
    """A split as a whole and by slice. The disagreements are None without a champion."""

    whole: SideBySide
    slices: tuple[SideBySide, ...]
    only_candidate_right: Disagreement | None
    only_champion_right: Disagreement | None


def compare(
    scored: Sequence[ScoredPhoto], candidate: ModelSpec, champion: ModelSpec | None
) -> list[SplitSideBySide]:
    """Test and recent, as far as there are any; for a bootstrap model all photos as one."""
    if candidate.mode == "bootstrap":
        parts = {"All splits, train too": answered(scored, candidate, champion)}
    else:
        parts = {
            "Test": of_split(scored, "test", candidate, champion),
            "Recent": of_split(scored, "recent", candidate, champion),
        }
    return [side_by_side(name, found) for name, found in parts.items() if found.photos]


def side_by_side(name: str, answers: Answered) -> SplitSideBySide:
    """Compares on at least one photo; `name`: what the photos are."""
    groups = [photo.entry.group for photo in answers.photos]
    parts = []
    for found in slices([photo.entry for photo in answers.photos]):
        within = Answered(
            tuple(answers.photos[photo] for photo in found.members),
            answers.candidate.some(found.members),
            answers.champion.some(found.members) if answers.champion else None,
        )
        rows = _rows(within, [groups[photo] for photo in found.members]) if found.enough else {}
        parts.append(
            _described(found.name, within, {key: rows[key] for key in SHARES if key in rows})
        )
    rows = _rows(answers, groups)
    return SplitSideBySide(
        _described(name, answers, {key: rows[key] for key in FIGURES if key in rows}),
        tuple(parts),
        *_disagreements(answers),
    )


def _described(name: str, answers: Answered, rows: Mapping[str, Row]) -> SideBySide:
    return SideBySide(name, len(answers.photos), int(answers.candidate.positive.sum()), rows)


def _rows(answers: Answered, groups: list[str]) -> dict[str, Row]:
    if answers.champion is None:
        alone = estimates(answers.candidate, groups)
        return {name: Row(found, None, None) for name, found in alone.items()}
    rows = {
        name: _row(found)
        for name, found in estimates_beside(answers.candidate, answers.champion, groups).items()
    }
    if pair := paired(answers):
        rows["accuracy"] = replace(rows["accuracy"], difference=accuracy_difference(pair))
    return rows


def _row(found: Beside) -> Row:
    return Row(found.first, found.second, found.difference)


def _disagreements(answers: Answered) -> tuple[Disagreement | None, Disagreement | None]:
    if answers.champion is None:
        return (None, None)
    ours, theirs = answers.candidate.right, answers.champion.right
    photos = np.array([photo.entry.photo for photo in answers.photos])
    better, worse = (np.sort(photos[chosen]) for chosen in (ours & ~theirs, ~ours & theirs))
    shown = EVALUATION.disagreements_shown
    return (
        Disagreement(len(better), tuple(better[:shown].tolist())),
        Disagreement(len(worse), tuple(worse[:shown].tolist())),
    )
