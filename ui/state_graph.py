"""A state machine as a picture has it: which states stand where, and what leads to what.

The way that a good run takes goes straight down; what branches off stands to its right, and what
only a failure leads to, to the right of that. Pure functions on the machine's definition.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

_ENDS: Final = ("Succeed", "Fail")
_MEANT: Final = "Succeeded"
"""The end that a machine is for, among several good ones."""


@dataclass(frozen=True)
class Node:
    """A state: its name, ASL type and comment; `row` and `column` count from 0.

    `for_failures`: only a failed state leads here.
    """

    name: str
    kind: str
    comment: str
    row: int
    column: int
    for_failures: bool

    @property
    def is_end(self) -> bool:
        """Whether an execution ends here."""
        return self.kind in _ENDS


@dataclass(frozen=True)
class Edge:
    """What follows what, failures apart."""

    source: str
    target: str


@dataclass(frozen=True)
class Graph:
    """All states, from top to bottom and left to right."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]

    @property
    def rows(self) -> int:
        """How many there are."""
        return 1 + max((node.row for node in self.nodes), default=-1)

    @property
    def columns(self) -> int:
        """How many there are."""
        return 1 + max((node.column for node in self.nodes), default=-1)


def graph(definition: Mapping[str, Any]) -> Graph:
    """Of a machine's ASL definition; its outermost states alone.

    Raises:
        KeyError: it names a state that it does not have.
    """
    states: Mapping[str, Mapping[str, Any]] = definition["States"]
    start = str(definition["StartAt"])
    following = {name: tuple(_following(state)) for name, state in states.items()}
    calm = _reachable(following, [start])
    caught = sorted(
        {str(one["Next"]) for state in states.values() for one in state.get("Catch", ())} - calm
    )
    afterwards = [name for name in states if name in _reachable(following, caught) - calm]

    good = {name for name, state in states.items() if state["Type"] == "Succeed"}
    main = _longest_way(following, start, good)
    rows = _rows(following, main, calm)
    places = {name: (rows[name], 0) for name in main}
    taken = set(places.values())
    for name in (name for name in states if name in calm and name not in places):
        places[name] = _free(taken, rows[name], 1)
    aside = 1 + max(column for _, column in taken)
    for name in _in_order(following, caught, afterwards):
        places[name] = _free(taken, 1, aside, down=True)
    return Graph(
        nodes=tuple(
            Node(
                name,
                str(states[name]["Type"]),
                str(states[name].get("Comment", "")),
                *places[name],
                name in afterwards,
            )
            for name in sorted(places, key=lambda each: places[each])
        ),
        edges=tuple(
            Edge(name, target) for name in states if name in places for target in following[name]
        ),
    )


def _following(state: Mapping[str, Any]) -> Iterable[str]:
    """What may come next where nothing fails, each once."""
    named = [*(each["Next"] for each in state.get("Choices", ()))]
    named += [state[key] for key in ("Default", "Next") if key in state]
    return dict.fromkeys(str(name) for name in named)


def _reachable(following: Mapping[str, Sequence[str]], starts: Iterable[str]) -> set[str]:
    found: set[str] = set()
    todo = list(starts)
    while todo:
        name = todo.pop()
        if name not in found:
            found.add(name)
            todo += following[name]
    return found


def _longest_way(
    following: Mapping[str, Sequence[str]], start: str, good: set[str]
) -> tuple[str, ...]:
    """From `start` to an end, a good one if there is one, by as many states as possible."""
    best: tuple[str, ...] = ()
    todo: list[tuple[str, ...]] = [(start,)]
    while todo:
        way = todo.pop()
        ahead = [name for name in following[way[-1]] if name not in way]
        todo += [(*way, name) for name in reversed(ahead)]
        if not ahead and _merit(way, good) > _merit(best, good):
            best = way
    return best


def _merit(way: Sequence[str], good: set[str]) -> tuple[bool, int, bool]:
    end = way[-1] if way else ""
    return end in good, len(way), end == _MEANT


def _rows(
    following: Mapping[str, Sequence[str]], main: Sequence[str], calm: set[str]
) -> dict[str, int]:
    """The main way's states below each other; each other one below all on it that lead to it."""
    rows = {name: row for row, name in enumerate(main)}
    aside = [name for name in following if name in calm and name not in rows]
    for name in aside:
        before = [rows[each] for each in main if name in following[each]]
        if before:
            rows[name] = max(before) + 1
    while missing := [name for name in aside if name not in rows]:
        for name in missing:
            before = [rows[each] for each in aside if name in following[each] and each in rows]
            if before:
                rows[name] = min(before) + 1
    return rows


def _in_order(
    following: Mapping[str, Sequence[str]], starts: Sequence[str], names: Sequence[str]
) -> list[str]:
    """What leads to something before what it leads to."""
    order: list[str] = []

    def visit(name: str) -> None:
        if name in names and name not in seen:
            seen.add(name)
            for target in following[name]:
                visit(target)
            order.insert(0, name)

    seen: set[str] = set()
    for start in reversed(starts):
        visit(start)
    return order


def _free(
    taken: set[tuple[int, int]], row: int, column: int, *, down: bool = False
) -> tuple[int, int]:
    """The first free place to the right of one, or below it; taken from then on."""
    place = (row, column)
    while place in taken:
        place = (place[0] + 1, column) if down else (row, place[1] + 1)
    taken.add(place)
    return place
