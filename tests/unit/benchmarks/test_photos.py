"""The development photos are found by split and label, and missed by name."""

import hashlib
import io
import zipfile
from pathlib import Path

import pytest
from PIL import Image

from areyouacat.images import decode
from benchmarks.figures import BenchmarkError, Context
from benchmarks.lake_growth import with_comment
from benchmarks.photos import VARIED, photos, write_folder

FILES = ("train/cat/a.jpg", "train/not_cat/b.jpg", "train/not_cat/c.jpg", "test/cat/d.jpg")


@pytest.fixture
def context(tmp_path: Path) -> Context:
    with zipfile.ZipFile(tmp_path / VARIED.file, "w") as archive:
        for name in (*FILES, "manifest.csv", "train/dog/e.jpg"):
            archive.writestr(name, name)
    return Context(tmp_path, False, tmp_path, print)


def test_a_split_holds_its_own_labelled_photos_alone(context: Context) -> None:
    found = photos(context, VARIED, "train")

    assert [(photo.name, photo.label) for photo in found] == [
        ("train/cat/a.jpg", "cat"),
        ("train/not_cat/b.jpg", "not_cat"),
        ("train/not_cat/c.jpg", "not_cat"),
    ]
    assert [photo.name for photo in photos(context, VARIED, "test")] == ["test/cat/d.jpg"]


def test_some_of_a_split_are_taken_evenly(context: Context) -> None:
    assert [photo.label for photo in photos(context, VARIED, "train", 2)] == ["cat", "not_cat"]


@pytest.mark.parametrize("known", [True, False])
def test_photos_that_are_not_there_are_named_with_the_remedy(tmp_path: Path, known: bool) -> None:
    with pytest.raises(BenchmarkError, match=VARIED.file):
        photos(Context(tmp_path if known else None, False, tmp_path, print), VARIED, "train")


def test_a_split_is_written_as_seeding_takes_it(context: Context, tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "seed", photos(context, VARIED, "train"))

    written = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.jpg"))
    assert written == ["cat/a.jpg", "not_cat/b.jpg", "not_cat/c.jpg"]


def test_a_copy_is_another_photo_with_the_same_pixels() -> None:
    buffer = io.BytesIO()
    Image.linear_gradient("L").convert("RGB").save(buffer, "JPEG")
    photo = buffer.getvalue()

    copies = [with_comment(photo, text) for text in ("copy 1", "copy 2")]

    assert len({hashlib.sha256(data).hexdigest() for data in (photo, *copies)}) == 3
    for copy in copies:
        assert decode(copy).image.tobytes() == decode(photo).image.tobytes()


def test_only_jpeg_photos_are_copied() -> None:
    with pytest.raises(BenchmarkError, match="JPEG"):
        with_comment(b"GIF89a", "copy")
