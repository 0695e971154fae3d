from __future__ import annotations

from typing import Any

import pytest

from areyouacat.batches import (
    Batch,
    Counts,
    Location,
    Question,
    chunk_name,
    read_question,
    rows_key,
    rows_prefix,
)
from areyouacat.errors import InvalidBatchError
from areyouacat.serving_pointer import Variant

PHOTOS = Location("lake", "photos/")
MODEL = Variant("batch", "are-you-a-cat", "3", 0.0, "k", "00", "j", "11")
BATCH = Batch("autumn", PHOTOS, False, MODEL, "2026-01-01T00:00:00.000000Z")


def test_a_source_and_a_manifest_are_told_apart() -> None:
    assert read_question({"source": "s3://lake/photos/"}, "run-1") == Question(
        "run-1", PHOTOS, manifest=False, model_version=None
    )
    assert read_question({"manifest": "s3://lake/list.txt", "model_version": 3}, "run-1") == (
        Question("run-1", Location("lake", "list.txt"), manifest=True, model_version="3")
    )


def test_a_batch_goes_on_by_its_id_alone() -> None:
    question = read_question({"batch_id": "autumn"}, "run-2")

    assert question == Question("autumn", None, manifest=False, model_version=None)
    BATCH.refuse_another(question)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "Give a source"),
        ({"sources": "s3://lake/photos/"}, "Unknown: sources"),
        ({"source": "s3://lake/a", "manifest": "s3://lake/b"}, "not both"),
        ({"source": "/home/photos"}, "no address"),
        ({"source": "s3://L/photos"}, "no address"),
        ({"manifest": "s3://lake/"}, "no manifest"),
        ({"source": "s3://lake/", "batch_id": "a/b"}, "batch_id"),
        ({"source": "s3://lake/", "batch_id": 3}, "batch_id"),
        ({"source": "s3://lake/", "model_version": "latest"}, "model_version"),
        ({"source": "s3://lake/", "model_version": "0"}, "model_version"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_what_can(given: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidBatchError, match=said):
        read_question(given, "run-1")


def test_an_id_stands_for_one_batch_for_ever() -> None:
    for other in (
        {"batch_id": "autumn", "source": "s3://lake/other/"},
        {"batch_id": "autumn", "manifest": "s3://lake/photos/"},
        {"batch_id": "autumn", "model_version": "4"},
    ):
        with pytest.raises(InvalidBatchError, match="another batch_id"):
            BATCH.refuse_another(read_question(other, "run-2"))


def test_a_batch_is_read_as_it_was_written() -> None:
    assert Batch.from_json(BATCH.to_json()) == BATCH


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b'{"schema": 2}', b'{"schema": 1, "a": 1}'])
def test_a_file_that_is_no_batch_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidBatchError, match=r"batch\.json"):
        Batch.from_json(data)


def test_counts_add_up_by_verdict_and_by_error() -> None:
    total = Counts({"cat": 2}, {"not_found": 1}) + Counts({"cat": 1, "unsure": 1}, {})

    assert total == Counts({"cat": 3, "unsure": 1}, {"not_found": 1})
    assert (total.scored, total.failed) == (4, 1)


def test_chunks_sort_as_they_were_cut() -> None:
    names = [chunk_name(number) for number in (0, 9, 10, 399_999)]

    assert names == sorted(names)
    assert rows_key("autumn", names[1]) == f"{rows_prefix('autumn')}00000009.parquet"
