"""Fitting exponents: known curves are found again, and what is not known is said."""

import numpy as np
import pytest

from benchmarks.exponents import Exponent, above_fixed_cost, last_decades, power_law

SIZES = [1_000, 1_000, 1_000, 10_000, 10_000, 10_000, 100_000, 100_000, 100_000, 1_000_000]


def noisy(values: list[float], share: float, seed: int = 1) -> list[float]:
    factors = np.random.default_rng(seed).normal(1, share, len(values))
    return [value * float(factor) for value, factor in zip(values, factors, strict=True)]


@pytest.mark.parametrize("exponent", [0.5, 1.0, 1.3, 2.0])
def test_a_power_law_is_found_again(exponent: float) -> None:
    found = power_law(SIZES, [3e-5 * size**exponent for size in SIZES])

    assert found.exponent.value == pytest.approx(exponent)
    assert found.factor == pytest.approx(3e-5)
    assert found.at(1e7) == pytest.approx(3e-5 * 1e7**exponent)


@pytest.mark.parametrize("exponent", [0.7, 1.0, 1.3, 2.0])
def test_a_fixed_cost_is_told_from_what_grows(exponent: float) -> None:
    values = [2.0 + (size / 1e4) ** exponent for size in SIZES]

    found = above_fixed_cost(SIZES, values)

    assert found.exponent.value == pytest.approx(exponent, abs=0.002)
    assert found.fixed == pytest.approx(2.0, rel=0.01)
    assert power_law(SIZES, values).exponent.value < exponent


def test_no_part_of_a_fit_is_below_zero() -> None:
    """A curve that bends upwards needs a larger exponent, not a negative fixed cost."""
    values = [1e-5 * size * np.log(size) for size in SIZES]

    found = above_fixed_cost(SIZES, values)

    assert found.fixed == pytest.approx(0, abs=1e-3)
    assert 1.05 < found.exponent.value < 1.15


def test_the_interval_holds_the_truth_of_noisy_measurements() -> None:
    truth = [1.0 + 1e-5 * size for size in SIZES]

    held = 0
    for seed in range(40):
        found = above_fixed_cost(SIZES, noisy(truth, 0.05, seed)).exponent
        held += found.low <= 1.0 <= found.high

    assert held >= 34


def test_what_hardly_grows_has_an_exponent_near_zero() -> None:
    found = above_fixed_cost(SIZES, noisy([90.0] * len(SIZES), 0.02))

    assert abs(found.exponent.value) < 0.02
    assert found.exponent.low < 0 < found.exponent.high


def test_as_many_measurements_as_unknowns_leave_every_exponent_open() -> None:
    found = above_fixed_cost([1_000, 10_000, 100_000], [1.0, 2.0, 12.0]).exponent

    assert found.low < 0.02
    assert found.high > 2.9
    assert power_law([1, 10], [1, 10]).exponent.high == float("inf")


def test_the_last_decades_leave_small_sizes_out() -> None:
    values = [5.0 + 1e-5 * size for size in SIZES]

    found = last_decades(SIZES, values, decades=1)

    assert power_law(SIZES, values).exponent.value < found.value < 1


def test_an_exponent_reads_with_its_interval() -> None:
    assert str(Exponent(1.0, -0.001, 1.234)) == "1.00 (0.00 to 1.23)"
