"""Shards without some photos: bytes in, bytes out."""

import hashlib

import numpy as np
import pytest

from areyouacat.lake import LabelRecord, dump_shard, load_shard
from training_job.erasing import (
    features_without,
    listed_photos,
    names_any,
    records_without,
    stored_photos,
)
from training_job.feature_cache import dump_shard as dump_features
from training_job.feature_cache import load_shard as load_features

A, B, C = ("a" * 64, "b" * 64, "c" * 64)


def record(photo: str, label: str = "cat") -> LabelRecord:
    return LabelRecord(photo, label, "seed", "me", "2026-01-01T00:00:00.000000Z")


def features(*photos: str) -> bytes:
    return dump_features(photos, [np.full(4, number, np.float16) for number in range(len(photos))])


def test_every_record_of_an_erased_photo_goes_and_the_others_keep_their_order() -> None:
    shard = dump_shard([record(C), record(A), record(B), record(A, "not_cat")])

    remainder = records_without(shard, LabelRecord, frozenset({A}))

    assert remainder is not None
    assert [found.photo for found in load_shard(remainder, LabelRecord)] == [C, B]


def test_a_shard_of_nothing_else_leaves_no_shard() -> None:
    assert records_without(dump_shard([record(A)]), LabelRecord, frozenset({A, B})) is None
    assert features_without(features(A), frozenset({A})).stem == ""


def test_the_other_photos_keep_their_vectors_under_the_name_that_their_list_gives() -> None:
    remainder = features_without(features(A, B, C), frozenset({B}))

    photos, vectors = load_features(remainder.vectors, dim=4)
    assert photos == [A, C]
    assert vectors[:, 0].tolist() == [0, 2]
    assert remainder.listing == f"{A}\n{C}\n".encode()
    assert remainder.stem == hashlib.sha256(remainder.listing).hexdigest()[:16]


def test_a_list_that_its_name_does_not_promise_is_not_believed() -> None:
    listing = f"{A}\n{B}\n".encode()
    stem = hashlib.sha256(listing).hexdigest()[:16]

    assert listed_photos(listing, stem) == [A, B]
    assert listed_photos(listing[:-3], stem) is None


@pytest.mark.parametrize("damage", [b"", b"no archive", features(A, B)[:200]])
def test_damaged_vectors_are_an_error_of_one_kind(damage: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 (numpy has words of its own for some)
        stored_photos(damage)


@pytest.mark.parametrize(
    ("listed", "shows"),
    [
        (f'["{A}", "{B}"]', True),
        (f'["{C}"]', False),
        ("[]", False),
        ("not json", True),
        (f'["{A[:40]}', True),
        (f'[{{"photo": "{A}", "label": "cat"}}]', True),
        (f'[{{"photo": "{C}", "label": "cat"}}]', False),
    ],
)
def test_a_sheet_whose_list_cannot_be_read_counts_as_showing_the_photo(
    listed: str, shows: bool
) -> None:
    assert names_any(listed.encode(), frozenset({A})) is shows
