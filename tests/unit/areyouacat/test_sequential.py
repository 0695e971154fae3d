"""The sequential test's promise, by simulation: looked at after every pair of answers.

Measured with 400 runs each and the seeds below. Equal variants, 2,000 pairs: at most 2.3 % ever
reach odds of 20 (5 % are allowed). Power: 0.90 against 0.95 within 1,000 pairs 87 %, 0.95 against
0.98 within 2,000 pairs 97 %, 0.80 against 0.90 within 300 pairs 68 %.
"""

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from areyouacat.sequential import _BETS, NO_EVIDENCE, evidence
from areyouacat.settings import AB_TEST

RUNS = 400


def answers(right: float, pairs: int, seed: int) -> NDArray[np.bool_]:
    """(runs, pairs): whether each answer of one variant was right."""
    found: NDArray[np.bool_] = np.random.default_rng(seed).random((RUNS, pairs)) < right
    return found


def stakes(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> NDArray[np.float64]:
    """log of `Evidence.better` after every pair, (runs, pairs)."""
    total = np.full(first.shape, -np.inf)
    for share, better in _BETS:
        middle = (share + better) / 2
        payout = np.where(first, math.log(share / middle), math.log((1 - share) / (1 - middle)))
        payout += np.where(second, math.log(better / middle), math.log((1 - better) / (1 - middle)))
        total = np.logaddexp(total, np.cumsum(payout, axis=1))
    found: NDArray[np.float64] = total - math.log(len(_BETS))
    return found


def promoted(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> float:
    """The share of runs whose odds reach what a promotion asks for at any look."""
    return float((stakes(first, second) >= math.log(AB_TEST.odds)).any(axis=1).mean())


def test_the_simulation_is_of_the_test_itself() -> None:
    first, second = answers(0.8, 60, seed=1), answers(0.9, 60, seed=2)
    after = stakes(first, second)

    for run in range(5):
        for pairs in (1, 17, 60):
            found = evidence(first[run, :pairs].tolist(), second[run, :pairs].tolist())
            assert found.pairs == pairs
            assert math.log(found.better) == pytest.approx(after[run, pairs - 1])


@pytest.mark.parametrize("right", [0.5, 0.8, 0.9, 0.95, 0.98])
def test_equal_variants_are_promoted_in_less_than_five_of_a_hundred_tests(right: float) -> None:
    assert promoted(answers(right, 2_000, seed=3), answers(right, 2_000, seed=4)) < 0.05


def test_a_worse_variant_is_promoted_even_less_often() -> None:
    assert promoted(answers(0.9, 2_000, seed=5), answers(0.88, 2_000, seed=6)) < 0.01


@pytest.mark.parametrize(
    ("first", "second", "pairs", "power"),
    [(0.90, 0.95, 1_000, 0.80), (0.95, 0.98, 2_000, 0.90), (0.80, 0.90, 300, 0.55)],
)
def test_a_better_variant_is_found(first: float, second: float, pairs: int, power: float) -> None:
    assert promoted(answers(first, pairs, seed=7), answers(second, pairs, seed=8)) >= power


def test_without_a_pair_there_is_no_evidence() -> None:
    assert evidence([], []) == evidence([True] * 50, []) == NO_EVIDENCE


def test_what_one_variant_has_more_of_waits_for_its_pair() -> None:
    few = [True, False, True]

    assert evidence([True] * 90, few) == evidence([True] * 3, few)


def test_better_and_worse_are_mirror_images() -> None:
    first, second = [True] * 20, [False] * 15 + [True] * 5

    ours, mirrored = evidence(first, second), evidence(second, first)

    assert (ours.better, ours.worse) == (mirrored.worse, mirrored.better)
    assert ours.worse > AB_TEST.odds > 1 > ours.better


def test_endless_evidence_stays_a_number() -> None:
    assert math.isfinite(evidence([False] * 20_000, [True] * 20_000).better)
