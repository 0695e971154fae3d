"""Which photos are offered to those who have none."""

from __future__ import annotations

import io
from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image

from areyouacat.lake import (
    FEEDBACK_SOURCE,
    SEED_SOURCE,
    LabelRecord,
    dump_shard,
    label_shard_key,
    photo_key,
    sha256_hex,
)
from areyouacat.settings import LABELS
from tests.ui.model_lake import FolderOfObjects
from ui.aws import AwsError
from ui.lake import GoneError
from ui.samples import COUNT, Samples

AT = "2026-11-23T12:00:00.000000Z"


class LakeWithPhotos(FolderOfObjects):
    """Photos with labels."""

    def list_keys(self, prefix: str) -> Iterator[str]:
        return (key for key, _ in self.list_objects(prefix))

    def label(self, label: str, *numbers: int, source: str = SEED_SOURCE) -> list[str]:
        """Put noise there under that label; gives the photos' names."""
        names = [self.photo(number) for number in numbers]
        shard = dump_shard(LabelRecord(name, label, source, "who", AT) for name in names)
        self.objects[label_shard_key("2026-11-23", shard)] = shard
        return names

    def photo(self, number: int) -> str:
        pixels = np.random.default_rng(number).integers(0, 255, (30, 40, 3), dtype=np.uint8)
        file = io.BytesIO()
        Image.fromarray(pixels).save(file, "PNG")
        name = sha256_hex(file.getvalue())
        self.objects[photo_key(name)] = file.getvalue()
        return name


@pytest.fixture
def lake() -> LakeWithPhotos:
    return LakeWithPhotos()


def test_half_of_them_are_of_each_label(lake: LakeWithPhotos) -> None:
    positive = set(lake.label(LABELS.positive, *range(10)))
    negative = set(lake.label(LABELS.negative, *range(10, 20)))

    names = Samples(lake).names()

    assert len(names) == len(set(names)) == COUNT
    assert len(positive & set(names)) == len(negative & set(names)) == COUNT // 2


def test_photos_that_callers_sent_are_never_offered(lake: LakeWithPhotos) -> None:
    lake.label(LABELS.positive, 1, 2, source=FEEDBACK_SOURCE)
    own = lake.label(LABELS.negative, 3)

    assert list(Samples(lake).names()) == own


def test_a_photo_that_was_erased_leaves_its_place_to_another(lake: LakeWithPhotos) -> None:
    names = sorted(lake.label(LABELS.positive, *range(COUNT + 2)))
    lake.objects[photo_key(names[0])] = b""
    del lake.objects[photo_key(names[1])]

    assert list(Samples(lake).names()) == names[2:]


def test_the_same_ones_are_offered_without_another_look_into_the_lake(lake: LakeWithPhotos) -> None:
    lake.label(LABELS.positive, 1, 2)
    samples = Samples(lake)
    first = samples.names()
    lake.reads.clear()

    assert samples.names() == first
    assert not lake.reads


def test_an_empty_lake_offers_none(lake: LakeWithPhotos) -> None:
    assert Samples(lake).names() == ()


def test_a_damaged_label_shard_is_told_in_words(lake: LakeWithPhotos) -> None:
    lake.objects["labels/2026-11-23/damaged.jsonl.gz"] = b"no gzip"

    with pytest.raises(AwsError, match="cannot be read"):
        Samples(lake).names()


def test_a_sample_that_went_since_is_told_as_gone(lake: LakeWithPhotos) -> None:
    (name,) = lake.label(LABELS.positive, 1)
    samples = Samples(lake)
    samples.names()
    del lake.objects[photo_key(name)]

    with pytest.raises(GoneError):
        samples.photo(name)
