"""Values as bars beside their names."""

from __future__ import annotations

import re

from ui import bars


def test_bars_are_in_proportion_to_the_largest_and_their_values_can_be_read() -> None:
    drawn = bars.html([("brightness", 2.5), ("contrast", 0.5), ("size", 0.0)])

    assert re.findall(r"[^-]width: ([\d.]+%)", drawn) == ["100.0%", "20.0%", "0.0%"]
    assert re.findall(r">([^<]+)<", drawn) == [
        "brightness", "2.50", "contrast", "0.50", "size", "0.00",
    ]  # fmt: skip


def test_values_that_are_all_zero_and_none_at_all_have_no_bars() -> None:
    assert "width: 0.0%" in bars.html([("size", 0.0)])
    assert "background" not in bars.html([])


def test_a_name_cannot_bring_markup() -> None:
    assert "<b>" not in bars.html([("<b>bold", 1.0)])
