"""A sample of photos as a table: what drift is measured on, photo by photo, and no photo named.

Training leaves one beside its model, the monitor one of a window; a drift report compares the two.
"""

import csv
import io
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from areyouacat.drift_features import (
    INPUT_FEATURES,
    LABEL_FEATURE,
    PROBABILITY_FEATURE,
    SKETCH_FEATURES,
)
from areyouacat.settings import LABELS

COLUMNS: Final = (*INPUT_FEATURES, *SKETCH_FEATURES, PROBABILITY_FEATURE, LABEL_FEATURE)
_MEASURED: Final = (*INPUT_FEATURES, *SKETCH_FEATURES)
_LABEL_VALUES: Final = {"": math.nan, LABELS.positive: 1.0, LABELS.negative: 0.0}


@dataclass(frozen=True, slots=True)
class SampleRow:
    """One photo. `inputs`: `drift_features.input_features`. `sketch`: `SKETCH_DIM` numbers.

    `probability`: of the positive label, [0, 1]; None where the model has learnt from the photo.
    `label`: one of `LABELS.all`, or None if nobody has said.
    """

    inputs: tuple[float, ...]
    sketch: tuple[float, ...]
    probability: float | None
    label: str | None


def sample_csv(rows: Iterable[SampleRow]) -> bytes:
    """The table as CSV, a header first; seven digits of each number, nothing for the unknown."""
    lines = [",".join(COLUMNS)]
    for row in rows:
        numbers = [f"{value:.7g}" for value in (*row.inputs, *row.sketch)]
        probability = "" if row.probability is None else f"{row.probability:.7g}"
        lines.append(",".join([*numbers, probability, row.label or ""]))
    return ("\n".join(lines) + "\n").encode()


def read_sample(data: bytes) -> Mapping[str, list[float]]:
    """The values of each of `COLUMNS`, as many as rows; NaN where unknown, the label as 1 or 0.

    Raises:
        ValueError: not such a table; names the line.
    """
    try:
        lines = csv.reader(io.StringIO(data.decode()), strict=True)
        header = next(lines, [])
        if tuple(header) != COLUMNS:
            raise ValueError(f"its columns are {header}, expected {list(COLUMNS)}")
        values: dict[str, list[float]] = {name: [] for name in COLUMNS}
        for cells in lines:
            _add(values, cells, lines.line_num)
    except (csv.Error, UnicodeDecodeError) as error:
        raise ValueError(f"it is no CSV: {error}") from error
    return values


def _add(values: Mapping[str, list[float]], cells: list[str], line: int) -> None:
    if len(cells) != len(COLUMNS):
        raise ValueError(f"line {line} has {len(cells)} values, expected {len(COLUMNS)}")
    for name, text in zip(COLUMNS, cells, strict=True):
        try:
            value = _LABEL_VALUES[text] if name == LABEL_FEATURE else _number(name, text)
        except (KeyError, ValueError):
            raise ValueError(f"line {line}: {text!r} is no {name}") from None
        values[name].append(value)


def _number(name: str, text: str) -> float:
    if not text and name not in _MEASURED:
        return math.nan
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(text)
    return value
