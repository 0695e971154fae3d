"""A state machine with the state of each step, as an SVG picture and as words."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape
from types import MappingProxyType
from typing import Final

from ui.state_graph import Graph, Node
from ui.steps import State, Story

WIDTH, HEIGHT = 190, 40
"""Of a box, in the picture's own pixels."""
_GAP_X, _GAP_Y, _MARGIN = 28, 26, 14
_NAME_CHARACTERS: Final = 24
PAGE_WIDTH: Final = 704
"""Of what Streamlit's centred layout holds, in pixels."""
_LEAST_WIDTH: Final = 600  # below that its words are too small to read
_SPARE: Final = 24  # for a bar to move it sideways


@dataclass(frozen=True)
class Look:
    """How a step is drawn; `mark`: says the same as the colour, for those who do not see it."""

    mark: str
    line: str
    fill: str
    text: str


@dataclass(frozen=True)
class Palette:
    """Colours on a light or a dark page; each text stands out from its box by 4.5 to 1 at least."""

    steps: Mapping[State, Look]
    quiet: str


LIGHT: Final = Palette(
    MappingProxyType(
        {
            State.WAITING: Look("", "#9aa5b1", "#ffffff", "#5b6672"),
            State.RUNNING: Look("▶", "#1c6fd1", "#e3effd", "#0b3f80"),
            State.DONE: Look("✓", "#2e7d4f", "#e6f4ea", "#1b5633"),
            State.HANDLED: Look("!", "#b26a00", "#fff4e0", "#7a4900"),
            State.FAILED: Look("✕", "#c62828", "#fdecea", "#8e1c1c"),
            State.STOPPED: Look("■", "#5b6672", "#eceff1", "#37474f"),
        }
    ),
    "#9aa5b1",
)
DARK: Final = Palette(
    MappingProxyType(
        {
            State.WAITING: Look("", "#5d6875", "#161a20", "#a4afbb"),
            State.RUNNING: Look("▶", "#5aa9f5", "#12304f", "#cfe6ff"),
            State.DONE: Look("✓", "#58b57e", "#14331f", "#c9eed7"),
            State.HANDLED: Look("!", "#e0a040", "#3b2a0d", "#ffe2b0"),
            State.FAILED: Look("✕", "#ef6b6b", "#421718", "#ffd3d0"),
            State.STOPPED: Look("■", "#9aa5b1", "#262c33", "#dde3e8"),
        }
    ),
    "#5d6875",
)


def image(graph: Graph, story: Story, palette: Palette) -> str:
    """HTML of the picture, as wide as there is room; on a phone one moves sideways over it."""
    picture = base64.b64encode(svg(graph, story, palette).encode()).decode()
    width, height = _size(graph)
    return (
        '<div style="overflow-x: auto" tabindex="0" role="group" aria-label="The workflow">'
        f'<img src="data:image/svg+xml;base64,{picture}" alt="{escape(words(graph, story))}" '
        f'width="{width}" height="{height}" '
        f'style="width: 100%; min-width: {min(width, _LEAST_WIDTH)}px; max-width: {width}px; '
        'height: auto"></div>'
    )


def room(graph: Graph) -> int:
    """The height of `image` on the widest page, in pixels, with a little to spare."""
    width, height = _size(graph)
    return round(height * min(1.0, PAGE_WIDTH / width)) + _SPARE


def svg(graph: Graph, story: Story, palette: Palette) -> str:
    """The picture. What was passed is drawn strong, what only failures lead to is dashed."""
    width, height = _size(graph)
    return "".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
            f'width="{width}" height="{height}" font-family="system-ui, sans-serif" '
            'font-size="13">',
            '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" '
            f'markerHeight="7" orient="auto"><path d="M0 0 8 4 0 8z" fill="{palette.quiet}"/>'
            "</marker></defs>",
            *_edges(graph, palette),
            *(_box(node, story, palette) for node in graph.nodes),
            "</svg>",
        ]
    )


def words(graph: Graph, story: Story) -> str:
    """The same in one sentence for those who do not see the picture."""
    told = [
        f"{step.name} {step.state}"
        for step in story.steps
        if any(node.name == step.name for node in graph.nodes)
    ]
    if not told:
        return f"A workflow of {len(graph.nodes)} steps, none of them begun."
    return f"A workflow of {len(graph.nodes)} steps: {', '.join(told)}."


def _edges(graph: Graph, palette: Palette) -> Iterator[str]:
    nodes = {node.name: node for node in graph.nodes}
    for edge in graph.edges:
        source = nodes[edge.source]
        if source.for_failures and not nodes[edge.target].for_failures:
            continue  # it would cross everything; the words beside the picture tell of it
        dashes = ' stroke-dasharray="4 4"' if source.for_failures else ""
        yield (
            f'<path d="{_way(source, nodes[edge.target])}" fill="none" stroke="{palette.quiet}" '
            f'stroke-width="1.5"{dashes} marker-end="url(#tip)"/>'
        )


def _way(source: Node, target: Node) -> str:
    """From a box to another: straight down, else a curve that leaves and enters by the sides."""
    x0, y0 = _place(source)
    x1, y1 = _place(target)
    middle = WIDTH / 2
    if source.column == target.column and target.row == source.row + 1:
        return f"M{x0 + middle} {y0 + HEIGHT}V{y1}"
    if source.column == target.column:  # past the boxes between, on their left
        side = x0 - _MARGIN + 3
        return f"M{x0} {y0 + HEIGHT / 2}C{side} {y0 + HEIGHT / 2} {side} {y1 + 8} {x1} {y1 + 8}"
    if target.column > source.column and target.row > source.row:
        end, start = x1 + middle, y0 + HEIGHT / 2
        return f"M{x0 + WIDTH} {start}H{end - 8}Q{end} {start} {end} {start + 8}V{y1}"
    if target.column > source.column:
        return f"M{x0 + WIDTH} {y0 + HEIGHT / 2}L{x1} {y1 + HEIGHT / 2}"
    if target.row > source.row:
        start, end = x0 + middle, y1 + HEIGHT / 2
        return f"M{start} {y0 + HEIGHT}V{end - 8}Q{start} {end} {start - 8} {end}H{x1 + WIDTH}"
    bend = x1 + WIDTH + _GAP_X / 2
    return (
        f"M{x0} {y0 + HEIGHT / 2}C{bend} {y0 + HEIGHT / 2} {bend} {y1 + HEIGHT / 2} "
        f"{x1 + WIDTH} {y1 + HEIGHT / 2}"
    )


def _box(node: Node, story: Story, palette: Palette) -> str:
    step = story.step(node.name)
    look = palette.steps[step.state if step else State.WAITING]
    x, y = _place(node)
    dashes = ' stroke-dasharray="4 4"' if node.for_failures and step is None else ""
    name = node.name
    if len(name) > _NAME_CHARACTERS:
        name = f"{name[: _NAME_CHARACTERS - 1]}…"
    if step and step.visits > 1:
        name = f"{name} ×{step.visits}"  # noqa: RUF001 - a multiplication sign is meant
    mark = f"{look.mark} " if look.mark else ""
    pulse = (
        '<animate attributeName="stroke-opacity" values="1;0.35;1" dur="2s" '
        'repeatCount="indefinite"/>'
        if step and step.state is State.RUNNING
        else ""
    )
    return (
        f'<g><rect x="{x}" y="{y}" width="{WIDTH}" height="{HEIGHT}" '
        f'rx="{HEIGHT / 2 if node.is_end else 6}" fill="{look.fill}" stroke="{look.line}" '
        f'stroke-width="{2 if step else 1}"{dashes}>{pulse}</rect>'
        f'<text x="{x + WIDTH / 2}" y="{y + HEIGHT / 2 + 4.5}" text-anchor="middle" '
        f'fill="{look.text}"{" font-weight=" + chr(34) + "600" + chr(34) if step else ""}>'
        f"{escape(mark + name)}</text></g>"
    )


def _size(graph: Graph) -> tuple[int, int]:
    """Width and height of the whole."""
    return (
        2 * _MARGIN + graph.columns * (WIDTH + _GAP_X) - _GAP_X,
        2 * _MARGIN + graph.rows * (HEIGHT + _GAP_Y) - _GAP_Y,
    )


def _place(node: Node) -> tuple[int, int]:
    return (
        _MARGIN + node.column * (WIDTH + _GAP_X),
        _MARGIN + node.row * (HEIGHT + _GAP_Y),
    )
