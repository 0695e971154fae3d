"""Drift: what is far and no luck, and what is neither."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from areyouacat.drift import (
    Drift,
    Histogram,
    chi_squared_above,
    drift,
    holm,
    homogeneity,
    psi,
    psi_beyond_chance,
)
from areyouacat.settings import DRIFT

FEATURES = [f"feature {number}" for number in range(22)]


def normal(mean: float, size: int, seed: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.random.default_rng(seed).normal(mean, 1.0, size)


def baselines(size: int = 2_000, seed: int = 0) -> dict[str, Histogram]:
    return {
        name: Histogram.of(normal(0, size, seed + number), DRIFT.bins)
        for number, name in enumerate(FEATURES)
    }


def windows(
    known: dict[str, Histogram], size: int, seed: int, moved: dict[str, float] | None = None
) -> dict[str, Histogram]:
    return {
        name: one.count(normal((moved or {}).get(name, 0.0), size, seed * 1000 + number))
        for number, (name, one) in enumerate(known.items())
    }


def test_bins_share_the_baseline_equally() -> None:
    found = Histogram.of(np.arange(1000.0), 10)

    assert found.counts == (100,) * 10


@pytest.mark.parametrize("values", [[1.0] * 50, [0.0, 1.0] * 50, [3.0]])
def test_values_that_repeat_make_fewer_bins_and_none_that_is_empty(values: list[float]) -> None:
    found = Histogram.of(values, 10)

    assert len(found.counts) == len(set(values))
    assert min(found.counts) > 0
    assert found.total == len(values)


@pytest.mark.parametrize("values", [[], [float("nan")], [1.0, float("inf")]])
def test_no_histogram_is_made_of_what_is_no_number(values: list[float]) -> None:
    with pytest.raises(ValueError, match="needs values"):
        Histogram.of(values, 10)


def test_many_equal_values_stay_in_their_bin_when_they_are_stored_less_exactly() -> None:
    sizes = np.log2(np.repeat([160.0 * 213, 160.0 * 240, 160.0 * 120], [500, 300, 200]))

    known = Histogram.of(sizes.astype(np.float32), 10)

    assert known.count(sizes).counts == known.counts == (200, 500, 300)


def test_what_lies_beyond_the_baseline_is_counted_and_no_number_is_not() -> None:
    known = Histogram.of(np.arange(100.0), 10)

    assert known.count([-1e9, 1e9, float("nan"), 50.0]).total == 3


@pytest.mark.parametrize(
    ("edges", "counts"), [((1.0,), (1,)), ((2.0, 1.0), (1, 1, 1)), ((1.0, 1.0), (1, 1, 1))]
)
def test_a_broken_histogram_is_refused(edges: tuple[float, ...], counts: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="not a histogram"):
        Histogram(edges, counts)


@given(st.floats(0.0, 500.0), st.integers(1, 60))
def test_the_tail_of_chi_squared_is_scipys(statistic: float, freedom: int) -> None:
    expected = stats.chi2.sf(statistic, freedom)

    assert chi_squared_above(statistic, freedom) == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_the_test_of_homogeneity_is_scipys() -> None:
    first, second = Histogram((0.0, 1.0), (30, 50, 20)), Histogram((0.0, 1.0), (45, 30, 25))
    expected = stats.chi2_contingency([first.counts, second.counts], correction=False).pvalue

    assert homogeneity(first, second) == pytest.approx(expected)


def test_a_bin_that_is_empty_on_both_sides_says_nothing() -> None:
    first, second = Histogram((0.0, 1.0), (30, 0, 20)), Histogram((0.0, 1.0), (45, 0, 25))
    expected = stats.chi2_contingency([[30, 20], [45, 25]], correction=False).pvalue

    assert homogeneity(first, second) == pytest.approx(expected)
    assert homogeneity(Histogram((), (5,)), Histogram((), (9,))) == 1.0


def test_holms_correction() -> None:
    assert holm({"a": 0.01, "b": 0.04, "c": 0.03}) == pytest.approx(
        {"a": 0.03, "c": 0.06, "b": 0.06}
    )
    assert holm({"a": 0.9, "b": 0.8}) == {"b": 1.0, "a": 1.0}


def test_the_same_shares_are_no_distance_and_an_empty_bin_is_a_finite_one() -> None:
    assert psi((100, 100), (1000, 1000)) == pytest.approx(0.0, abs=1e-12)
    assert psi((100, 0), (0, 100)) < 20


@pytest.mark.parametrize(("baseline", "window"), [(160, 300), (160, 3_000), (3_000, 3_000)])
def test_the_distance_of_two_samples_of_one_world_is_what_chance_gives(
    baseline: int, window: int
) -> None:
    pairs = []
    for seed in range(200):
        known = Histogram.of(normal(0, baseline, seed), DRIFT.bins)
        pairs.append((known, known.count(normal(0, window, 1000 + seed))))

    expected = 9 * (1 / baseline + 1 / window)

    assert np.mean([psi(a.counts, b.counts) for a, b in pairs]) == pytest.approx(expected, rel=0.15)
    assert np.mean([psi_beyond_chance(*pair) for pair in pairs]) < expected / 3


def test_a_distance_beyond_chance_is_never_negative() -> None:
    same = Histogram((0.0,), (80, 80))

    assert psi_beyond_chance(same, same) == 0.0


def test_a_feature_that_moved_is_named_and_the_score_is_its_distance() -> None:
    known = baselines()

    found = drift(known, windows(known, 500, 1, {"feature 3": 0.8, "feature 7": 1.5}))

    assert found.worst == ("feature 7", "feature 3")
    assert found.score == found.features[0].psi > DRIFT.min_psi
    assert len(found.features) == len(FEATURES)


def test_a_change_too_small_to_matter_is_no_drift_however_certain() -> None:
    known = baselines(size=50_000)

    found = drift(known, windows(known, 50_000, 1, {"feature 3": 0.1}))

    moved = next(one for one in found.features if one.feature == "feature 3")
    assert moved.p_value < 1e-6
    assert (found.score, found.worst) == (0.0, ())


def test_nothing_new_is_taken_for_drift_in_less_than_one_window_of_a_hundred() -> None:
    known = baselines()

    alarms = [drift(known, windows(known, 100, seed)).score for seed in range(1, 301)]

    assert sum(bool(score) for score in alarms) <= 3


def test_a_small_baseline_takes_a_large_window_for_drift_less_than_once_in_a_hundred() -> None:
    scores = []
    for seed in range(1, 301):
        known = baselines(size=160, seed=seed * 100)
        scores.append(drift(known, windows(known, 1_000, 1_000 + seed)).score)

    assert sum(bool(score) for score in scores) <= 3


@pytest.mark.parametrize(("moved", "size", "power"), [(0.5, 500, 0.9), (1.0, 100, 0.9)])
def test_a_change_that_matters_is_found(moved: float, size: int, power: float) -> None:
    known = baselines()

    found = [
        drift(known, windows(known, size, seed, {"feature 0": moved})).worst == ("feature 0",)
        for seed in range(1, 101)
    ]

    assert np.mean(found) >= power


@pytest.mark.parametrize(
    ("known", "seen", "why"),
    [
        ({}, {}, "no baseline"),
        ({"a": Histogram((0.0,), (20, 20))}, {"a": Histogram((0.0,), (200, 200))}, "baseline has"),
        ({"a": Histogram((0.0,), (200, 200))}, {"a": Histogram((0.0,), (9, 9))}, "window has 18"),
        ({"a": Histogram((0.0,), (200, 200))}, {}, "window has 0"),
    ],
)
def test_with_too_little_nothing_is_known(
    known: dict[str, Histogram], seen: dict[str, Histogram], why: str
) -> None:
    found = drift(known, seen)

    assert (found.score, found.features) == (None, ())
    assert why in str(found.unknown)


def test_a_feature_that_is_rare_does_not_silence_the_others() -> None:
    known = {"a": Histogram((0.0,), (500, 500)), "b": Histogram((0.0,), (9, 9))}
    seen = {"a": Histogram((0.0,), (10, 490)), "b": Histogram((0.0,), (9, 9))}

    assert drift(known, seen).worst == ("a",)


def test_other_bins_are_refused() -> None:
    known, seen = Histogram((0.0,), (500, 500)), Histogram((1.0,), (500, 500))

    with pytest.raises(ValueError, match="other bins"):
        drift({"a": known}, {"a": seen})


def test_a_histogram_is_read_as_it_was_written() -> None:
    known = Histogram.of(normal(0, 300, 1), 10)

    assert Histogram.from_dict({"edges": list(known.edges), "counts": list(known.counts)}) == known
    assert Drift(0.0, ()).worst == ()
