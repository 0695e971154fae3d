from __future__ import annotations

import io
import json
from dataclasses import fields, replace

import pyarrow.parquet

from areyouacat.batches import Counts
from lambdas.batch.logic.row_files import counts, failures, to_parquet
from lambdas.batch.logic.scoring import Row

SCORED = Row("lake", "a.jpg", "3", "00", 10, 320, 240, "JPEG", 0.75, "cat", "unsure", None, None)
FAILED = Row("lake", 'b "quoted"\n.jpg', "3", error="not_found", message="It has gone.")


def test_a_file_has_every_field_of_a_row_and_keeps_its_values() -> None:
    table = pyarrow.parquet.read_table(io.BytesIO(to_parquet([SCORED, FAILED])))

    assert set(table.column_names) == {field.name for field in fields(Row)}
    assert [Row(**values) for values in table.to_pylist()] == [SCORED, FAILED]


def test_parts_without_a_single_value_of_a_column_have_the_same_schema() -> None:
    schemas = [
        pyarrow.parquet.read_schema(io.BytesIO(to_parquet(rows)))
        for rows in ([SCORED], [FAILED], [replace(SCORED, error="x")])
    ]

    assert schemas[0] == schemas[1] == schemas[2]


def test_the_same_rows_give_the_same_bytes() -> None:
    assert to_parquet([SCORED, FAILED]) == to_parquet([SCORED, FAILED])


def test_failures_are_one_line_each_and_scored_photos_are_none() -> None:
    lines = failures([SCORED, FAILED]).splitlines()

    assert [json.loads(line) for line in lines] == [
        {
            "bucket": "lake",
            "key": 'b "quoted"\n.jpg',
            "error": "not_found",
            "message": "It has gone.",
        }
    ]
    assert failures([SCORED]) == b""


def test_photos_are_counted_by_verdict_or_by_error() -> None:
    assert counts([SCORED, SCORED, FAILED]) == Counts({"unsure": 2}, {"not_found": 1})
