"""A trend as a small picture, with the same in words for those who do not see it."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from html import escape
from typing import Final

HEIGHT_PX: Final = 36
_WIDTH: Final = 200  # of the picture's own; it is stretched to the room there is
_MARGIN: Final = 3
_COLOUR: Final = "#1c83e1"  # stands out by 3 to 1 at least on the light page and on the dark one


def image(values: Sequence[float], words: str) -> str:
    """HTML of the picture, as wide as there is room and always of the same height.

    `values`: the oldest first; none gives an empty place. `words`: the alternative text.
    """
    if not values:
        return f'<div style="height: {HEIGHT_PX}px"></div>'
    picture = base64.b64encode(svg(values).encode()).decode()
    return (
        f'<img src="data:image/svg+xml;base64,{picture}" alt="{escape(words)}" '
        f'style="display: block; width: 100%; height: {HEIGHT_PX}px">'
    )


def svg(values: Sequence[float]) -> str:
    """The picture: the lowest value at the bottom, the highest at the top."""
    low, high = min(values), max(values)
    spread = (high - low) or 1.0
    step = (_WIDTH - 2 * _MARGIN) / max(len(values) - 1, 1)
    room = HEIGHT_PX - 2 * _MARGIN
    points = [
        (_MARGIN + place * step, HEIGHT_PX - _MARGIN - room * (value - low) / spread)
        for place, value in enumerate(values)
    ]
    if len(points) == 1:
        points.append((_WIDTH - _MARGIN, points[0][1]))
    drawn = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {HEIGHT_PX}" '
        'preserveAspectRatio="none">'
        f'<polyline points="{drawn}" fill="none" stroke="{_COLOUR}" stroke-width="2" '
        'stroke-linejoin="round" vector-effect="non-scaling-stroke"/></svg>'
    )
