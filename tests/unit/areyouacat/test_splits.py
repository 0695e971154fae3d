"""Splits follow from hashes; look-alikes stay together."""

import hashlib
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from areyouacat.splits import assign_split, near_duplicate_groups


def name(number: int) -> str:
    return hashlib.sha256(str(number).encode()).hexdigest()


def test_photos_that_look_alike_share_the_group_of_the_first() -> None:
    groups = near_duplicate_groups(
        {"a": f"{0:016x}", "b": f"{0b111:016x}", "c": f"{2**40 - 1:016x}"}
    )

    assert groups == {"a": "a", "b": "a", "c": "c"}


def test_likeness_reaches_through_a_chain() -> None:
    groups = near_duplicate_groups(
        {"a": f"{0:016x}", "b": f"{0b111:016x}", "c": f"{0b111111:016x}"}
    )

    assert set(groups.values()) == {"a"}


@given(
    value=st.integers(0, 2**64 - 1),
    bits=st.lists(st.integers(0, 63), min_size=0, max_size=6, unique=True),
)
def test_up_to_the_limit_of_bits_is_one_group_and_beyond_it_is_two(
    value: int, bits: list[int]
) -> None:
    other = value
    for bit in bits:
        other ^= 1 << bit

    groups = near_duplicate_groups({"a": f"{value:016x}", "b": f"{other:016x}"}, max_bits=3)

    assert (groups["b"] == "a") == (len(bits) <= 3)


def test_the_shares_of_the_splits_are_those_of_the_settings() -> None:
    found = Counter(assign_split(name(n), from_feedback=False) for n in range(20_000))

    assert found["test"] / 20_000 == pytest.approx(0.15, abs=0.01)
    assert found["validation"] / 20_000 == pytest.approx(0.15, abs=0.01)
    assert "recent" not in found


def test_feedback_teaches_but_a_fifth_is_held_out() -> None:
    found = Counter(assign_split(name(n), from_feedback=True) for n in range(20_000))

    assert found["recent"] / 20_000 == pytest.approx(0.2, abs=0.01)
    assert set(found) == {"train", "recent"}
