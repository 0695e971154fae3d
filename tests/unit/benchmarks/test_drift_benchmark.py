"""The drift benchmark: its worlds, its windows, its table."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from areyouacat.images import Photo
from benchmarks import drift
from benchmarks.drift_world import (
    CHANGES,
    FEATURES,
    World,
    changed_photo,
    coarse,
    darker,
    drawn_world,
    shrunk,
)
from benchmarks.figures import Context


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return drawn_world(Context(None, True, tmp_path_factory.mktemp("state"), print))


def photo(width: int = 320, height: int = 240) -> Photo:
    return Photo(Image.new("RGB", (width, height), (200, 100, 50)), width, height, "JPEG")


def test_a_run_without_photos_tells_false_alarms_and_every_change(tmp_path: Path) -> None:
    said: list[str] = []

    figures = drift.run(Context(None, True, tmp_path, said.append))

    judged = [figure for figure in figures if figure.target]
    assert len(judged) == 2 * len(drift.WINDOWS)
    assert len(figures) > len(judged)
    assert any("of photos" in line for line in said)


def test_a_change_of_a_whole_deviation_is_found_and_no_change_is_not(world: World) -> None:
    drawn = np.random.default_rng(1)
    known = drift.histograms(world.known)

    assert not drift.fires(known, drift.resample(drawn, world.fresh, 1_000))
    assert drift.fires(
        known, drift.mixed(drawn, world.fresh, world.changed["brightness + 1.0 deviations"], 300, 1)
    )


@pytest.mark.parametrize("share", [0.0, 0.25, 1.0])
def test_a_window_holds_its_share_of_changed_photos(share: float) -> None:
    drawn = np.random.default_rng(1)
    fresh, changed = np.zeros((50, 2)), np.ones((50, 2))

    assert drift.mixed(drawn, fresh, changed, 200, share)[:, 0].mean() == share


def test_a_baseline_holds_no_photo_twice() -> None:
    rows = np.arange(20.0).reshape(20, 1)

    assert len(np.unique(drift.sample(np.random.default_rng(1), rows, 20))) == 20


def test_the_table_has_a_line_for_each_change_and_share() -> None:
    found = {"dark": {0.1: dict.fromkeys(drift.WINDOWS, 0.5), 0.5: {1_000: 1.0}}}

    lines = drift.power_table(found).splitlines()

    assert " ".join(lines[1].split()) == "dark, 10 % of photos 50 % 50 % 50 % 50 %"
    assert len(lines) == 3


def test_a_changed_photo_keeps_its_size_unless_that_is_the_change() -> None:
    for change, size in (
        (darker(0.5), (320, 240)),
        (coarse(64), (320, 240)),
        (shrunk(60), (80, 60)),
    ):
        found = changed_photo(photo(), change)

        assert (found.width, found.height) == found.image.size == size


def test_a_photo_that_was_decoded_smaller_is_shrunk_by_the_same_factor() -> None:
    draft = Photo(photo(320, 240).image, 640, 480, "JPEG")

    found = changed_photo(draft, shrunk(60))

    assert (found.width, found.height) == (160, 120)


def test_darker_is_darker_by_its_factor() -> None:
    assert changed_photo(photo(), darker(0.5)).image.getpixel((0, 0)) == (100, 50, 25)
    assert all(name and change(photo().image) for name, change in CHANGES.items())
    assert len(FEATURES) == 22
