"""Which photos belong together, and on which side of a data set they stand.

A photo's split follows from hashes alone, so it never changes as the lake grows; photos
that look alike stand on one side, so that a test never asks what training has seen.
"""

import hashlib
from typing import Final, Literal

from areyouacat.settings import DATASET, DatasetRules

Split = Literal["train", "validation", "test", "recent"]
SPLITS: Final[tuple[Split, ...]] = ("train", "validation", "test", "recent")


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
