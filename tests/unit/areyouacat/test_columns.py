"""Rows of the lake as columns: nothing is lost, nothing strange gets in."""

import hashlib
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from areyouacat.columns import (
    IndexColumns,
    LabelColumns,
    find,
    names_at,
    photo_array,
    photo_bytes,
    photo_names,
)
from areyouacat.lake import IndexRow, LabelRecord

AT = "2026-01-01T00:00:00.000000Z"
LATER = "2026-01-01T00:00:00.000001Z"
ROW = IndexRow("ab" * 32, 10, 300, 200, "PNG", 0.5, 0.2, 0.3, "0" * 16, "s", AT)
LABEL = LabelRecord("ab" * 32, "cat", "seed", "tester", AT)

hashes = st.binary(min_size=32, max_size=32) | st.sampled_from(
    [bytes(32), bytes(31) + b"\x01", b"\x01" + bytes(31), b"\xff" * 32, b"\xff" * 31 + b"\x00"]
)


@given(st.sets(hashes), st.sets(hashes))
def test_photos_are_found_whatever_bytes_their_hashes_end_with(
    known: set[bytes], wanted: set[bytes]
) -> None:
    among, photos = photo_array(b"".join(sorted(known))), photo_array(b"".join(wanted))

    places, found = find(photos, among)

    names = photo_names(photos)
    assert [n for n, there in zip(names, found, strict=True) if there] == [
        one.hex() for one in wanted if one in known
    ]
    assert list(names_at(among, places[found])) == [
        n for n, there in zip(names, found, strict=True) if there
    ]


@given(st.lists(hashes))
def test_each_photo_is_kept_once_in_the_order_of_the_hashes(photos: list[bytes]) -> None:
    table = IndexColumns(replace(ROW, photo=photo.hex()) for photo in photos).first()

    assert photo_names(table.photos) == sorted({photo.hex() for photo in photos})


def test_a_row_reads_back_from_its_columns() -> None:
    row = replace(ROW, perceptual_hash="fedcba9876543210", ingested_at=LATER, width=1)

    table = IndexColumns([row]).first()

    assert table.looks.tolist() == [0xFEDCBA9876543210]
    assert table.ingested_at.astype("datetime64[us]").tolist() == [
        np.datetime64("2026-01-01T00:00:00.000001").item()
    ]
    assert table.sources.counts() == {"s": 1}
    assert table.slices.counts() == {("small",): 1}


def test_of_rows_of_one_moment_the_one_read_first_counts() -> None:
    rows = [replace(ROW, source=source) for source in ("b", "a")]

    assert IndexColumns(rows).first().sources.counts() == {"b": 1}


def test_of_records_of_one_moment_the_one_read_first_counts() -> None:
    table = LabelColumns(replace(LABEL, source=source) for source in ("b", "a")).latest()

    assert table.labelled_by.counts() == {"b": 1}
    assert not table.contradicted.any()


def test_a_contradiction_of_one_moment_counts_only_among_the_latest() -> None:
    records = [LABEL, replace(LABEL, label="not_cat")]

    assert LabelColumns(records).latest().contradicted.tolist() == [True]
    settled = LabelColumns([*records, replace(LABEL, labelled_at=LATER)]).latest()
    assert settled.contradicted.tolist() == [False]
    assert settled.overruled.tolist() == [True]


def test_no_rows_are_tables_without_photos() -> None:
    assert len(IndexColumns().first().photos) == 0
    assert len(LabelColumns().latest().photos) == 0


@pytest.mark.parametrize(
    "photo", ["", "ab" * 31, "ab" * 33, "AB" * 32, "zz" * 32, "ab " * 32, " " + "ab" * 32]
)
def test_what_is_no_photo_hash_is_refused(photo: str) -> None:
    with pytest.raises(ValueError, match="hex"):
        photo_bytes(photo)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("photo", None),
        ("photo", hashlib.md5(b"").hexdigest()),  # noqa: S324
        ("perceptual_hash", "0" * 15),
        ("perceptual_hash", " " * 16),
        ("perceptual_hash", "-" + "0" * 15),
        ("perceptual_hash", 7),
        ("ingested_at", "yesterday"),
        ("ingested_at", "2026-01-01T00:00:00"),
        ("ingested_at", None),
        ("source", None),
        ("source", ["a"]),
        ("width", "wide"),
        ("brightness", None),
    ],
)
def test_a_row_that_holds_something_else_is_refused(field: str, value: Any) -> None:
    with pytest.raises((ValueError, TypeError)):
        IndexColumns([replace(ROW, **{field: value})])
