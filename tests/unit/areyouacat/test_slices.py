"""What makes a photo special."""

from dataclasses import replace

import pytest

from areyouacat.lake import IndexRow
from areyouacat.settings import SLICES
from areyouacat.slices import slices_of

ORDINARY = IndexRow(
    "a" * 64, 10, 300, 200, "PNG", 0.5, 0.2, 0.3, "0" * 16, "s", "2026-01-01T00:00:00.000000Z"
)


def test_an_ordinary_photo_is_in_no_slice() -> None:
    assert slices_of(ORDINARY) == ()


def test_a_photo_is_small_by_its_shorter_side() -> None:
    limit = SLICES.small_below_px

    assert slices_of(replace(ORDINARY, width=limit - 1)) == ("small",)
    assert slices_of(replace(ORDINARY, height=limit - 1)) == ("small",)
    assert slices_of(replace(ORDINARY, width=limit, height=limit)) == ()


def test_a_photo_is_dark_below_the_limit() -> None:
    assert slices_of(replace(ORDINARY, brightness=SLICES.dark_below - 0.001)) == ("dark",)
    assert slices_of(replace(ORDINARY, brightness=SLICES.dark_below)) == ()


def test_several_slices_are_sorted_by_name() -> None:
    assert slices_of(replace(ORDINARY, width=1, brightness=0.0)) == ("dark", "small")


def test_a_size_that_is_no_number_is_refused() -> None:
    with pytest.raises(TypeError):
        slices_of(replace(ORDINARY, width="wide"))  # type: ignore[arg-type]
