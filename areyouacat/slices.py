"""Kinds of photos that are looked at by themselves: a good average can hide a bad corner."""

from typing import Final

from areyouacat.lake import IndexRow
from areyouacat.settings import SLICES, SliceRules

SMALL: Final = "small"
DARK: Final = "dark"


def slices_of(row: IndexRow, rules: SliceRules = SLICES) -> tuple[str, ...]:
    """The slices a photo belongs to, sorted by name; none for an ordinary photo."""
    found = {
        SMALL: min(row.width, row.height) < rules.small_below_px,
        DARK: row.brightness < rules.dark_below,
    }
    return tuple(sorted(name for name, belongs in found.items() if belongs))
