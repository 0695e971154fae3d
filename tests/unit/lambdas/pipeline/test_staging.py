import pytest

from areyouacat.errors import CorruptModelError, ModelNotFoundError
from areyouacat.lake import sha256_hex
from areyouacat.serving_pointer import Variant
from lambdas.pipeline.logic.staging import stage
from tests.unit.lambdas.pipeline.factories import TFLITE, model_files, model_spec
from tests.unit.lambdas.pipeline.fakes import MemoryLake


def lake_with(*versions: str) -> MemoryLake:
    return MemoryLake(
        {
            f"models/{version}/{name}": content
            for version in versions
            for name, content in model_files().items()
        }
    )


def test_a_whole_version_becomes_a_variant_with_both_hashes() -> None:
    assert stage(lake_with("3"), "3") == Variant(
        role="challenger",
        name="are-you-a-cat",
        version="3",
        weight=0.0,
        key="models/3/model.tflite",
        sha256=sha256_hex(TFLITE),
        model_json_key="models/3/model.json",
        model_json_sha256=sha256_hex(model_spec().to_json()),
    )


def test_an_unknown_version_names_those_that_exist_in_counting_order() -> None:
    with pytest.raises(ModelNotFoundError, match=r"no model version 4 .* There are: 2, 9, 10\."):
        stage(lake_with("10", "9", "2"), "4")


def test_an_empty_lake_says_how_to_get_a_model() -> None:
    with pytest.raises(ModelNotFoundError, match="make train"):
        stage(MemoryLake(), "1")


@pytest.mark.parametrize("name", ["model.tflite", "model.json"])
def test_a_version_that_lacks_a_file_is_corrupt(name: str) -> None:
    lake = lake_with("1")
    del lake.objects[f"models/1/{name}"]

    with pytest.raises(CorruptModelError, match=f"lacks {name}"):
        stage(lake, "1")


def test_a_damaged_network_is_corrupt() -> None:
    lake = lake_with("1")
    lake.objects["models/1/model.tflite"] = TFLITE[:-1]

    with pytest.raises(CorruptModelError, match=r"Model version 1: model\.tflite"):
        stage(lake, "1")


def test_a_version_made_for_another_preprocessing_is_refused() -> None:
    lake = lake_with("1")
    lake.objects["models/1/model.json"] = model_spec(preprocessing_version=99).to_json()

    with pytest.raises(CorruptModelError, match="preprocessing_version is 99"):
        stage(lake, "1")
