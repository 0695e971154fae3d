"""What people look at: the pictures can be opened, the mistakes are those that were made."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from areyouacat.errors import UnreadableImageError
from areyouacat.images import Photo
from areyouacat.settings import LABELS
from training_job import plots
from training_job.evaluation import Scored, score
from training_job.report import MISTAKES_FILE, worst_mistakes, write_mistakes
from training_job.settings import REPORT


def scored(photos: int = 40, wrong: int = 3) -> Scored:
    """Photos that are answered rightly but for the first few."""
    positive = np.arange(photos) % 2 == 0
    probabilities = np.where(positive, 0.95, 0.05)
    probabilities[:wrong] = 1 - probabilities[:wrong] + np.arange(wrong) / 1000
    return score([f"{n:03}" for n in range(photos)], positive, probabilities, 0.5)


class Album:
    """Photos of one colour; `gone` cannot be read any more."""

    def __init__(self, gone: frozenset[str] = frozenset()) -> None:
        self._gone = gone

    def decoded(self, photo: str) -> Photo:
        if photo in self._gone:
            raise UnreadableImageError("gone")
        return Photo(Image.new("RGB", (300, 200), "teal"), 300, 200, "JPEG")


def test_wrong_answers_come_the_surest_first() -> None:
    mistakes = worst_mistakes({"test": scored(wrong=3)}, 0.5)

    assert [mistake.photo for mistake in mistakes] == ["001", "000", "002"]
    assert (mistakes[0].label, mistakes[0].answer) == (LABELS.negative, LABELS.positive)
    assert mistakes[0].caption == f"{LABELS.negative} -> {LABELS.positive}\n0.951  test"


def test_the_list_beside_the_sheet_names_the_photos_that_are_on_it(tmp_path: Path) -> None:
    write_mistakes(tmp_path, {"test": scored(wrong=4)}, 0.5, Album(frozenset({"001"})))

    listed = json.loads((tmp_path / MISTAKES_FILE).read_text())
    assert {found["photo"] for found in listed} == {"000", "002", "003"}
    assert listed[0].keys() == {"photo", "label", "answer", "probability", "split"}
    with Image.open(tmp_path / "worst_mistakes.jpg") as sheet:
        assert sheet.width == 3 * (REPORT.thumbnail_px + 6) + 6


def test_a_sheet_holds_no_more_than_people_look_at(tmp_path: Path) -> None:
    write_mistakes(tmp_path, {"test": scored(photos=80, wrong=60)}, 0.5, Album())

    assert len(json.loads((tmp_path / MISTAKES_FILE).read_text())) == REPORT.worst_mistakes


def test_a_faultless_model_has_an_empty_list_and_no_sheet(tmp_path: Path) -> None:
    write_mistakes(tmp_path, {"test": scored(wrong=0)}, 0.5, Album())

    assert json.loads((tmp_path / MISTAKES_FILE).read_text()) == []
    assert not (tmp_path / "worst_mistakes.jpg").exists()


@pytest.mark.parametrize("wrong", [0, 3, 40])
def test_every_picture_can_be_opened_however_good_the_model(tmp_path: Path, wrong: int) -> None:
    found = scored(wrong=wrong)

    plots.plot_roc(tmp_path / "roc.png", {"test": found, "recent": found})
    plots.plot_precision_recall(tmp_path / "pr.png", {"test": found})
    plots.plot_reliability(tmp_path / "reliability.png", "test", found)
    plots.plot_confusion(tmp_path / "confusion.png", "test", found.quality)

    pictures = sorted(tmp_path.glob("*.png"))
    assert len(pictures) == 4
    for picture in pictures:
        with Image.open(picture) as image:
            assert min(image.size) >= 500


def test_a_split_of_one_photo_can_be_drawn(tmp_path: Path) -> None:
    one = score(["a"], np.array([False]), np.array([0.1]), 0.5)

    plots.plot_reliability(tmp_path / "reliability.png", "recent", one)
    plots.plot_confusion(tmp_path / "confusion.png", "recent", one.quality)

    assert len(list(tmp_path.glob("*.png"))) == 2
