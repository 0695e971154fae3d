"""Runs of one benchmark: which one is told, and whether they agree."""

import pytest

from benchmarks.figures import Figure, Repeated
from benchmarks.runs import Run, Summary, agreement, summaries


def runs(*figures: Figure) -> list[Run]:
    """A run of each."""
    return [Run("2026-11-30", 1.0, {}, {}, (figure,)) for figure in figures]


def only(*figures: Figure) -> Summary:
    (summary,) = summaries(runs(*figures))
    return summary


def spread(value: float, low: float, high: float) -> Figure:
    return Figure.told("p50", Repeated(value, 30, (low, high)), "ms")


def test_the_run_in_the_middle_is_told_with_the_range_of_all() -> None:
    found = only(spread(5, 4, 6), spread(9, 8, 10), spread(4, 3, 5))

    assert (found.figure, found.runs, found.limits) == (spread(5, 4, 6), 3, (4, 9))


def test_one_run_agrees_with_nobody() -> None:
    found = only(spread(5, 4, 6))

    assert found.agrees is None
    assert not agreement([found])


def test_runs_agree_if_each_value_lies_in_the_spread_of_every_other() -> None:
    assert only(spread(5, 4, 6), spread(5.5, 4.5, 6.5), spread(4.6, 4, 5.6)).agrees
    assert not only(spread(5, 4, 6), spread(5.5, 5.2, 5.8)).agrees


def test_a_difference_that_nobody_would_act_on_is_none() -> None:
    assert only(spread(100, 100, 100), spread(100.9, 100.9, 100.9)).agrees
    assert not only(spread(100, 100, 100), spread(102, 102, 102)).agrees


@pytest.mark.parametrize(
    ("one", "other", "unit", "agrees"),
    [
        (0, 0, "", True),
        (0, 1, "", False),
        (2, 3, "of 124", False),
        (98.1, 98.9, "%", True),
        (98.1, 99.5, "%", False),
        (100, 108, "MB", True),
        (100, 115, "MB", False),
        (1.01, 1.08, "", True),
        (10.0, 12.0, "s", True),
        (10.0, 15.0, "s", False),
    ],
)
def test_without_a_spread_the_unit_says_what_is_tolerated(
    one: float, other: float, unit: str, agrees: bool
) -> None:
    assert only(Figure.told("x", one, unit), Figure.told("x", other, unit)).agrees is agrees


def test_a_figure_that_one_run_lacks_is_judged_by_the_others() -> None:
    found = summaries([*runs(spread(5, 4, 6)), Run("2026-11-30", 1.0, {}, {}, ())])

    assert [(one.runs, one.agrees) for one in found] == [(1, None)]


def test_how_many_agree_is_one_sentence() -> None:
    found = [only(spread(5, 4, 6), spread(5, 4, 6)), only(spread(5, 4, 6), spread(9, 8, 10))]

    assert agreement(found) == "1 of 2 figures agree over their runs."
