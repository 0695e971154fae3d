"""Which photos belong together, and on which side of a data set they stand.

A photo's split follows from hashes alone, so it never changes as the lake grows; photos
that look alike stand on one side, so that a test never asks what training has seen.
"""

import hashlib
import itertools
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Final, Literal

from areyouacat.settings import DATASET, DatasetRules

Split = Literal["train", "validation", "test", "recent"]
SPLITS: Final[tuple[Split, ...]] = ("train", "validation", "test", "recent")

_HASH_BITS: Final = 64


def near_duplicate_groups(
    perceptual_hashes: Mapping[str, str], max_bits: int = DATASET.near_duplicate_bits
) -> dict[str, str]:
    """Photo -> the first photo (in the mapping's order) of the group it looks like.

    `perceptual_hashes`: photo -> 16 hex digits. Two photos belong together when their
    hashes differ in at most `max_bits` bits, or through others that do. Hashes are cut
    into `max_bits + 1` bands: two that are that near agree in at least one band whole, so
    only photos sharing a band are compared.
    """
    first_of_hash: dict[int, str] = {}
    group: dict[str, str] = {}
    for photo, text in perceptual_hashes.items():
        group[photo] = first_of_hash.setdefault(int(text, 16), photo)

    parent = {value: value for value in first_of_hash}

    def root(value: int) -> int:
        while parent[value] != value:
            parent[value] = parent[parent[value]]
            value = parent[value]
        return value

    order = {value: position for position, value in enumerate(first_of_hash)}
    for bucket in _bands(first_of_hash, max_bits + 1):
        for position, left in enumerate(bucket):
            for right in bucket[position + 1 :]:
                if (left ^ right).bit_count() <= max_bits:
                    a, b = root(left), root(right)
                    if a != b:
                        older, newer = sorted((a, b), key=order.__getitem__)
                        parent[newer] = older

    return {photo: first_of_hash[root(int(perceptual_hashes[photo], 16))] for photo in group}


def _bands(values: Mapping[int, str], count: int) -> list[Sequence[int]]:
    edges = [round(_HASH_BITS * index / count) for index in range(count + 1)]
    buckets: dict[tuple[int, int], list[int]] = defaultdict(list)
    for value in values:
        for band, (low, high) in enumerate(itertools.pairwise(edges)):
            buckets[band, (value >> low) & ((1 << (high - low)) - 1)].append(value)
    return [bucket for bucket in buckets.values() if len(bucket) > 1]


def position(photo: str, purpose: str) -> float:
    """A number in [0, 1) fixed by the photo's hash; independent for each purpose."""
    digest = hashlib.sha256(f"{purpose}:{photo}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def assign_split(founder: str, *, from_feedback: bool, rules: DatasetRules = DATASET) -> Split:
    """The split of a group, by its founder's hash.

    Photos that came with feedback teach (train), but a hash-chosen share is held out as
    `recent`: the gate must see the changed world too. All others are split by hash.
    """
    if from_feedback:
        return "recent" if position(founder, "recent") < rules.recent_share else "train"
    place = position(founder, "split")
    if place < rules.test_share:
        return "test"
    if place < rules.test_share + rules.validation_share:
        return "validation"
    return "train"
