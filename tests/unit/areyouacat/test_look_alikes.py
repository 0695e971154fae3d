"""Photos that look alike are found like by comparing all with all, in linear time."""

import itertools
import random
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from areyouacat.look_alikes import look_alike_founders


def founders(hashes: list[int], max_bits: int = 3, window: int = 64) -> list[int]:
    found: list[int] = look_alike_founders(np.array(hashes, np.uint64), max_bits, window).tolist()
    return found


def by_comparing_all(hashes: list[int], max_bits: int) -> list[int]:
    group = list(range(len(hashes)))
    for left, right in itertools.combinations(range(len(hashes)), 2):
        if (hashes[left] ^ hashes[right]).bit_count() <= max_bits:
            old, new = sorted((group[left], group[right]))
            group = [old if member == new else member for member in group]
    return group


def flipped(value: int, bits: list[int]) -> int:
    for bit in bits:
        value ^= 1 << bit
    return value


def test_photos_that_look_alike_share_the_first() -> None:
    assert founders([0, 0b111, 2**40 - 1]) == [0, 0, 2]


def test_the_first_founds_the_group_whatever_its_hash() -> None:
    assert founders([2**64 - 1, 5, 2**64 - 2, 4]) == [0, 1, 0, 1]


def test_likeness_reaches_through_a_chain() -> None:
    assert founders([0, 0b111111, 0b111]) == [0, 0, 0]


@pytest.mark.parametrize("hashes", [[], [0], [7, 7, 7]])
def test_none_one_and_equal_photos_are_groups_too(hashes: list[int]) -> None:
    assert founders(hashes) == [0] * len(hashes)


@given(
    value=st.integers(0, 2**64 - 1),
    bits=st.lists(st.integers(0, 63), max_size=6, unique=True),
    max_bits=st.integers(0, 5),
)
def test_up_to_the_limit_of_bits_is_one_group_and_beyond_it_is_two(
    value: int, bits: list[int], max_bits: int
) -> None:
    found = founders([value, flipped(value, bits)], max_bits)

    assert (found == [0, 0]) == (len(bits) <= max_bits)


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from([0, 2**64 - 1, 0x0F0F_0F0F_0F0F_0F0F, 0x1234_5678_9ABC_DEF0]),
            st.lists(st.integers(0, 63), max_size=5),
        ),
        max_size=40,
    ),
    st.integers(0, 4),
)
def test_groups_are_those_of_comparing_all_with_all(
    photos: list[tuple[int, list[int]]], max_bits: int
) -> None:
    hashes = [flipped(value, bits) for value, bits in photos]

    assert founders(hashes, max_bits) == by_comparing_all(hashes, max_bits)


def test_many_photos_with_chains_of_look_alikes_are_grouped_exactly() -> None:
    chance = random.Random(1)  # noqa: S311
    hashes = [chance.getrandbits(64) for _ in range(300)]
    for _ in range(500):
        hashes.append(flipped(chance.choice(hashes), chance.sample(range(64), 3)))

    assert founders(hashes) == by_comparing_all(hashes, 3)


def test_a_long_chain_is_one_group() -> None:
    # A Gray code: each differs from the one before in one bit.
    chain = [number ^ (number >> 1) for number in range(50_000)]

    assert set(founders(chain)) == {0}


def test_hashes_that_all_share_their_blocks_take_no_longer_than_a_bound() -> None:
    crowd = np.arange(100_000, dtype=np.uint64) * np.uint64(2**41)  # 41 bits the same

    started = time.process_time()
    look_alike_founders(crowd)

    # Comparing all with all would be 5 * 10^9 comparisons, twenty times.
    assert time.process_time() - started < 30
