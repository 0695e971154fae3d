"""The growth benchmark: which sizes it measures, what it makes of the curves, its picture."""

from pathlib import Path

import pytest
from PIL import Image

from benchmarks import stored_features
from benchmarks.figures import Figure
from benchmarks.growth import PLAN, QUICK_PLAN
from benchmarks.growth_chart import draw
from benchmarks.growth_curves import Curve, Limit, PageCurve, Point, figures
from benchmarks.process import Cost


def curve(exponent: float, limit: Limit | None = None) -> Curve:
    points = (
        Point(size, Cost(2 * worked, worked, 80 + size / 1_000))
        for size in PLAN.runs()
        for worked in [0.5 + 1e-5 * size**exponent]
    )
    return Curve("part", "photos", tuple(points), limit)


def page(exponent: float) -> PageCurve:
    sizes = PLAN.pages
    seconds = {n: tuple(visit * n**exponent for visit in (0.9, 1.0, 1.1)) for n in sizes}
    return PageCurve("Ask", seconds, dict.fromkeys(sizes, (0.8, 0.8, 0.9)))


def by_name(found: list[Figure]) -> dict[str, Figure]:
    return {figure.name: figure for figure in found}


def test_small_sizes_are_measured_several_times_and_the_largest_once() -> None:
    runs = PLAN.runs()

    assert sorted(set(runs)) == [1_000, 10_000, 100_000, 1_000_000]
    assert [runs.count(size) for size in PLAN.sizes] == [3, 3, 3, 1]
    assert len(set(QUICK_PLAN.sizes)) == 3  # as many as a fit has unknowns


@pytest.mark.parametrize(("exponent", "met"), [(1.0, True), (1.3, False)])
def test_time_that_grows_faster_than_linear_misses_its_target(exponent: float, met: bool) -> None:
    found = by_name(figures([curve(exponent)], []))

    time = found["part: exponent of time"]
    assert time.value == pytest.approx(exponent, abs=0.005)
    assert time.met is met
    assert found["part: exponent of memory"].value == pytest.approx(1, abs=0.005)
    assert found["part: 10,000,000 photos, reckoned"].value == pytest.approx(
        0.5 + 1e-5 * 1e7**exponent, rel=0.05
    )


def test_a_part_that_stops_growing_does_not_make_what_is_reckoned_too_small() -> None:
    costs = {1_000: 1.0, 10_000: 10.0, 100_000: 19.0, 1_000_000: 109.0}
    points = tuple(Point(size, Cost(worked, worked, 80)) for size, worked in costs.items())

    found = by_name(figures([Curve("part", "photos", points)], []))

    assert found["part: exponent of time"].value < 0.9
    assert found["part: 10,000,000 photos, reckoned"].value == pytest.approx(1_009)


def test_memory_is_judged_by_what_the_part_is_given() -> None:
    found = by_name(figures([curve(1.0, Limit("a function", 512))], []))

    memory = found["part: memory at 1,000,000"]
    assert memory.value == pytest.approx(1_080)
    assert memory.met is False
    assert "a function" in memory.note


def test_a_measurement_tells_how_often_it_was_made_and_how_far_it_spread() -> None:
    notes = {name: figure.note for name, figure in by_name(figures([curve(1.0)], [])).items()}

    assert notes["part: 1,000 photos"].startswith("median of 3, 0.51 to 0.51; 1.02 s by the clock")
    assert notes["part: 1,000,000 photos"].startswith("once; ")


@pytest.mark.parametrize(("exponent", "met"), [(0.01, True), (0.5, False)])
def test_a_page_that_grows_with_the_predictions_misses_its_target(
    exponent: float, met: bool
) -> None:
    (found,) = figures([], [page(exponent)])

    assert found.value == pytest.approx(exponent, abs=0.001)
    assert found.met is met
    assert "1,000 predictions" not in found.note.split(";")[-1]


def test_the_picture_is_drawn(tmp_path: Path) -> None:
    file = tmp_path / "growth.png"

    draw([curve(1.0, Limit("a function", 1_769)), curve(0.8)], [page(0.0)], file)

    with Image.open(file) as image:
        assert image.format == "PNG"
        assert image.width > 1_500


def test_stored_features_are_all_found_by_the_retrain(tmp_path: Path) -> None:
    stored = stored_features.store(tmp_path, 60)
    retrained = stored_features.retrain(tmp_path, 60)

    assert stored.memory_mb > 0
    assert list(retrained) == [stored_features.LOADED, stored_features.TRAINED]


def test_features_that_are_not_stored_are_no_measurement(tmp_path: Path) -> None:
    stored_features.store(tmp_path, 60)

    with pytest.raises(RuntimeError, match="not found"):
        stored_features.retrain(tmp_path, 61)
