import hashlib
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from areyouacat.settings import BackboneSpec
from tests.unit.training_job.folder_lake import FolderLake
from training_job import feature_cache
from training_job.feature_cache import FeatureCache
from training_job.settings import FEATURES
from training_job.vector_table import Vector


def vectors(*numbers: int) -> dict[str, Vector]:
    return {
        hashlib.sha256(bytes([number])).hexdigest(): np.full(24, number, np.float16)
        for number in numbers
    }


@pytest.fixture
def cache(lake: FolderLake, tiny_spec: BackboneSpec) -> FeatureCache:
    return FeatureCache(lake, tiny_spec)


def shard_key(lake: FolderLake, suffix: str = ".npz") -> str:
    return next(key for key in lake.list_keys("features/") if key.endswith(suffix))


def test_what_was_stored_is_loaded_and_nothing_else(cache: FeatureCache) -> None:
    cache.store(vectors(1, 2))
    cache.store(vectors(3))

    loaded = cache.load([*vectors(1, 3), *vectors(9)])

    assert loaded.keys() == vectors(1, 3).keys()
    for photo, vector in vectors(1, 3).items():
        np.testing.assert_array_equal(loaded[photo], vector)


def test_storing_the_same_photos_again_writes_the_same_objects(
    cache: FeatureCache, lake: FolderLake
) -> None:
    cache.store(vectors(1, 2))
    before = {key: lake.read(key) for key in lake.list_keys("features/")}

    cache.store(vectors(2, 1))

    assert {key: lake.read(key) for key in lake.list_keys("features/")} == before


def test_a_list_of_photos_lies_beside_each_shard(cache: FeatureCache, lake: FolderLake) -> None:
    cache.store(vectors(1, 2))

    listed = lake.read(shard_key(lake, ".txt")).decode().split()

    assert listed == sorted(vectors(1, 2))


def test_another_backbone_does_not_see_these_vectors(cache: FeatureCache, lake: FolderLake) -> None:
    cache.store(vectors(1))
    other = BackboneSpec("other", "1" * 64, 224, 24, 7, 1)

    assert FeatureCache(lake, other).load(list(vectors(1))) == {}


def test_shards_without_a_wanted_photo_are_not_read(cache: FeatureCache, lake: FolderLake) -> None:
    cache.store(vectors(1))
    cache.store(vectors(2))
    lake.reads.clear()

    cache.load(list(vectors(2)))

    assert len([key for key in lake.reads if key.endswith(".npz")]) == 1


def test_more_shards_than_are_read_at_once_are_all_loaded(
    cache: FeatureCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = replace(FEATURES, shards_at_once=2)
    monkeypatch.setattr(feature_cache, "FEATURES", few)
    for number in range(5):
        cache.store(vectors(number))

    assert cache.load(list(vectors(*range(5)))).missing() == []


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[: len(data) // 2],
        lambda data: data[:180] + bytes([data[180] ^ 255]) + data[181:],
        lambda _: b"",
        lambda _: b"not an archive",
    ],
    ids=["cut", "one byte changed", "empty", "something else"],
)
def test_a_damaged_shard_counts_as_not_stored(
    cache: FeatureCache, lake: FolderLake, damage: Callable[[bytes], bytes]
) -> None:
    cache.store(vectors(1))
    cache.store(vectors(2, 3))
    key = shard_key(lake)
    listed = lake.read(key.replace(".npz", ".txt")).decode().split()
    lake.write(key, damage(lake.read(key)))

    loaded = cache.load(list(vectors(1, 2, 3)))

    assert loaded.keys() == vectors(1, 2, 3).keys() - set(listed)


def test_a_shard_that_holds_other_photos_than_its_name_says_is_passed_over(
    cache: FeatureCache, lake: FolderLake
) -> None:
    cache.store(vectors(1))
    first = shard_key(lake)
    cache.store(vectors(2))
    second = next(k for k in lake.list_keys("features/") if k.endswith(".npz") and k != first)
    lake.write(first, lake.read(second))

    assert cache.load(list(vectors(1))) == {}


def test_a_missing_shard_beside_its_list_counts_as_not_stored(
    cache: FeatureCache, lake: FolderLake
) -> None:
    cache.store(vectors(1))
    (lake.root / shard_key(lake)).unlink()

    assert cache.load(list(vectors(1))) == {}


def test_values_that_are_not_finite_count_as_damage(cache: FeatureCache) -> None:
    broken = {photo: np.full(24, np.inf, np.float16) for photo in vectors(1)}
    cache.store(broken)

    assert cache.load(list(broken)) == {}
