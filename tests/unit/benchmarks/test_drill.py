"""The drill's photos, its chart, its judgement. What it does to a cloud: tests/integration."""

import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks.drill import __main__ as command
from benchmarks.drill.changes import CHANGES, cheap_camera, night
from benchmarks.drill.chart import draw
from benchmarks.drill.figures import figures
from benchmarks.drill.story import Point, Story
from benchmarks.drill.world import (
    FULL,
    Counts,
    Plan,
    Supply,
    World,
    held_out,
    plan_for,
    write_seed,
)
from benchmarks.figures import BenchmarkError


def photo(number: int, size: tuple[int, int] = (96, 64)) -> bytes:
    pixels = np.random.default_rng(number).integers(0, 256, (8, 12, 3), dtype=np.uint8)
    written = io.BytesIO()
    Image.fromarray(pixels).resize(size).save(written, "JPEG", quality=90)
    return written.getvalue()


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Few photos: 20 of a cat, 40 of none."""
    path = tmp_path_factory.mktemp("photos") / "photos.zip"
    with zipfile.ZipFile(path, "w") as file:
        for number in range(60):
            label = "cat" if number < 20 else "not_cat"
            file.writestr(f"{label}/{number}.jpg", photo(number))
    return path


def grey(data: bytes) -> float:
    return float(np.asarray(Image.open(io.BytesIO(data)).convert("L")).mean())


def test_a_night_is_dark_and_the_same_for_the_same_photo() -> None:
    day = photo(1)

    assert grey(night(day)) < 0.3 * grey(day)
    assert night(day) == night(day)


def test_a_cheap_camera_has_few_pixels_and_leaves_alone_what_has_no_more() -> None:
    small = cheap_camera(photo(1))

    assert min(Image.open(io.BytesIO(small)).size) == 48
    assert cheap_camera(small) == small


def test_what_is_seeded_is_never_sent_and_nothing_is_sent_twice(
    archive: Path, tmp_path: Path
) -> None:
    supply = Supply(archive)
    plan = plan_for(supply)
    write_seed(supply, plan, tmp_path)
    seeded = {path.read_bytes() for path in tmp_path.rglob("*.jpg")}

    world = held_out(supply, plan, CHANGES["night"], None)

    sent = [
        one.photo
        for photos in (world.calm, world.calm_measured, world.changed, world.changed_measured)
        for one in photos
    ]
    assert len(seeded) == 12 + 24
    assert len(set(sent)) == len(sent)
    assert not seeded & set(sent)


def test_every_drill_may_send_what_another_has_sent(archive: Path) -> None:
    supply = Supply(archive)
    plan = plan_for(supply)

    first = held_out(supply.again(), plan, CHANGES["night"], None)

    assert held_out(supply.again(), plan, CHANGES["night"], None) == first


def test_few_photos_are_all_used_and_say_that_they_are_few(archive: Path) -> None:
    plan = plan_for(Supply(archive))

    assert not plan.is_full
    assert plan.counts["cat"] == Counts(seeded=12, calm=2, labelled=7, measured=2)
    assert plan.counts["not_cat"].total <= 24 + 3 * 16


def test_visitors_are_the_negatives_after_the_change_and_not_before(
    archive: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "visitors" / "not_cat"
    folder.mkdir(parents=True)
    new = {photo(number) for number in range(1000, 1060)}
    for number, one in enumerate(new):
        (folder / f"{number}.jpg").write_bytes(one)
    supply = Supply(archive)
    plan = plan_for(supply)
    write_seed(supply, plan, tmp_path / "seed")

    world = held_out(
        supply, plan, CHANGES["new_animal"], Supply(tmp_path / "visitors", ["not_cat"])
    )

    after = {one.photo for one in world.changed if one.label == "not_cat"}
    before = {one.photo for one in world.calm if one.label == "not_cat"}
    assert after
    assert after <= new
    assert not before & new


def test_a_new_animal_without_photos_of_one_is_refused(archive: Path) -> None:
    supply = Supply(archive)

    with pytest.raises(BenchmarkError, match="VISITORS"):
        held_out(supply, plan_for(supply), CHANGES["new_animal"], None)


def test_a_label_with_hardly_a_photo_is_refused(tmp_path: Path) -> None:
    for label in ("cat", "not_cat"):
        (tmp_path / label).mkdir()
        (tmp_path / label / "1.jpg").write_bytes(photo(1))

    with pytest.raises(BenchmarkError, match="1 photos of cat"):
        Supply(tmp_path)


def story(**changed: object) -> Story:
    told = Story("night", visitors=False)
    told.accuracy_before, told.accuracy_during, told.accuracy_after = 0.98, 0.78, 0.96
    told.seconds_to_alarm, told.seconds, told.changed_at = 60.0, 300.0, 20.0
    told.executions_started, told.requests, told.outcome = 1, 4000, "version 2 was promoted"
    told.points = [
        Point(10.0 * number, 0.9, 40, {"1": 40 - 4 * number, "2": 4 * number})
        for number in range(10)
    ]
    told.events = [(20.0, "the world changes: night"), (80.0, "alarm DataDrift")]
    for name, value in changed.items():
        setattr(told, name, value)
    return told


def test_what_came_back_is_a_share_of_what_was_lost() -> None:
    assert story().recovered == pytest.approx(0.9)
    assert story(accuracy_after=None).recovered is None
    assert story(accuracy_during=0.98).recovered is None


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"executions_started": 2}, "2 trainings instead of one"),
        ({"failed_requests": 1, "failures": ["predict: 500"]}, "1 failed requests"),
        ({"accuracy_after": 0.90}, "60% of the lost accuracy"),
        ({"accuracy_after": None}, "nothing of the lost accuracy"),
        ({"seconds": 601.0}, "601 s, 600 allowed"),
    ],
)
def test_what_did_not_go_as_it_should_is_named(changed: dict[str, object], problem: str) -> None:
    plan = Plan({"cat": FULL, "not_cat": FULL}, is_full=True)

    (named,) = command.problems(story(**changed), plan)

    assert problem in named
    assert command.problems(story(), plan) == []


def test_with_few_photos_accuracy_is_not_judged() -> None:
    few = Plan({}, is_full=False)

    assert command.problems(story(accuracy_after=None, seconds=9000.0), few) == []
    assert command.problems(story(executions_started=0), few)


def test_the_record_has_the_last_drill_on_top_and_every_drill_below() -> None:
    plan = Plan({}, is_full=True)

    record = command.record([story(), story(change="cheap_camera")], plan)

    assert record["change"] == "cheap_camera"
    assert [one["change"] for one in record["drills"]] == ["night", "cheap_camera"]
    assert record["recovered"] == pytest.approx(0.9)
    assert "points" not in record


@pytest.mark.parametrize("ending", [{}, {"accuracy_after": None, "outcome": "not promoted"}])
def test_the_story_becomes_a_picture(tmp_path: Path, ending: dict[str, object]) -> None:
    draw(story(**ending), tmp_path / "drill.png")

    assert Image.open(tmp_path / "drill.png").size[0] > 1000


def test_a_world_is_mixed_so_that_labels_do_not_come_in_blocks(archive: Path) -> None:
    supply = Supply(archive)
    world: World = held_out(supply, plan_for(supply), CHANGES["night"], None)

    labels = [one.label for one in world.changed]
    assert labels != sorted(labels)


def test_the_last_drills_are_figures_with_targets(tmp_path: Path) -> None:
    file = tmp_path / "drill.json"
    lazy = story(change="cheap_camera", accuracy_after=None, seconds=700.0)
    told = command.record([story(), lazy], Plan({}, is_full=True))
    file.write_text(json.dumps(told))

    found = {figure.name: figure.met for figure in figures(file)}

    assert found == {
        "night: trainings": True,
        "night: failed requests": True,
        "night: lost accuracy brought back": True,
        "night: from change to recovery": True,
        "cheap_camera: trainings": True,
        "cheap_camera: failed requests": True,
        "cheap_camera: lost accuracy brought back": False,
        "cheap_camera: from change to recovery": False,
    }


def test_no_drill_and_few_photos_say_nothing_of_accuracy(tmp_path: Path) -> None:
    file = tmp_path / "drill.json"
    assert figures(file) == []

    file.write_text(json.dumps(command.record([story()], Plan({}, is_full=False))))

    assert [figure.name for figure in figures(file)] == [
        "night: trainings",
        "night: failed requests",
    ]
