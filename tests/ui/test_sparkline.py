"""Trends as small pictures."""

from __future__ import annotations

import re

import pytest

from ui import sparkline


def points(values: list[float]) -> list[tuple[float, float]]:
    (drawn,) = re.findall('points="([^"]+)"', sparkline.svg(values))
    pairs = (pair.split(",") for pair in drawn.split())
    return [(float(x), float(y)) for x, y in pairs]


def test_a_higher_value_stands_higher_and_a_later_one_further_right() -> None:
    (x0, y0), (x1, y1), (x2, y2) = points([1.0, 3.0, 2.0])

    assert x0 < x1 < x2
    assert y1 < y2 < y0


@pytest.mark.parametrize("values", [[5.0], [5.0, 5.0, 5.0], [0.0], [-1.0, 1e9]])
def test_every_point_is_inside_the_picture(values: list[float]) -> None:
    found = points(values)

    assert len(found) >= 2
    assert all(0 <= y <= sparkline.HEIGHT_PX for _, y in found)


def test_the_alternative_text_cannot_break_out_of_its_place() -> None:
    html = sparkline.image([1.0, 2.0], 'a "trend" <b>')

    assert re.search('alt="a &quot;trend&quot; &lt;b&gt;"', html)


def test_without_values_the_place_is_kept() -> None:
    html = sparkline.image([], "")

    assert "<img" not in html
    assert f"height: {sparkline.HEIGHT_PX}px" in html
