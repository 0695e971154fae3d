"""Seeding a data set of TensorFlow Datasets, with a builder made here; no network."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow_datasets as tfds
from PIL import Image

from areyouacat import lake
from areyouacat.lake import LabelRecord
from tests.unit.training_job.moto_lake import BUCKET, keys, moto_lake
from training_job.seed import main
from training_job.tfds_photos import builder_named


def jpeg(number: int) -> bytes:
    pixels = np.random.default_rng(number).integers(0, 255, (24, 32, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=60 + number)
    return file.getvalue()


class TinyPets(tfds.core.GeneratorBasedBuilder):  # type: ignore[misc]
    VERSION = tfds.core.Version("1.0.0")
    CLASSES = ("dog", "cat", "fish")

    def _info(self) -> Any:
        return self.dataset_info_from_configs(
            features=tfds.features.FeaturesDict(
                {
                    "image": tfds.features.Image(),
                    "label": tfds.features.ClassLabel(names=list(self.CLASSES)),
                }
            )
        )

    def _split_generators(self, _dl_manager: Any) -> dict[str, Any]:
        return {
            "train": self._generate_examples(range(6)),
            "test": self._generate_examples(range(6, 9)),
        }

    def _generate_examples(self, numbers: Any) -> Iterator[tuple[int, dict[str, Any]]]:
        for number in numbers:
            label = self.CLASSES[number % len(self.CLASSES)]
            yield number, {"image": io.BytesIO(jpeg(number)), "label": label}


class Unreachable(TinyPets):
    def _split_generators(self, _dl_manager: Any) -> dict[str, Any]:
        raise ConnectionError("no route to host")


class Unequipped(TinyPets):
    def _split_generators(self, _dl_manager: Any) -> dict[str, Any]:
        raise ImportError("No module named 'rare_format'")


class Wordless(TinyPets):
    def _info(self) -> Any:
        return self.dataset_info_from_configs(
            features=tfds.features.FeaturesDict({"text": tfds.features.Text()})
        )


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Any]:
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "tfds"))
    with moto_lake(monkeypatch, tmp_path) as client:
        yield client


def said(s3: Any) -> dict[str, str]:
    """The label of each photo in the lake, by hash."""
    return {
        record.photo: record.label
        for key in keys(s3, lake.LABELS_PREFIX)
        for record in lake.load_shard(
            s3.get_object(Bucket=BUCKET, Key=key)["Body"].read(), LabelRecord
        )
    }


def test_files_of_all_splits_come_as_they_are_and_every_other_class_is_negative(
    s3: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["tfds:tiny_pets"]) == 0

    originals = {lake.sha256_hex(jpeg(number)): jpeg(number) for number in range(9)}
    expected = {
        name: "cat" if number % 3 == 1 else "not_cat" for number, name in enumerate(originals)
    }
    assert said(s3) == expected
    for name, content in originals.items():
        stored = s3.get_object(Bucket=BUCKET, Key=lake.photo_key(name))["Body"].read()
        assert stored == content
    assert "Found 9 files: train, test; 'cat' is a cat, 2 other classes are not" in (
        capsys.readouterr().out
    )


def test_the_data_set_is_the_source_of_its_photos_and_the_second_time_adds_nothing(
    s3: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["tfds:tiny_pets"])

    assert main(["tfds:tiny_pets"]) == 0

    assert "Added 0 photos and 0 labels from 9 files" in capsys.readouterr().out
    (key,) = keys(s3, lake.INDEX_PREFIX)
    rows = lake.load_shard(s3.get_object(Bucket=BUCKET, Key=key)["Body"].read(), lake.IndexRow)
    assert {row.source for row in rows} == {"tiny_pets"}


def test_another_class_can_be_the_positive_one(s3: Any) -> None:
    assert main(["tfds:tiny_pets", "--positive", "fish"]) == 0

    positive = {name for name, label in said(s3).items() if label == "cat"}
    assert positive == {lake.sha256_hex(jpeg(number)) for number in (2, 5, 8)}


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["tfds:tiny_pets", "--positive", "unicorn"], "it has dog, cat, fish"),
        (["tfds:no_such_data_set"], "has no data set 'no_such_data_set'"),
        (["tfds:wordless"], "0 features of the kind Image"),
        (["tfds:unequipped"], "needs a package that is not in this environment"),
        (["tfds:unreachable"], "no route to host. It needs the open internet"),
    ],
)
def test_what_cannot_be_seeded_is_one_sentence_and_nothing_is_written(
    s3: Any, capsys: pytest.CaptureFixture[str], arguments: list[str], expected: str
) -> None:
    assert main(arguments) == 2

    assert expected in capsys.readouterr().err
    assert keys(s3) == []


@pytest.mark.parametrize(
    ("dataset", "builder"),
    [
        ("cats_vs_dogs", "cats_vs_dogs"),
        ("tfds:oxford_iiit_pet", "oxford_iiit_pet"),
        ("./cats_vs_dogs", ""),
        ("photos.zip", ""),
    ],
)
def test_a_name_means_a_published_data_set_and_a_path_a_folder(dataset: str, builder: str) -> None:
    assert builder_named(dataset) == builder
