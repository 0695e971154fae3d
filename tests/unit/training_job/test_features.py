import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from areyouacat.images import Photo
from areyouacat.lake import ERASED_PHOTO, photo_key
from tests.unit.training_job.folder_lake import FolderLake
from training_job.backbone import Backbone
from training_job.errors import TrainingDataError
from training_job.export import export_float32
from training_job.feature_cache import FeatureCache
from training_job.features import collect_features
from training_job.model import embedding_model
from training_job.photos import PhotoSource, UnusablePhoto

Draw = Callable[[int, bool], bytes]
ROOT = Path(__file__).parents[3]


class CountingExtractor:
    """Gives the tiny backbone as TFLite, and counts how often it was asked for."""

    def __init__(self, tflite: bytes) -> None:
        self.tflite = tflite
        self.made = 0

    def __call__(self) -> bytes:
        self.made += 1
        return self.tflite


@pytest.fixture(scope="session")
def tflite(tiny_backbone: Backbone) -> bytes:
    return export_float32(embedding_model(tiny_backbone))


@pytest.fixture
def extractor(tflite: bytes) -> CountingExtractor:
    return CountingExtractor(tflite)


@pytest.fixture
def source(tmp_path: Path, lake: FolderLake) -> PhotoSource:
    return PhotoSource(tmp_path / "no channel", lake)


@pytest.fixture
def cache(lake: FolderLake, tiny_backbone: Backbone) -> FeatureCache:
    return FeatureCache(lake, tiny_backbone.spec)


@pytest.fixture
def photos(lake: FolderLake, draw_photo: Draw) -> list[str]:
    return [lake.add_photo(draw_photo(number, number % 2 == 0)) for number in range(6)]


def photos_read(lake: FolderLake) -> set[str]:
    return {key for key in lake.reads if key.startswith("photos/")}


def test_a_second_run_computes_nothing_and_opens_no_photo(
    photos: list[str],
    cache: FeatureCache,
    source: PhotoSource,
    lake: FolderLake,
    extractor: CountingExtractor,
) -> None:
    first = collect_features(photos, cache, source, extractor)
    lake.reads.clear()

    second = collect_features(photos, cache, source, extractor)

    assert (first.computed, second.computed) == (6, 0)
    assert extractor.made == 1
    assert not photos_read(lake)
    for photo in photos:
        np.testing.assert_array_equal(first.vectors[photo], second.vectors[photo])


def test_only_the_new_photos_are_computed(
    photos: list[str],
    cache: FeatureCache,
    source: PhotoSource,
    lake: FolderLake,
    extractor: CountingExtractor,
) -> None:
    collect_features(photos[:4], cache, source, extractor)
    lake.reads.clear()

    features = collect_features(photos, cache, source, extractor)

    assert features.computed == 2
    assert photos_read(lake) == {photo_key(photo) for photo in photos[4:]}
    assert features.vectors.keys() == set(photos)


class Stopped(BaseException):
    """What SIGTERM raises in the job, wherever it is."""


def test_a_stopped_job_keeps_what_it_has_and_the_next_computes_the_rest(
    photos: list[str],
    cache: FeatureCache,
    source: PhotoSource,
    lake: FolderLake,
    extractor: CountingExtractor,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    decoded = source.decoded

    def until_the_fourth(photo: str) -> Photo:
        if photo == photos[3]:
            raise Stopped
        return decoded(photo)

    monkeypatch.setattr(source, "decoded", until_the_fourth)
    with pytest.raises(Stopped):
        collect_features(photos, cache, source, extractor)
    monkeypatch.undo()
    lake.reads.clear()

    again = collect_features(photos, cache, source, extractor)

    assert again.computed == 3
    assert photos_read(lake) == {photo_key(photo) for photo in photos[3:]}
    assert again.vectors.keys() == set(photos)


def test_a_job_that_stops_because_the_lake_is_gone_says_that_and_not_what_follows_from_it(
    photos: list[str],
    cache: FeatureCache,
    source: PhotoSource,
    lake: FolderLake,
    extractor: CountingExtractor,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def gone(photo: str) -> Photo:
        raise Stopped

    def refused(key: str, data: bytes) -> None:
        raise OSError("the lake is gone")

    monkeypatch.setattr(source, "decoded", gone)
    monkeypatch.setattr(lake, "write", refused)

    with pytest.raises(Stopped):
        collect_features(photos, cache, source, extractor)


KILLED = """
import os, signal, sys
from dataclasses import replace
from pathlib import Path
from areyouacat.settings import BACKBONE
from tests.unit.training_job.folder_lake import FolderLake
from training_job import features
from training_job.feature_cache import FeatureCache
from training_job.photos import PhotoSource

class DiesAfterTwoShards(FolderLake):
    shards = 0
    def write(self, key, data):
        super().write(key, data)
        self.shards += key.endswith(".txt")  # written last: the shard is whole
        if self.shards == 2:
            os.kill(os.getpid(), signal.SIGKILL)

root, dim, *photos = sys.argv[1:]
lake = DiesAfterTwoShards(Path(root))
features.FEATURES = replace(features.FEATURES, photos_per_shard=2)
spec = replace(BACKBONE, name="tiny", weights_sha256="0" * 64, embedding_dim=int(dim))
source = PhotoSource(Path(root) / "no channel", lake)
tflite = (Path(root) / "tiny.tflite").read_bytes()
features.collect_features(photos, FeatureCache(lake, spec), source, lambda: tflite)
"""


def test_a_killed_job_starts_again_with_every_shard_that_it_had_stored(
    photos: list[str],
    cache: FeatureCache,
    source: PhotoSource,
    lake: FolderLake,
    extractor: CountingExtractor,
) -> None:
    lake.write("tiny.tflite", extractor.tflite)
    arguments = [str(lake.root), str(cache.spec.embedding_dim), *photos]

    killed = subprocess.run(
        [sys.executable, "-c", KILLED, *arguments], cwd=ROOT, check=False, timeout=120
    )
    again = collect_features(photos, cache, source, extractor)

    assert killed.returncode == -signal.SIGKILL
    assert again.computed == 2
    assert photos_read(lake) == {photo_key(photo) for photo in photos[4:]}


def test_each_view_is_computed_once_and_kept_apart(
    photos: list[str],
    cache: FeatureCache,
    source: PhotoSource,
    extractor: CountingExtractor,
) -> None:
    flipped = replace(cache, view="flip")

    original = collect_features(photos, cache, source, extractor)
    first, second = (collect_features(photos, flipped, source, extractor) for _ in range(2))

    assert (original.computed, first.computed, second.computed) == (6, 6, 0)
    assert not np.array_equal(first.vectors[photos[0]], original.vectors[photos[0]])


def test_another_preprocessing_starts_a_cache_of_its_own(
    photos: list[str],
    cache: FeatureCache,
    source: PhotoSource,
    extractor: CountingExtractor,
) -> None:
    collect_features(photos, cache, source, extractor)
    changed = replace(cache, spec=replace(cache.spec, preprocessing_version=99))

    assert collect_features(photos, changed, source, extractor).computed == len(photos)
    assert collect_features(photos, cache, source, extractor).computed == 0


def test_the_photos_of_a_damaged_shard_are_computed_again(
    photos: list[str],
    cache: FeatureCache,
    source: PhotoSource,
    lake: FolderLake,
    extractor: CountingExtractor,
) -> None:
    before = collect_features(photos, cache, source, extractor)
    shard = next(key for key in lake.list_keys("features/") if key.endswith(".npz"))
    lake.write(shard, b"damaged")

    after = collect_features(photos, cache, source, extractor)

    assert after.computed == 6
    for photo in photos:
        np.testing.assert_array_equal(after.vectors[photo], before.vectors[photo])
    assert collect_features(photos, cache, source, extractor).computed == 0


def test_a_vector_is_the_mean_over_the_backbones_map(
    photos: list[str],
    cache: FeatureCache,
    source: PhotoSource,
    extractor: CountingExtractor,
    tiny_backbone: Backbone,
) -> None:
    features = collect_features(photos, cache, source, extractor)

    pixels = source.pixels(photos[0])[np.newaxis]
    expected = np.asarray(tiny_backbone.network(pixels)).mean(axis=(1, 2))[0]

    np.testing.assert_allclose(features.vectors[photos[0]], expected, rtol=2e-3)


def test_a_photo_in_the_channel_is_not_fetched_from_the_lake(
    tmp_path: Path,
    photos: list[str],
    cache: FeatureCache,
    lake: FolderLake,
    extractor: CountingExtractor,
) -> None:
    in_channel = tmp_path / "channel" / photo_key(photos[0])
    in_channel.parent.mkdir(parents=True)
    in_channel.write_bytes(lake.read(photo_key(photos[0])))
    lake.reads.clear()

    collect_features(photos, cache, PhotoSource(tmp_path / "channel", lake), extractor)

    assert photos_read(lake) == {photo_key(photo) for photo in photos[1:]}


def test_a_damaged_copy_in_the_channel_is_replaced_by_the_lakes(
    tmp_path: Path, photos: list[str], lake: FolderLake
) -> None:
    in_channel = tmp_path / "channel" / photo_key(photos[0])
    in_channel.parent.mkdir(parents=True)
    in_channel.write_bytes(b"cut off")

    read = PhotoSource(tmp_path / "channel", lake).read(photos[0])

    assert read == lake.read(photo_key(photos[0]))


def test_an_erased_photo_is_unreadable_and_said_to_be_erased(
    tmp_path: Path, photos: list[str], lake: FolderLake
) -> None:
    in_channel = tmp_path / "channel" / photo_key(photos[0])
    in_channel.parent.mkdir(parents=True)
    for erased in photos[:2]:
        lake.write(photo_key(erased), ERASED_PHOTO)
    in_channel.write_bytes(ERASED_PHOTO)
    source = PhotoSource(tmp_path / "channel", lake)

    for erased in photos[:2]:
        with pytest.raises(UnusablePhoto, match="was erased"):
            source.pixels(erased)
    assert source.read(photos[2]) == lake.read(photo_key(photos[2]))


def test_few_unreadable_photos_are_left_out_and_named(
    lake: FolderLake,
    cache: FeatureCache,
    source: PhotoSource,
    extractor: CountingExtractor,
    draw_photo: Draw,
) -> None:
    good = [lake.add_photo(draw_photo(number, True)) for number in range(40)]
    no_image = lake.add_photo(b"this is text")
    gone = "0" * 64

    features = collect_features([*good, no_image, gone], cache, source, extractor)

    assert features.vectors.keys() == set(good)
    assert features.unreadable.keys() == {no_image, gone}
    assert "missing" in features.unreadable[gone]
    assert features.computed == 40


def test_many_unreadable_photos_fail_the_job_and_name_some(
    photos: list[str],
    lake: FolderLake,
    cache: FeatureCache,
    source: PhotoSource,
    extractor: CountingExtractor,
) -> None:
    no_image = lake.add_photo(b"this is text")

    with pytest.raises(TrainingDataError, match=no_image):
        collect_features([*photos, no_image], cache, source, extractor)

    # What could be computed is kept: the next run, mended, need not do it again.
    assert collect_features(photos, cache, source, extractor).computed == 0


def test_a_photo_whose_bytes_changed_is_not_trusted(
    photos: list[str], lake: FolderLake, source: PhotoSource, draw_photo: Draw
) -> None:
    lake.write(photo_key(photos[0]), draw_photo(99, True))

    with pytest.raises(Exception, match="do not match its hash"):
        source.pixels(photos[0])
