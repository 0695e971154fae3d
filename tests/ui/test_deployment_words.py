from __future__ import annotations

import pytest

from ui.deployment_words import duration, odds, plain, right_of


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (-3, "0 s"),
        (0.4, "0 s"),
        (59.6, "1 min"),
        (125, "2 min 5 s"),
        (3600, "1 h"),
        (3605, "1 h"),
        (12_000, "3 h 20 min"),
        (604_000, "6 d 23 h"),
    ],
)
def test_times_are_told_in_the_two_units_that_matter(seconds: float, expected: str) -> None:
    assert duration(seconds) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0.0, "0 to 1"),
        (0.44, "0.4 to 1"),
        (3.04, "3 to 1"),
        (3.29, "3.2 to 1"),
        (19.99, "19 to 1"),
        (20.0, "20 to 1"),
        (1e300, "more than 1,000 to 1"),
    ],
)
def test_odds_are_never_told_higher_than_they_are(value: float, expected: str) -> None:
    assert odds(value) == expected


@pytest.mark.parametrize(
    ("right", "of", "expected"),
    [(0, 0, "–"), (199, 200, "199 of 200 (99 %)"), (2, 2, "2 of 2 (100 %)")],  # noqa: RUF001
)
def test_all_is_told_only_of_all(right: int, of: int, expected: str) -> None:
    assert right_of(right, of) == expected


def test_text_of_others_is_no_markdown() -> None:
    assert plain("a *b*\n# [c](d) $e$") == r"a \*b\* \# \[c\]\(d\) \$e\$"
