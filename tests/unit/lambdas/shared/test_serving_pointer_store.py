from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from areyouacat.errors import StalePointerError
from areyouacat.lake import SERVING_POINTER_KEY
from areyouacat.serving_pointer import ServingPointer, Variant, first_pointer
from lambdas.shared.serving_pointer_store import ServingPointerStore

BUCKET = "lake-of-the-test"
NOW = datetime(2026, 11, 22, 20, 0, tzinfo=UTC)
VARIANT = Variant("champion", "m", "1", 1.0, "models/1/model.tflite", "a", "models/1/j", "b")
FIRST = first_pointer(VARIANT, by="test", reason="first", at=NOW)


def pointer_to(version: str) -> ServingPointer:
    return FIRST.promote(replace(VARIANT, version=version), by="test", reason="next", at=NOW)


@pytest.fixture
def store(s3: Any) -> ServingPointerStore:
    return ServingPointerStore(s3, BUCKET)


def test_there_is_no_pointer_before_the_first_promotion(store: ServingPointerStore) -> None:
    assert store.read() is None


def test_what_is_written_is_read(store: ServingPointerStore) -> None:
    written = store.write(FIRST, replacing=None)

    assert store.read() == written


def test_an_unchanged_pointer_is_answered_with_the_known_one(store: ServingPointerStore) -> None:
    known = store.write(FIRST, replacing=None)

    assert store.read(known) is known


def test_a_changed_pointer_is_read_anew(store: ServingPointerStore) -> None:
    known = store.write(FIRST, replacing=None)
    store.write(pointer_to("2"), replacing=known)

    found = store.read(known)

    assert found is not None
    assert found.pointer.champion.version == "2"


def test_two_first_writers_do_not_overwrite_each_other(store: ServingPointerStore) -> None:
    store.write(FIRST, replacing=None)

    with pytest.raises(StalePointerError):
        store.write(pointer_to("2"), replacing=None)


def test_a_writer_that_read_an_older_pointer_is_refused(store: ServingPointerStore) -> None:
    old = store.write(FIRST, replacing=None)
    store.write(pointer_to("2"), replacing=old)

    with pytest.raises(StalePointerError):
        store.write(pointer_to("3"), replacing=old)

    found = store.read()
    assert found is not None
    assert found.pointer.champion.version == "2"


def test_a_pointer_deleted_in_between_is_not_brought_back(
    store: ServingPointerStore, s3: Any
) -> None:
    old = store.write(FIRST, replacing=None)
    s3.delete_object(Bucket=BUCKET, Key=SERVING_POINTER_KEY)

    with pytest.raises(StalePointerError):
        store.write(pointer_to("2"), replacing=old)
