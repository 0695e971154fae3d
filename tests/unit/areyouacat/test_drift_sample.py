import math

import pytest

from areyouacat.drift_features import INPUT_FEATURES, SKETCH_FEATURES
from areyouacat.drift_sample import COLUMNS, SampleRow, read_sample, sample_csv

ROW = SampleRow((0.5, 0.25, 0.01, 16.22882, 0.4150375), (0.125,) * 16, 0.9, "cat")
UNKNOWN = SampleRow((0.5, 0.25, 1e-9, 1.0, -2.0), (-0.125,) * 16, None, None)


def test_a_table_is_read_as_it_was_written() -> None:
    found = read_sample(sample_csv([ROW, UNKNOWN]))

    assert tuple(found) == COLUMNS
    assert [found[name][0] for name in INPUT_FEATURES] == list(ROW.inputs)
    assert [found[name][1] for name in SKETCH_FEATURES] == list(UNKNOWN.sketch)
    assert (found["probability"][0], found["label"][0]) == (0.9, 1.0)
    assert math.isnan(found["probability"][1])
    assert math.isnan(found["label"][1])


def test_a_table_names_no_photo_and_the_same_rows_give_the_same_bytes() -> None:
    assert (*INPUT_FEATURES, *SKETCH_FEATURES, "probability", "label") == COLUMNS
    assert sample_csv([ROW, UNKNOWN]) == sample_csv(iter([ROW, UNKNOWN]))


def test_a_table_may_have_no_rows() -> None:
    assert read_sample(sample_csv([]))["label"] == []


LINE = sample_csv([ROW]).decode().splitlines()[1]
HEADER = ",".join(COLUMNS)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "its columns are"),
        ("brightness,label\n", "its columns are"),
        (f"{HEADER}\n{LINE},1\n", "line 2 has 24 values, expected 23"),
        (f"{HEADER}\n{LINE}\n\n", "line 3 has 0 values"),
        (f"{HEADER}\n{LINE.replace('0.5', '', 1)}\n", "line 2: '' is no brightness"),
        (f"{HEADER}\n{LINE.replace('0.5', 'nan', 1)}\n", "line 2: 'nan' is no brightness"),
        (f"{HEADER}\n{LINE.replace('0.9', 'often')}\n", "line 2: 'often' is no probability"),
        (f"{HEADER}\n{LINE.replace('cat', 'dog')}\n", "line 2: 'dog' is no label"),
        (f'{HEADER}\n"{LINE}\n', "it is no CSV"),
    ],
)
def test_what_is_no_such_table_is_refused_with_its_line(text: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        read_sample(text.encode())


def test_bytes_that_are_no_text_are_refused() -> None:
    with pytest.raises(ValueError, match="it is no CSV"):
        read_sample(b"\xff\xfe")
