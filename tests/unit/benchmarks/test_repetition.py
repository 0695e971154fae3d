"""What a figure's spread promises of another run, and whether it keeps that."""

import itertools

import numpy as np
import pytest

from benchmarks.http_load import Load, Reply
from benchmarks.repetition import (
    MIN_REPETITIONS,
    median,
    milliseconds,
    per_second,
    rate_ratio,
    repeated,
    repeated_median,
    repeated_ratio,
    repeated_share,
)


def in_spread(spread: tuple[float, float] | None, value: float) -> bool:
    assert spread is not None
    return spread[0] <= value <= spread[1]


@pytest.mark.parametrize("count", [9, 60])
def test_about_19_of_20_further_runs_find_the_median_within_the_spread(count: int) -> None:
    drawn = np.random.default_rng(count)
    runs = [drawn.lognormal(0, 0.3, count).tolist() for _ in range(151)]

    kept = [
        in_spread(repeated_median(one).spread, median(other))
        for one, other in itertools.pairwise(runs)
    ]

    assert 0.91 < sum(kept) / len(kept) <= 1.0


def test_noise_that_both_of_a_pair_meet_does_not_widen_their_ratio() -> None:
    drawn = np.random.default_rng(1)
    noise = drawn.lognormal(0, 0.5, 50)
    ours, bare = (1.1 * noise).tolist(), noise.tolist()

    together = repeated_ratio(ours, bare)
    apart = repeated_ratio(ours, bare, paired=False)

    assert together.spread == pytest.approx((1.1, 1.1))
    assert apart.value == together.value
    assert in_spread(apart.spread, 1.3)


def test_too_few_repetitions_have_no_spread() -> None:
    few = repeated_median([1.0] * (MIN_REPETITIONS - 1))
    enough = repeated_median([1.0] * MIN_REPETITIONS)

    assert (few.value, few.repetitions, few.spread) == (1.0, MIN_REPETITIONS - 1, None)
    assert enough.spread == (1.0, 1.0)


def test_of_samples_of_different_length_the_shorter_counts() -> None:
    found = repeated_ratio([4.0] * 20, [2.0] * 8, paired=False)

    assert (found.value, found.repetitions) == (2.0, 8)
    assert found.spread == pytest.approx((2.0, 2.0))


def test_the_same_repetitions_have_the_same_spread() -> None:
    values = np.random.default_rng(3).normal(5, 1, 40).tolist()

    assert repeated(median, values) == repeated(median, values)


def test_a_share_that_was_never_seen_could_still_be_there() -> None:
    found = repeated_share(0, 1_000)

    assert (found.value, found.repetitions) == (0, 1_000)
    assert found.spread is not None
    assert found.spread[0] == 0
    assert 0.3 < found.spread[1] < 1


def test_a_load_tells_its_percentiles_and_its_rate_with_their_spreads() -> None:
    seconds = np.random.default_rng(5).uniform(0.01, 0.03, 200)
    ours = Load([Reply(200, b"", one) for one in seconds], 2.0)
    theirs = Load([Reply(200, b"", 10 * one) for one in seconds], 20.0)

    assert 18 < milliseconds(ours, 0.5).value < 22
    assert per_second(ours).value == pytest.approx(100)
    assert in_spread(per_second(ours).spread, 102)
    assert rate_ratio(ours, theirs).value == pytest.approx(10)
