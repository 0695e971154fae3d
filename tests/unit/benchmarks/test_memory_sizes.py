"""What memory the predict function should have, reckoned from what a request takes."""

import pytest

from areyouacat.costs import Prices
from benchmarks.memory_sizes import ONE_VCPU_MB, sizes

BY_TIME_ALONE = Prices(1.0, 0.0, 0.0, 0.0, 0.0)


def test_half_a_vcpu_takes_twice_the_processor_time_and_no_longer_to_wait() -> None:
    half, whole = sizes(30.0, 100.0, choices_mb=(1769 // 2, 1769), wait_ms=20.0)

    assert half.latency_ms == pytest.approx(80.0, abs=0.1)
    assert whole.latency_ms == 50.0


def test_one_thread_is_not_hastened_by_a_second_vcpu_and_pays_for_it() -> None:
    one, two = sizes(30.0, 100.0, choices_mb=(ONE_VCPU_MB, 2 * ONE_VCPU_MB), prices=BY_TIME_ALONE)

    assert two.latency_ms == one.latency_ms
    assert two.dollars == pytest.approx(2 * one.dollars)


def test_below_a_vcpu_computing_costs_the_same_at_every_size() -> None:
    small, large = sizes(30.0, 100.0, choices_mb=(512, 1024), wait_ms=0.0, prices=BY_TIME_ALONE)

    assert small.dollars == pytest.approx(large.dollars)


def test_a_size_in_which_the_process_does_not_fit_is_no_choice() -> None:
    assert [size.memory_mb for size in sizes(30.0, 600.0, choices_mb=(512, 885))] == [885]
