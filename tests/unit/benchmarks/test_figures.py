"""What a benchmark's figures say, and how they are kept."""

import json
from pathlib import Path

import pytest

from benchmarks.__main__ import Record
from benchmarks.figures import Context, Figure, Repeated, from_json, number, table, to_json


@pytest.mark.parametrize(
    ("figure", "verdict"),
    [
        (Figure.at_most("ratio", 1.1, "times", 1.2), "met by 0.1"),
        (Figure.at_most("ratio", 1.2, "times", 1.2), "met by 0"),
        (Figure.at_most("ratio", 1.5, "times", 1.2), "**missed** by 0.3"),
        (Figure.at_least("accuracy", 98.2, "%", 98.8), "**missed** by 0.6"),
        (Figure("memory", 1, "MB", "500", met=True), "met"),
        (Figure.told("seconds", 3, "s"), ""),
    ],
)
def test_a_figure_says_by_how_much_it_meets_or_misses_its_target(
    figure: Figure, verdict: str
) -> None:
    assert figure.verdict() == verdict


@pytest.mark.parametrize(
    ("value", "text"),
    [(3.0, "3"), (12345.678, "12,346"), (0.0123456, "0.01235"), (98.765, "98.77")],
)
def test_numbers_have_the_digits_that_mean_something(value: float, text: str) -> None:
    assert number(value) == text


def test_the_table_has_a_line_for_each_figure() -> None:
    measured = Repeated(1.1, 9, (1.0, 1.15))
    figure = Figure.at_most("ratio", measured, "times", 1.2, "quiet")

    lines = table({"training": [figure]}).splitlines()

    assert lines[2:] == [
        "| training | ratio | 1.1 times | 1 to 1.15 | 9 | ≤ 1.2 | met by 0.1 | quiet |"
    ]


def test_figures_survive_being_written() -> None:
    measured = Repeated(1.1, 9, (1.0, 1.15))
    figures = [Figure.at_most("ratio", measured, "times", 1.2), Figure.told("seconds", 3, "s")]

    assert from_json(json.loads(json.dumps(to_json(figures)))) == figures


def test_new_figures_take_the_place_of_their_benchmarks_old_ones_only(tmp_path: Path) -> None:
    file = tmp_path / "bench.json"
    first, second = Figure.told("seconds", 1, "s"), Figure.told("seconds", 2, "s")

    Record(file).keep("training", [first], 1.0, quick=False)
    Record(file).keep("quality", [first], 1.0, quick=False)
    Record(file).keep("training", [second], 1.0, quick=False)

    assert Record(file).figures(quick=False) == {"training": [second], "quality": [first]}
    assert Record(file).figures(quick=True) == {}


def test_a_benchmark_finds_what_another_one_measured(tmp_path: Path) -> None:
    earlier = {"training": [Figure.told("seconds", 3, "s")]}
    context = Context(None, False, tmp_path, print, earlier)

    assert context.earlier_value("training", "seconds") == 3
    assert context.earlier_value("training", "minutes") is None
    assert context.earlier_value("quality", "seconds") is None
