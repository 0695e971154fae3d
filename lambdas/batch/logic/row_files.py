"""A chunk's rows as files: Parquet for programs, and JSON lines of what failed for people."""

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, Final

from arro3.core import Array, DataType, Table
from arro3.io import write_parquet

from areyouacat.batches import Counts
from lambdas.batch.logic.scoring import Row

_COLUMNS: Final = {
    "bucket": DataType.utf8(),
    "key": DataType.utf8(),
    "model_version": DataType.utf8(),
    "photo": DataType.utf8(),
    "size_bytes": DataType.int64(),
    "width": DataType.int32(),
    "height": DataType.int32(),
    "format": DataType.utf8(),
    "probability": DataType.float64(),
    "label": DataType.utf8(),
    "verdict": DataType.utf8(),
    "error": DataType.utf8(),
    "message": DataType.utf8(),
}
"""Every column may hold nulls. A reader of a whole batch sees one schema, whatever is in a part."""


def to_parquet(rows: Sequence[Row]) -> bytes:
    """One row per photo, columns as in `Row`; the same rows give the same bytes."""
    columns: dict[str, Any] = {  # from_pydict's own type wants a dict of more than arrays
        name: Array([getattr(row, name) for row in rows], kind) for name, kind in _COLUMNS.items()
    }
    file = io.BytesIO()
    write_parquet(Table.from_pydict(columns), file, compression="zstd(3)")
    return file.getvalue()


def failures(rows: Iterable[Row]) -> bytes:
    """Which photos were not scored and why, one JSON object per line; empty if all were."""
    return b"".join(
        json.dumps(
            {"bucket": row.bucket, "key": row.key, "error": row.error, "message": row.message}
        ).encode()
        + b"\n"
        for row in rows
        if row.error
    )


def counts(rows: Iterable[Row]) -> Counts:
    """Photos by verdict, and those without one by error."""
    verdicts: Counter[str] = Counter()
    errors: Counter[str] = Counter()
    for row in rows:
        if row.error:
            errors[row.error] += 1
        elif row.verdict:
            verdicts[row.verdict] += 1
    return Counts(dict(verdicts), dict(errors))
