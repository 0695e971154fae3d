"""The list of targets and what the benchmarks ask of their figures are one.

The calls that make a figure with a target are read in the benchmarks' source: none has to run.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest

from benchmarks.__main__ import NAMES
from benchmarks.figures import Figure
from benchmarks.targets import DRILL, TARGETS, TESTED, Target, margin, of, unlisted

ROOT = Path(__file__).resolve().parents[3]
FOLDER = ROOT / "benchmarks"
SENSE = {"at_most": "≤", "at_least": "≥"}


@dataclass(frozen=True)
class Asked:
    """A call that makes a figure with a target.

    `benchmark`: None where its module only helps others. `name`: with `*` for what is known when it
    runs. `wanted`: None where that is known only then.
    """

    benchmark: str | None
    name: str
    wanted: str | None
    unit: str | None
    place: str

    def is_for(self, target: Target) -> bool:
        return (
            self.benchmark in {None, target.benchmark}
            and fnmatchcase(target.figure, self.name)
            and self.wanted in {None, target.wanted}
            and (self.unit is None or fnmatchcase(target.unit, self.unit))
        )


class Source:
    """A module of benchmarks, and the constants at its top."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.tree = ast.parse(file.read_text(encoding="utf-8"))
        self.constants = dict(self._constants())
        known = file.stem if file.parent == FOLDER else DRILL
        self.benchmark = known if known in {*NAMES, DRILL} else None

    def asked(self) -> Iterator[Asked]:
        for node in ast.walk(self.tree):
            if not isinstance(node, ast.Call):
                continue
            wanted = self._wanted(node)
            if wanted is False:
                continue
            place = f"{self.file.name}:{node.lineno}"
            unit = self._text(node.args[2])
            yield Asked(self.benchmark, self._text(node.args[0]) or "*", wanted, unit, place)

    def _wanted(self, call: ast.Call) -> Any:
        """The target in words, None where it is known later, False where there is none."""
        match call.func:
            case ast.Attribute(value=ast.Name(id="Figure"), attr="at_most" | "at_least" as sense):
                limit = self._value(call.args[3])
                return None if limit is None else f"{SENSE[sense]} {limit:g}"
            case ast.Name(id="Figure") if len(call.args) > 3:
                return self._value(call.args[3])
        return False

    def _text(self, node: ast.expr) -> str | None:
        if isinstance(node, ast.JoinedStr):
            return "".join(self._part(part) for part in node.values)
        value = self._value(node)
        return value if isinstance(value, str) else None

    def _part(self, part: ast.expr) -> str:
        inner = part.value if isinstance(part, ast.FormattedValue) else part
        value = self._value(inner) if isinstance(inner, ast.expr) else inner
        return value if isinstance(value, str) else "*"

    def _value(self, node: ast.expr) -> Any:
        if isinstance(node, ast.Name):
            return self.constants.get(node.id)
        try:
            return ast.literal_eval(node)
        except ValueError:
            return None

    def _constants(self) -> Iterator[tuple[str, Any]]:
        for node in self.tree.body:
            if not isinstance(node, ast.Assign | ast.AnnAssign) or node.value is None:
                continue
            try:
                value = ast.literal_eval(node.value)
            except ValueError:
                continue
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                if isinstance(target, ast.Name):
                    yield target.id, value
                elif isinstance(target, ast.Tuple):
                    names = [one.id for one in target.elts if isinstance(one, ast.Name)]
                    yield from zip(names, value, strict=True)


ASKED = [
    asked
    for file in sorted(FOLDER.rglob("*.py"))
    if file.name != "figures.py" or file.parent != FOLDER
    for asked in Source(file).asked()
]


@pytest.mark.parametrize(
    "target", TARGETS, ids=lambda target: f"{target.benchmark}-{target.figure}"
)
def test_every_target_is_asked_of_a_figure_that_its_benchmark_makes(target: Target) -> None:
    assert target.benchmark in {*NAMES, DRILL}
    assert any(asked.is_for(target) for asked in ASKED)


@pytest.mark.parametrize("asked", ASKED, ids=lambda asked: asked.place)
def test_every_figure_that_is_judged_is_in_the_list_of_targets(asked: Asked) -> None:
    assert any(asked.is_for(target) for target in TARGETS), (
        f"{asked.place}: '{asked.name}' {asked.wanted} {asked.unit} is no row of targets.py"
    )


@pytest.mark.parametrize("tested", TESTED, ids=lambda tested: tested.file)
def test_what_a_test_judges_has_that_test(tested: Any) -> None:
    assert (ROOT / tested.file).is_file()


def test_several_figures_of_one_target_are_judged_by_the_worst() -> None:
    (target,) = [one for one in TARGETS if one.benchmark == "ui"]
    pages = [
        Figure.at_most("Ask: first view, median", 1.9, "s", 2),
        Figure.at_most("Models: first view, median", 1.2, "s", 2),
        Figure.told("Models: first view / an empty page's", 1.2, "times"),
    ]

    assert [one.value for one in of(target, {"ui": pages})] == [1.9, 1.2]
    missed = Figure.at_most("Label: first view, median", 2.5, "s", 2)
    assert of(target, {"ui": [*pages, missed]})[0] == missed
    assert of(target, {}) == []


def test_a_figure_with_a_target_that_nobody_listed_is_told() -> None:
    known = Figure.at_most("predictions lost", 0, "", 0)
    unknown = Figure.at_most("predictions blessed", 0, "", 0)

    found = unlisted({"api_load": [known, unknown, Figure.told("p50", 3, "ms")]})

    assert found == [("api_load", unknown)]


@pytest.mark.parametrize(
    ("figure", "expected"),
    [
        (Figure.at_most("seconds", 30, "s", 60), 2),
        (Figure.at_most("seconds", 120, "s", 60), 0.5),
        (Figure.at_least("ratio", 30, "times", 20), 1.5),
        (Figure.at_least("accuracy", 99, "%", 98), 2),
        (Figure.at_most("false alarms", 0.5, "%", 1), 2),
        (Figure.at_most("failed", 0, "", 0), None),
        (Figure.told("seconds", 30, "s"), None),
        (Figure("status", 200, "", "200", met=True), None),
    ],
)
def test_a_margin_says_how_many_times_as_good_as_its_target_a_figure_is(
    figure: Figure, expected: float | None
) -> None:
    assert margin(figure) == (None if expected is None else pytest.approx(expected))
