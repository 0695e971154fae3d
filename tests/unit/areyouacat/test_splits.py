"""Splits follow from hashes."""

import hashlib
from collections import Counter

import pytest

from areyouacat.splits import assign_split


def name(number: int) -> str:
    return hashlib.sha256(str(number).encode()).hexdigest()


def test_the_shares_of_the_splits_are_those_of_the_settings() -> None:
    found = Counter(assign_split(name(n), from_feedback=False) for n in range(20_000))

    assert found["test"] / 20_000 == pytest.approx(0.15, abs=0.01)
    assert found["validation"] / 20_000 == pytest.approx(0.15, abs=0.01)
    assert "recent" not in found


def test_feedback_teaches_but_a_fifth_is_held_out() -> None:
    found = Counter(assign_split(name(n), from_feedback=True) for n in range(20_000))

    assert found["recent"] / 20_000 == pytest.approx(0.2, abs=0.01)
    assert set(found) == {"train", "recent"}
