"""Photos that look alike, found by their perceptual hashes in linear time.

Two hashes that differ in at most k bits agree in three whole blocks, if the 64 bits are cut into
k + 3 blocks. So for every choice of three blocks the hashes are sorted with those blocks in front,
and only neighbours that share all three are compared: some 32 bits, which unrelated photos hardly
ever share.
"""

import itertools
from collections.abc import Iterator
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from areyouacat.settings import DATASET

Hashes: TypeAlias = NDArray[np.uint64]
Positions: TypeAlias = NDArray[np.int64]

WINDOW: Final = 64
"""How many neighbours a hash is compared with in each order.

It bounds the work: 20 orders of n hashes (at 3 bits) are at most 20 x 64 x n comparisons, however
alike the hashes are. Only where more than 64 different hashes share three blocks can a pair be
missed; the other orders and the hashes in between still join most of them.
"""

_HASH_BITS: Final = 64
_BLOCKS_SHARED: Final = 3


def look_alike_founders(
    hashes: Hashes, max_bits: int = DATASET.near_duplicate_bits, window: int = WINDOW
) -> Positions:
    """For each photo the position of the first photo of the group it looks like.

    `hashes`: 64-bit perceptual hashes, shape (n,), in the order in which photos may found a group.
    Photos belong together when their hashes differ in at most `max_bits` bits, or through others
    that do. Returns positions in [0, n), shape (n,); a founder has its own.
    """
    values, first, inverse = np.unique(hashes, return_index=True, return_inverse=True)
    # Groups are joined towards the lower number, so numbers follow the photos' order.
    by_age = np.argsort(first)
    values, first = values[by_age], first[by_age]
    age = np.empty_like(by_age)
    age[by_age] = np.arange(len(by_age))

    forest = _Forest(len(values))
    for older, newer in _alike(values, max_bits, window):
        forest.join(older, newer)
    roots = forest.roots(np.arange(len(values)))
    founders: Positions = first[roots[age[inverse]]].astype(np.int64)
    return founders


def _alike(values: Hashes, max_bits: int, window: int) -> Iterator[tuple[Positions, Positions]]:
    """Pairs of positions of different `values` that are near enough; a pair may come again."""
    for shared_bits, order in _orders(max_bits):
        arranged = _arrange(values, order)
        places = np.argsort(arranged)
        arranged = arranged[places]
        blocks = arranged >> np.uint64(_HASH_BITS - shared_bits)
        left = np.arange(len(values))
        for step in range(1, window + 1):
            left = left[left + step < len(values)]
            left = left[blocks[left] == blocks[left + step]]
            if not len(left):
                break
            differing = np.bitwise_count(arranged[left] ^ arranged[left + step])
            near = left[differing <= max_bits]
            if len(near):
                yield places[near], places[near + step]


def _orders(max_bits: int) -> Iterator[tuple[int, list[tuple[int, int]]]]:
    """Every order of the blocks that matters: the bits of its first three, and its blocks.

    A block is (lowest bit, number of bits).
    """
    count = max_bits + _BLOCKS_SHARED
    edges = [_HASH_BITS * index // count for index in range(count + 1)]
    blocks = [(low, high - low) for low, high in itertools.pairwise(edges)]
    for ahead in itertools.combinations(blocks, _BLOCKS_SHARED):
        behind = [block for block in blocks if block not in ahead]
        yield sum(bits for _, bits in ahead), [*ahead, *behind]


def _arrange(values: Hashes, order: list[tuple[int, int]]) -> Hashes:
    """The same bits with the blocks in another order, which keeps all distances."""
    arranged = np.zeros_like(values)
    for low, bits in order:
        block = (values >> np.uint64(low)) & np.uint64((1 << bits) - 1)
        arranged = (arranged << np.uint64(bits)) | block
    return arranged


class _Forest:
    """Disjoint sets of the numbers below `size`, joined many at once; the lowest is the root."""

    def __init__(self, size: int) -> None:
        self._parent = np.arange(size)

    def roots(self, nodes: Positions) -> Positions:
        found = self._parent[nodes]
        while True:
            above = self._parent[found]
            if np.array_equal(above, found):
                self._parent[nodes] = found
                return found
            found = above

    def join(self, left: Positions, right: Positions) -> None:
        while True:
            a, b = self.roots(left), self.roots(right)
            apart = a != b
            if not apart.any():
                return
            left, right = left[apart], right[apart]
            lower, higher = np.minimum(a, b)[apart], np.maximum(a, b)[apart]
            np.minimum.at(self._parent, higher, lower)
            self._flatten(np.unique(higher))

    def _flatten(self, hooked: Positions) -> None:
        """Point roots that were hooked in a chain to the chain's end, in doubling steps."""
        while True:
            above = self._parent[self._parent[hooked]]
            if np.array_equal(above, self._parent[hooked]):
                return
            self._parent[hooked] = above
