"""What a benchmark's figures say, and how they are kept."""

import json
from pathlib import Path

import pytest

from benchmarks.figures import Context, Figure, Repeated, from_json, number, to_json


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


def test_figures_survive_being_written() -> None:
    measured = Repeated(1.1, 9, (1.0, 1.15))
    figures = [Figure.at_most("ratio", measured, "times", 1.2), Figure.told("seconds", 3, "s")]

    assert from_json(json.loads(json.dumps(to_json(figures)))) == figures


def test_a_benchmark_finds_what_another_one_measured(tmp_path: Path) -> None:
    earlier = {"training": [Figure.told("seconds", 3, "s")]}
    context = Context(None, False, tmp_path, print, earlier)

    assert context.earlier_value("training", "seconds") == 3
    assert context.earlier_value("training", "minutes") is None
    assert context.earlier_value("quality", "seconds") is None
