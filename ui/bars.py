"""Values as bars beside their names: readable without the picture, and there at once."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import Final

_COLOUR: Final = "#1c83e1"  # stands out by 3 to 1 at least on the light page and on the dark one


def html(values: Iterable[tuple[str, float]]) -> str:
    """A row for each name and value (0 or more), the bars in proportion to the largest."""
    rows = list(values)
    largest = max((value for _, value in rows), default=0.0) or 1.0
    cells = "".join(
        f"<div>{escape(name)}</div>"
        f'<div aria-hidden="true" style="height: 0.75rem; width: {value / largest:.1%}; '
        f'min-width: 1px; background: {_COLOUR}; border-radius: 2px"></div>'
        f'<div style="text-align: right">{value:.2f}</div>'
        for name, value in rows
    )
    return (
        '<div style="display: grid; grid-template-columns: max-content 1fr max-content; '
        f'gap: 0.25rem 0.75rem; align-items: center; font-size: 0.875rem">{cells}</div>'
    )
