"""Candidate against champion: the same photos, the serving code, and the numbers for the gate."""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from areyouacat.dataset import ManifestEntry
from areyouacat.errors import CorruptModelError, RequestError
from areyouacat.gates import GateInput, Measured, Paired
from areyouacat.images import decode, to_model_input
from areyouacat.model_spec import SCORES_FILE, Mode
from areyouacat.settings import LABELS
from areyouacat.verdicts import label
from lambdas.serving.logic.loaded_model import LoadedModel

SEED = 20_240_229  # the same data set gives the same sample, so a repeated run says the same
_PARITY_PERCENTILE = 99.0


@dataclass(frozen=True, slots=True)
class ScoredPhoto:
    """One photo of the sample; probabilities of the positive label, [0, 1]; times in ms."""

    entry: ManifestEntry
    candidate: float
    champion: float | None
    candidate_ms: float


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What the gate looks at, and the numbers that people and MLflow look at."""

    gate_input: GateInput
    metrics: Mapping[str, float]


def choose_sample(entries: Sequence[ManifestEntry], mode: Mode, limit: int) -> list[ManifestEntry]:
    """At most `limit` test photos and as many `recent` ones, each in proportion to its labels.

    A bootstrap model is tried on photos of every split: its test split is too small, and what
    is measured on it (parity, latency) needs no unseen photos.
    """
    if mode == "bootstrap":
        return _stratified(entries, limit)
    test = [entry for entry in entries if entry.split == "test"]
    recent = [entry for entry in entries if entry.split == "recent"]
    return [*_stratified(test, limit), *_stratified(recent, limit)]


def _stratified(entries: Sequence[ManifestEntry], limit: int) -> list[ManifestEntry]:
    if len(entries) <= limit:
        return list(entries)
    chosen: list[ManifestEntry] = []
    for name in LABELS.all:
        of_label = sorted((e for e in entries if e.label == name), key=lambda e: e.photo)
        share = len(of_label) * limit // len(entries)
        # Choosing test photos is no secret.
        chosen += random.Random(SEED).sample(of_label, share)  # noqa: S311
    return chosen


def score(
    photos: Iterable[tuple[ManifestEntry, bytes | None]],
    candidate: LoadedModel,
    champion: LoadedModel | None,
) -> Iterator[ScoredPhoto]:
    """Scores photos with both models; leaves out those that are erased or cannot be read."""
    for entry, data in photos:
        if data is None:
            continue
        try:
            model_input = to_model_input(decode(data))
        except RequestError:
            continue
        started = time.perf_counter()
        probability = candidate.score(model_input).probability
        candidate_ms = (time.perf_counter() - started) * 1000
        beside = champion.score(model_input).probability if champion else None
        yield ScoredPhoto(entry, probability, beside, candidate_ms)


def evaluate(
    scored: Sequence[ScoredPhoto],
    keras_scores: Mapping[str, float],
    candidate: LoadedModel,
    champion: LoadedModel | None,
) -> Evaluation:
    """Turns scores into what the gate looks at.

    `keras_scores`: the probability that training wrote, by photo.

    Raises:
        CorruptModelError: none of the photos could be scored, or training scored none of them.
    """
    differences = [
        abs(photo.candidate - keras_scores[photo.entry.photo])
        for photo in scored
        if photo.entry.photo in keras_scores
    ]
    if not differences:
        raise CorruptModelError(
            f"{SCORES_FILE} and the data set have none of {len(scored)} scored photos in common; "
            "train again on this data set"
        )
    threshold = candidate.spec.threshold
    test = [photo for photo in scored if photo.entry.split == "test"]
    recent = [photo for photo in scored if photo.entry.split == "recent"]
    gate_input = GateInput(
        mode=candidate.spec.mode,
        test=_measure([(p.entry.label, label(p.candidate, threshold)) for p in test]),
        parity_difference=float(np.percentile(differences, _PARITY_PERCENTILE)),
        latency_ms=statistics.median(photo.candidate_ms for photo in scored),
        against_champion=_pair(test, threshold, champion),
        recent_against_champion=_pair(recent, threshold, champion),
    )
    metrics = {
        "parity_max": max(differences),
        "parity_p99": gate_input.parity_difference,
        "latency_ms_p50": gate_input.latency_ms,
        "scored_photos": len(scored),
        **_flat("test", gate_input.test),
        **_flat(
            "recent", _measure([(p.entry.label, label(p.candidate, threshold)) for p in recent])
        ),
        **_champion_metrics(test, recent, champion),
    }
    return Evaluation(gate_input, metrics)


def _champion_metrics(
    test: Sequence[ScoredPhoto], recent: Sequence[ScoredPhoto], champion: LoadedModel | None
) -> dict[str, float]:
    if champion is None:
        return {}
    return {
        **_flat("champion_test", _measure(_champion_answers(test, champion))),
        **_flat("champion_recent", _measure(_champion_answers(recent, champion))),
    }


def _champion_answers(
    photos: Sequence[ScoredPhoto], champion: LoadedModel
) -> list[tuple[str, str]]:
    return [
        (photo.entry.label, label(photo.champion, champion.spec.threshold))
        for photo in photos
        if photo.champion is not None
    ]


def _measure(answers: Sequence[tuple[str, str]]) -> Measured:
    """Quality of (true, answered) labels; 0 where there is nothing to divide by."""
    right = sum(true == answered for true, answered in answers)
    true_positives = sum(true == answered == LABELS.positive for true, answered in answers)
    answered_positive = sum(answered == LABELS.positive for _, answered in answers)
    positives = sum(true == LABELS.positive for true, _ in answers)
    return Measured(
        photos=len(answers),
        accuracy=_ratio(right, len(answers)),
        precision=_ratio(true_positives, answered_positive),
        recall=_ratio(true_positives, positives),
    )


def _pair(
    photos: Sequence[ScoredPhoto], threshold: float, champion: LoadedModel | None
) -> Paired | None:
    if champion is None or not photos:
        return None
    pairs = [
        (label(photo.candidate, threshold) == photo.entry.label, answered == true)
        for photo, (true, answered) in zip(photos, _champion_answers(photos, champion), strict=True)
    ]
    return Paired(
        photos=len(pairs),
        only_champion_right=sum(not ours and theirs for ours, theirs in pairs),
        only_candidate_right=sum(ours and not theirs for ours, theirs in pairs),
    )


def _flat(prefix: str, measured: Measured) -> dict[str, float]:
    if not measured.photos:
        return {f"{prefix}_photos": 0}
    return {
        f"{prefix}_photos": measured.photos,
        f"{prefix}_accuracy": measured.accuracy,
        f"{prefix}_precision": measured.precision,
        f"{prefix}_recall": measured.recall,
    }


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else 0.0
