"""How a soak tells whether processes grow with their requests."""

import os
import subprocess
import sys
import threading

import numpy as np
import psutil
import pytest

from benchmarks.memory_growth import Memory, Sample, growth, sampled


def samples(slope: float, noise: float = 0.0, jump: float = 0.0) -> list[Sample]:
    """A thousand requests, ten apart; `jump`: megabytes of a warm-up in the first 200."""
    random = np.random.default_rng(1)
    return [
        Sample(n, 500 + slope * n / 1000 + noise * random.normal() + (jump if n >= 200 else 0))
        for n in range(0, 1000, 10)
    ]


def test_growth_is_told_by_a_thousand_requests() -> None:
    found = growth(samples(slope=2.5))

    assert found.per_thousand == pytest.approx(2.5)
    assert found.low == pytest.approx(found.high, abs=1e-6)


def test_noise_widens_the_interval_around_what_is_true() -> None:
    found = growth(samples(slope=1.0, noise=0.2))

    assert found.low < 1.0 < found.high
    assert 0.05 < found.high - found.low < 2


def test_memory_that_a_warm_up_takes_is_no_growth() -> None:
    assert growth(samples(slope=0.0, jump=80.0)).per_thousand == pytest.approx(0)


@pytest.mark.parametrize("few", [[], samples(1.0)[:5], [Sample(7, 1.0)] * 50])
def test_there_is_no_growth_without_samples_and_requests(few: list[Sample]) -> None:
    with pytest.raises(ValueError, match="too few"):
        growth(few)


def test_a_process_that_has_ended_counts_with_what_it_held_last() -> None:
    command = [sys.executable, "-c", "input()"]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as child:
        memory = Memory([psutil.Process(os.getpid()), psutil.Process(child.pid)])
        before = memory.megabytes()
        child.communicate(b"\n")

    resident = psutil.Process().memory_info().rss / 2**20
    assert 0 < before < resident + 100
    assert memory.megabytes() == pytest.approx(before, rel=0.1)


def test_memory_is_looked_at_while_the_block_runs_and_nothing_is_left_running_after() -> None:
    looked = threading.Event()
    threads = threading.active_count()

    with sampled(looked.set):
        assert looked.wait(timeout=30)

    assert threading.active_count() == threads
