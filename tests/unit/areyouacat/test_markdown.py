import pytest

from areyouacat.markdown import in_words, table
from areyouacat.resampling import Estimate


def test_what_is_in_a_cell_stays_in_it() -> None:
    lines = list(table(["source", "photos"], [["a|b\nc", "3"], ["alone"]]))

    assert lines == [
        "| source | photos |",
        "| --- | --- |",
        "| a\\|b c | 3 |",
        "| alone |  |",
    ]


def test_an_aligned_table_has_columns_of_even_width() -> None:
    lines = list(table(["", "photos"], [["a|b", "3"], ["longer", "12"]], aligned=True))

    assert lines == [
        "|        | photos |",
        "| ---    | ---    |",
        "| a\\|b   | 3      |",
        "| longer | 12     |",
    ]


@pytest.mark.parametrize(
    ("found", "sign", "words"),
    [
        (Estimate(0.5, 0.25, 0.75), "", "0.5000 (0.2500 to 0.7500)"),
        (Estimate(0.01, -0.02, 0.04), "+", "+0.0100 (-0.0200 to +0.0400)"),
        (None, "", "-"),
    ],
)
def test_a_figure_is_told_with_its_limits(found: Estimate | None, sign: str, words: str) -> None:
    assert in_words(found, sign) == words
