from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from ui.heat_map import AGAINST_RGB, FOR_RGB, overlay

GREY = Image.new("RGB", (140, 70), (128, 128, 128))


def grid(row: int, column: int, value: float) -> list[list[float]]:
    cells = [[0.0] * 7 for _ in range(7)]
    cells[row][column] = value
    return cells


def test_where_nothing_speaks_the_photo_stays_as_it_is() -> None:
    shown = overlay(GREY, grid(0, 0, 5.0))

    assert shown.size == GREY.size
    assert shown.getpixel((139, 69)) == (128, 128, 128)


def test_a_silent_grid_changes_nothing_at_all() -> None:
    assert overlay(GREY, grid(3, 3, 0.05)).tobytes() == GREY.tobytes()


@pytest.mark.parametrize(("value", "colour"), [(5.0, FOR_RGB), (-5.0, AGAINST_RGB)])
def test_what_speaks_is_coloured_by_its_direction_at_its_place(
    value: float, colour: tuple[int, int, int]
) -> None:
    # Row 1 and column 5 of 7 are centred at x = 110 of 140 and y = 15 of 70.
    pixel = np.array(overlay(GREY, grid(1, 5, value)).getpixel((110, 15)))

    assert np.abs(pixel - colour).sum() < np.abs(np.array([128] * 3) - colour).sum() / 2


def test_strength_zero_shows_the_plain_photo_and_more_strength_more_colour() -> None:
    def change(strength: float) -> int:
        shown = np.asarray(overlay(GREY, grid(3, 3, 4.0), strength), dtype=int)
        return int(np.abs(shown - 128).sum())

    assert change(0.0) == 0
    assert change(0.3) < change(0.6) < change(1.0)


def test_the_transition_is_smooth() -> None:
    shown = np.asarray(overlay(GREY, grid(3, 3, 4.0)), dtype=int)

    assert np.abs(np.diff(shown, axis=1)).max() < 20


@pytest.mark.parametrize("bad", [[], [[]], [[1.0, 2.0], [3.0]], [[float("nan")]]])
def test_a_grid_that_is_none_is_refused(bad: list[list[float]]) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - numpy words the ragged case itself
        overlay(GREY, bad)
