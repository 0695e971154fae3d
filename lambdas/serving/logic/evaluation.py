"""Candidate against champion on the same photos: the numbers for the gate."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from areyouacat.comparison import who_is_right
from areyouacat.errors import CorruptModelError
from areyouacat.gates import GateInput, Measured, Paired
from areyouacat.model_spec import SCORES_FILE, ModelSpec
from areyouacat.quality import SHARES, Answers, evaluate
from areyouacat.settings import LABELS
from areyouacat.splits import Split
from lambdas.serving.logic.scoring import ScoredPhoto

_PARITY_PERCENTILE = 99.0


@dataclass(frozen=True, slots=True)
class Answered:
    """Some of the photos with what both models answered, position by position."""

    photos: tuple[ScoredPhoto, ...]
    candidate: Answers
    champion: Answers | None


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What the gate looks at, and the numbers that people and MLflow look at."""

    gate_input: GateInput
    metrics: Mapping[str, float]


def answered(
    scored: Sequence[ScoredPhoto], candidate: ModelSpec, champion: ModelSpec | None
) -> Answered:
    """Turns probabilities into answers, each model's by its own threshold."""
    positive = np.array([photo.entry.label == LABELS.positive for photo in scored], dtype=bool)
    ours = np.array([photo.candidate for photo in scored], dtype=np.float64)
    theirs = None
    if champion is not None:
        probabilities = np.array([photo.champion for photo in scored], dtype=np.float64)
        theirs = Answers(probabilities, positive, champion.threshold)
    return Answered(tuple(scored), Answers(ours, positive, candidate.threshold), theirs)


def of_split(
    scored: Sequence[ScoredPhoto], split: Split, candidate: ModelSpec, champion: ModelSpec | None
) -> Answered:
    """The answers to the photos of one split; there may be none."""
    inside = [photo for photo in scored if photo.entry.split == split]
    return answered(inside, candidate, champion)


def evaluate_for_gate(
    scored: Sequence[ScoredPhoto],
    scores: Mapping[str, float],
    latency_ms: float,
    candidate: ModelSpec,
    champion: ModelSpec | None,
) -> Evaluation:
    """Turns scores into what the gate looks at.

    `scores`: the probability that training wrote, by photo.

    Raises:
        CorruptModelError: none of the photos could be scored, or training scored none of them.
    """
    differences = [
        abs(photo.candidate - scores[photo.entry.photo])
        for photo in scored
        if photo.entry.photo in scores
    ]
    if not differences:
        raise CorruptModelError(
            f"{SCORES_FILE} and the data set have none of {len(scored)} scored photos in common; "
            "train again on this data set"
        )
    test = of_split(scored, "test", candidate, champion)
    recent = of_split(scored, "recent", candidate, champion)
    gate_input = GateInput(
        mode=candidate.mode,
        test=_measured(test.candidate),
        parity_difference=float(np.percentile(differences, _PARITY_PERCENTILE)),
        latency_ms=latency_ms,
        against_champion=paired(test),
        recent_against_champion=paired(recent),
    )
    metrics = {
        "parity_max": max(differences),
        "parity_p99": gate_input.parity_difference,
        "latency_ms_p50": latency_ms,
        "scored_photos": len(scored),
        **_metrics("test", test),
        **_metrics("recent", recent),
    }
    return Evaluation(gate_input, metrics)


def keras_scores(data: bytes) -> dict[str, float]:
    """The probability that training gave each photo it scored, from `scores.jsonl`.

    Raises:
        CorruptModelError: not such a file.
    """
    try:
        rows = [json.loads(line) for line in data.splitlines()]
        return {str(row["photo"]): float(row["probability"]) for row in rows}
    except (ValueError, KeyError, TypeError) as error:
        raise CorruptModelError(f"{SCORES_FILE} cannot be read: {error!r}") from error


def paired(answers: Answered) -> Paired | None:
    """Who is right where; None without a champion or without photos."""
    if answers.champion is None or not answers.photos:
        return None
    return who_is_right(answers.candidate, answers.champion)


def _measured(answers: Answers) -> Measured:
    photos = len(answers.positive)
    if not photos:
        return Measured(photos=0, positives=0, accuracy=0.0, precision=0.0, recall=0.0)
    quality = evaluate(answers.probabilities, answers.positive, answers.threshold)
    return Measured(
        photos=photos,
        positives=int(answers.positive.sum()),
        accuracy=quality.accuracy,
        precision=quality.precision,
        recall=quality.recall,
    )


def _metrics(split: Split, answers: Answered) -> dict[str, float]:
    found = {**_flat(split, answers.candidate)}
    if answers.champion is not None:
        found |= _flat(f"champion_{split}", answers.champion)
    if pair := paired(answers):
        low, high = pair.difference_interval_points
        found |= {
            f"{split}_difference_points": pair.difference_points,
            f"{split}_difference_points_low": low,
            f"{split}_difference_points_high": high,
        }
    return found


def _flat(prefix: str, answers: Answers) -> dict[str, float]:
    """Only what has something to divide by: a recall of 0 would be a lie about no photo."""
    measured = _measured(answers)
    values = {"photos": measured.photos} | (
        {name: getattr(measured, name) for name in SHARES if name in answers.defined()}
        if measured.photos
        else {}
    )
    return {f"{prefix}_{name}": value for name, value in values.items()}
