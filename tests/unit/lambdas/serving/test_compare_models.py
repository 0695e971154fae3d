"""CompareModels over a lake: any versions, any data set, any split, and clear refusals."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from typing import Any

import pytest

from areyouacat.comparison_record import ComparisonRecord
from areyouacat.dataset import ManifestEntry
from areyouacat.errors import (
    CorruptModelError,
    DatasetError,
    InvalidRequestError,
    ModelNotFoundError,
)
from areyouacat.lake import photo_key, sha256_hex
from areyouacat.settings import GATE
from lambdas.serving.handlers import compare_models
from tests.unit.lambdas.conftest import FakeContext
from tests.unit.lambdas.serving.conftest import LAKE, Lake, jpeg, tiny_files

OLD, NEW = "0123456789abcdef", "fedcba9876543210"
SPLITS = ("train", "validation", "test", "test", "recent")


def ask(*versions: Any, **more: Any) -> dict[str, Any]:
    return compare_models.handler(
        {"versions": list(versions), **more},
        FakeContext(),  # type: ignore[arg-type]
    )


def put_dataset(s3: Any, version: str, entries: list[ManifestEntry]) -> None:
    body = "\n".join(json.dumps(asdict(entry)) for entry in entries).encode()
    s3.put_object(Bucket=LAKE, Key=f"datasets/{version}/manifest.jsonl", Body=body)


@pytest.fixture
def entries(s3: Any) -> list[ManifestEntry]:
    """Ten bright photos labelled as cats and ten dark ones that are not, over all splits."""
    found = []
    for number, grey in enumerate((*range(241, 251), *range(1, 11))):
        data = jpeg(grey, (64, 64))
        sha = sha256_hex(data)
        s3.put_object(Bucket=LAKE, Key=photo_key(sha), Body=data)
        label = "cat" if number < 10 else "not_cat"
        split = SPLITS[number % 5]
        found.append(ManifestEntry(sha, label, split, "seed", "seed", sha))  # type: ignore[arg-type]
    return found


@pytest.fixture
def models(lake: Lake, s3: Any, entries: list[ManifestEntry]) -> Lake:
    """Versions 1 (right), 2 (always wrong) and 10 (right, strict, of a newer data set)."""
    lake.stage("1", tiny_files())
    lake.stage("2", tiny_files(inverted=True))
    lake.stage("10", tiny_files(threshold=0.9999, dataset_version=NEW))
    put_dataset(s3, OLD, entries)
    put_dataset(s3, NEW, entries[:3])
    return lake


def stored(s3: Any, answer: dict[str, Any]) -> ComparisonRecord:
    key = f"{answer['prefix']}comparison.json"
    return ComparisonRecord.from_json(s3.get_object(Bucket=LAKE, Key=key)["Body"].read())


def test_two_versions_are_compared_on_the_newer_ones_test_photos(models: Lake, s3: Any) -> None:
    answer = ask("1", "2")

    found = stored(s3, answer)
    assert answer["photos"] == found.comparison.photos == 8
    assert (found.question.dataset_version, found.question.split) == (OLD, "test")
    right, wrong = found.comparison.models
    assert (right.figures["accuracy"].value, wrong.figures["accuracy"].value) == (1.0, 0.0)
    assert right.latency_ms > 0
    (pair,) = found.comparison.pairs
    assert (pair.only_first_right, pair.only_second_right, pair.both_wrong) == (8, 0, 0)


def test_the_report_is_in_the_lake_for_programs_and_for_people(models: Lake, s3: Any) -> None:
    answer = ask("1", "2")

    prefix = answer["prefix"]
    assert models.keys("reports/") == [f"{prefix}comparison.json", f"{prefix}comparison.md"]
    markdown = s3.get_object(Bucket=LAKE, Key=f"{prefix}comparison.md")["Body"].read().decode()
    assert "| 1 and 2 | 0 | 8 | 0 | 0 |" in markdown
    assert "version 1" in answer["table"]
    assert "accuracy" in answer["table"]


def test_versions_come_in_the_order_of_their_age_each_by_its_own_threshold(
    models: Lake, s3: Any
) -> None:
    found = stored(s3, ask(10, "1", "2", "1", dataset_version=OLD))

    assert [model.version for model in found.comparison.models] == ["1", "2", "10"]
    assert [model.threshold for model in found.comparison.models] == [0.5, 0.5, 0.9999]


def test_without_a_data_set_it_is_the_newest_versions(models: Lake, s3: Any) -> None:
    found = stored(s3, ask("1", "10"))

    assert found.question.dataset_version == NEW
    assert found.comparison.photos == 1


def test_the_same_question_in_other_words_is_the_same_folder(models: Lake) -> None:
    folders = {
        ask("1", "2")["prefix"],
        ask("2", 1)["prefix"],
        ask("1", "2", split="test", dataset_version=OLD)["prefix"],
    }

    assert len(folders) == 1
    assert ask("1")["prefix"] not in folders


@pytest.mark.parametrize(
    ("split", "photos"), [("test", 8), ("recent", 4), ("validation", 4), ("all", 20)]
)
def test_any_split_can_be_asked_for(models: Lake, split: str, photos: int) -> None:
    assert ask("1", split=split)["photos"] == photos


def test_a_large_split_is_sampled(models: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compare_models, "GATE", replace(GATE, max_test_photos=4))

    assert ask("1", "2")["photos"] == 4


def test_erased_photos_are_counted_and_do_not_stop_it(
    models: Lake, entries: list[ManifestEntry], s3: Any
) -> None:
    gone = next(entry for entry in entries if entry.split == "test")
    s3.put_object(Bucket=LAKE, Key=photo_key(gone.photo), Body=b"")

    found = stored(s3, ask("1"))

    assert (found.comparison.photos, found.unscored) == (7, 1)


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"versions": []},
        {"versions": "12"},
        {"versions": ["1", None]},
        {"versions": [True]},
        {"versions": ["0"]},
        {"versions": ["-1"]},
        {"versions": ["../1"]},
        {"versions": ["1\n"]},
        {"versions": [str(number) for number in range(1, 12)]},
        {"versions": ["1"], "split": "train"},
        {"versions": ["1"], "split": ["test"]},
        {"versions": ["1"], "dataset_version": "../x"},
        {"versions": ["1"], "dataset_version": 7},
        {"versions": ["1"], "data_set": OLD},
    ],
)
def test_a_question_of_another_form_is_refused(models: Lake, event: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequestError):
        compare_models.handler(event, FakeContext())  # type: ignore[arg-type]

    assert models.keys("reports/") == []


def test_an_unknown_version_is_refused_with_those_that_exist(models: Lake) -> None:
    with pytest.raises(ModelNotFoundError, match=r"no model version 3, 4 .* There are: 1, 2, 10\."):
        ask("1", "3", "4")


def test_an_unknown_data_set_is_refused_with_those_that_exist(models: Lake) -> None:
    with pytest.raises(DatasetError, match=f"no data set version 0{{16}} .*: {OLD}, {NEW}"):
        ask("1", dataset_version="0" * 16)


def test_a_split_without_photos_is_refused(models: Lake) -> None:
    with pytest.raises(DatasetError, match=rf"{NEW} has no photo in the split recent"):
        ask("10", split="recent")


def test_a_data_set_whose_photos_are_all_erased_is_refused(
    models: Lake, entries: list[ManifestEntry], s3: Any
) -> None:
    for entry in entries:
        s3.delete_object(Bucket=LAKE, Key=photo_key(entry.photo))

    with pytest.raises(DatasetError, match="None of the 8 chosen photos"):
        ask("1", "2")


def test_a_damaged_model_is_refused_by_name(models: Lake) -> None:
    models.spoil(models.stage("3", tiny_files()))

    with pytest.raises(CorruptModelError, match=r"Model version 3: .* has the hash"):
        ask("1", "3")


def test_a_model_with_half_its_files_is_refused_by_name(models: Lake, s3: Any) -> None:
    s3.delete_object(Bucket=LAKE, Key="models/2/model.json")

    with pytest.raises(CorruptModelError, match=r"Model version 2 lacks model\.json"):
        ask("1", "2")


def test_the_answer_is_small_for_as_many_models_as_there_may_be(models: Lake) -> None:
    for version in range(1, 11):
        models.stage(str(version), tiny_files())

    answer = ask(*range(1, 11))

    assert len(json.dumps(answer)) < 100_000
