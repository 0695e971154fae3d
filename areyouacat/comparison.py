"""Any number of models on the same photos: who is how good, who is right where.

Plain arithmetic on probabilities; intervals and tests are the same as training's and the gate's.
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from areyouacat.gates import Paired
from areyouacat.quality import (
    FIGURES,
    Answers,
    Confusion,
    Positive,
    Probabilities,
    ReliabilityBin,
    confusion,
    reliability,
    roc_curve,
)
from areyouacat.resampling import Estimate, estimates_among


@dataclass(frozen=True, slots=True)
class Contender:
    """One model: what it answers to the photos, in their order, and how fast.

    `probabilities`: of the positive label, (photos,). `threshold`: the model's own.
    `latency_ms`: median of one inference.
    """

    version: str
    probabilities: Probabilities
    threshold: float
    latency_ms: float


@dataclass(frozen=True, slots=True)
class RocCurve:
    """The corners of the curve, from (0, 0) to (1, 1)."""

    false_positive_rate: tuple[float, ...]
    true_positive_rate: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class ModelFigures:
    """How good one model is.

    `figures`: those of `quality.FIGURES` that have something to divide by. `roc`: None if a label
    is absent.
    """

    version: str
    threshold: float
    latency_ms: float
    figures: Mapping[str, Estimate]
    confusion: Confusion
    roc: RocCurve | None
    reliability: tuple[ReliabilityBin, ...]


@dataclass(frozen=True, slots=True)
class Pair:
    """Two of the models: on how many photos who is right, and how their figures differ.

    `differences`: the second's figure minus the first's. `p_value`: of the two-sided exact McNemar
    test that both are right equally often. `p_adjusted`: the same by Holm's method, for as many
    pairs as there are: the more one compares, the more looks different by chance (S. Holm, A
    Simple Sequentially Rejective Multiple Test Procedure, 1979).
    """

    first: str
    second: str
    both_right: int
    only_first_right: int
    only_second_right: int
    both_wrong: int
    p_value: float
    p_adjusted: float
    differences: Mapping[str, Estimate]


@dataclass(frozen=True, slots=True)
class Comparison:
    """All models, and each two of them, in the order in which they came."""

    photos: int
    positives: int
    models: tuple[ModelFigures, ...]
    pairs: tuple[Pair, ...]


def compare(
    contenders: Sequence[Contender], positive: Positive, groups: Sequence[str]
) -> Comparison:
    """Compares at least one model on at least one photo.

    `positive`: what the labels say, (photos,). `groups`: of look-alikes, by photo: they are drawn
    together for the intervals, all models by the same draws.
    """
    answers = [Answers(each.probabilities, positive, each.threshold) for each in contenders]
    among = estimates_among(answers, groups)
    models = tuple(
        _figures(contender, given, found)
        for contender, given, found in zip(contenders, answers, among.figures, strict=True)
    )
    pairs = [
        _pair(
            (contenders[first].version, contenders[second].version),
            who_is_right(answers[second], answers[first]),
            among.differences[first, second],
        )
        for first, second in itertools.combinations(range(len(contenders)), 2)
    ]
    adjusted = holm([pair.p_value for pair in pairs])
    return Comparison(
        photos=len(positive),
        positives=int(positive.sum()),
        models=models,
        pairs=tuple(replace(pair, p_adjusted=p) for pair, p in zip(pairs, adjusted, strict=True)),
    )


def who_is_right(candidate: Answers, champion: Answers) -> Paired:
    """Two models' answers to the same photos, photo by photo."""
    ours, theirs = candidate.right, champion.right
    return Paired(
        photos=len(ours),
        only_champion_right=int(np.sum(~ours & theirs)),
        only_candidate_right=int(np.sum(ours & ~theirs)),
        both_wrong=int(np.sum(~ours & ~theirs)),
    )


def p_different(pair: Paired) -> float:
    """Two-sided exact McNemar test: small when one of the two is surely better."""
    turned = replace(
        pair,
        only_champion_right=pair.only_candidate_right,
        only_candidate_right=pair.only_champion_right,
    )
    return min(1.0, 2 * min(pair.p_worse, turned.p_worse))


def accuracy_difference(pair: Paired) -> Estimate:
    """The difference in accuracy with the gate's own limits: two would only confuse."""
    low, high = pair.difference_interval_points
    return Estimate(pair.difference_points / 100, low / 100, high / 100)


def holm(p_values: Sequence[float]) -> list[float]:
    """Each p-value as it stands among the others, in the order given."""
    adjusted = [0.0] * len(p_values)
    at_least = 0.0
    for rank, index in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        at_least = max(at_least, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = at_least
    return adjusted


def _figures(contender: Contender, answers: Answers, found: Mapping[str, Estimate]) -> ModelFigures:
    roc = None
    if "roc_auc" in found:
        false_rate, true_rate = roc_curve(answers.probabilities, answers.positive)
        roc = RocCurve(tuple(false_rate.tolist()), tuple(true_rate.tolist()))
    return ModelFigures(
        version=contender.version,
        threshold=contender.threshold,
        latency_ms=contender.latency_ms,
        figures={name: found[name] for name in FIGURES if name in found},
        confusion=confusion(answers),
        roc=roc,
        reliability=tuple(reliability(answers.probabilities, answers.positive)),
    )


def _pair(versions: tuple[str, str], paired: Paired, differences: Mapping[str, Estimate]) -> Pair:
    """`paired`: the first version in the champion's place, the second in the candidate's."""
    p_value = p_different(paired)
    differing = paired.only_champion_right + paired.only_candidate_right
    return Pair(
        *versions,
        both_right=paired.photos - differing - paired.both_wrong,
        only_first_right=paired.only_champion_right,
        only_second_right=paired.only_candidate_right,
        both_wrong=paired.both_wrong,
        p_value=p_value,
        p_adjusted=p_value,
        differences={
            name: accuracy_difference(paired) if name == "accuracy" else differences[name]
            for name in FIGURES
            if name in differences
        },
    )
