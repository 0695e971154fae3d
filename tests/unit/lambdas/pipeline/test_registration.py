from dataclasses import replace

import pytest

from areyouacat.errors import CorruptModelError, RegistryError
from areyouacat.model_spec import Provenance
from lambdas.pipeline.logic.registration import Lineage, register
from tests.unit.lambdas.pipeline.factories import model_archive, model_files, model_spec
from tests.unit.lambdas.pipeline.fakes import MemoryLake, MemoryRegistry

ARTIFACT = "training/areyouacat-job-1/output/model.tar.gz"
LINEAGE = Lineage(
    model_artifact=f"s3://lake/{ARTIFACT}",
    dataset_version="0123456789abcdef",
    manifest_sha256="0123456789abcdef" * 4,
    training_job_name="areyouacat-job-1",
    training_job_arn="arn:aws:sagemaker:eu-west-1:123456789012:training-job/areyouacat-job-1",
    execution_arn="arn:aws:states:eu-west-1:123456789012:execution:train:one",
    code_revision="abc123",
    gate_passed=True,
    gate_applicable=False,
    gate_reason="too few photos",
    champion_version=None,
    mlflow_run_id="run-of-the-evaluation",
)
FILES = {"models/1/model.tflite", "models/1/model.json", "models/1/model.keras"}


@pytest.fixture
def lake() -> MemoryLake:
    return MemoryLake({ARTIFACT: model_archive()})


@pytest.fixture
def registry() -> MemoryRegistry:
    return MemoryRegistry()


def stored(lake: MemoryLake) -> set[str]:
    return set(lake.keys("models/"))


def test_a_candidate_becomes_a_version_whose_files_are_in_the_lake(
    lake: MemoryLake, registry: MemoryRegistry
) -> None:
    registration = register(lake, registry, LINEAGE)

    assert registration.version == "1"
    assert registration.model_prefix == "models/1/"
    assert registration.created
    assert stored(lake) == FILES
    assert lake.read("models/1/model.json") == model_spec().to_json()
    assert lake.content_types["models/1/model.json"] == "application/json"
    assert registry.aliases == {"challenger": "1"}


def test_a_reference_sample_goes_with_its_model(registry: MemoryRegistry) -> None:
    lake = MemoryLake({ARTIFACT: model_archive(model_files() | {"reference.csv": b"brightness\n"})})

    register(lake, registry, LINEAGE)

    assert stored(lake) == {*FILES, "models/1/reference.csv"}
    assert lake.content_types["models/1/reference.csv"] == "text/csv"
    assert list(lake.objects)[-1] == "models/1/model.json"


def test_a_version_carries_its_lineage(lake: MemoryLake, registry: MemoryRegistry) -> None:
    register(lake, registry, LINEAGE)

    version = registry.versions["1"]
    assert version.source == LINEAGE.model_artifact
    assert version.run_id == "run-of-the-evaluation"
    assert version.tags == {
        "training_job_arn": LINEAGE.training_job_arn,
        "training_job_name": "areyouacat-job-1",
        "execution_arn": LINEAGE.execution_arn,
        "dataset_version": "0123456789abcdef",
        "dataset_manifest_sha256": LINEAGE.manifest_sha256,
        "code_revision": "abc123",
        "gate_passed": "true",
        "gate_applicable": "false",
        "gate_reason": "too few photos",
        "compared_with_version": "none",
        "mode": "bootstrap",
        "tflite_sha256": model_spec().tflite.sha256,
    }


def test_a_version_names_the_code_and_requirements_that_trained_it(
    registry: MemoryRegistry,
) -> None:
    spec = model_spec(provenance=Provenance("trained-by", "f" * 64, "arn:job", "arn:execution"))
    lake = MemoryLake({ARTIFACT: model_archive(model_files(spec))})

    register(lake, registry, LINEAGE)

    tags = registry.versions["1"].tags
    assert tags["code_revision"] == "trained-by"
    assert tags["requirements_sha256"] == "f" * 64


def test_what_the_job_was_not_told_is_no_tag(lake: MemoryLake, registry: MemoryRegistry) -> None:
    register(lake, registry, LINEAGE)

    assert "requirements_sha256" not in registry.versions["1"].tags


def test_the_run_the_model_names_stands_in_for_a_missing_one(
    lake: MemoryLake, registry: MemoryRegistry
) -> None:
    register(lake, registry, replace(LINEAGE, mlflow_run_id=None))

    assert registry.versions["1"].run_id == "run-of-the-spec"


def test_registering_twice_gives_one_version(lake: MemoryLake, registry: MemoryRegistry) -> None:
    first = register(lake, registry, LINEAGE)
    second = register(lake, registry, LINEAGE)

    assert second.version == first.version
    assert not second.created
    assert len(registry.versions) == 1


@pytest.mark.parametrize("interrupted_at", sorted(FILES))
def test_a_repetition_after_a_lost_upload_completes_the_same_version(
    lake: MemoryLake, registry: MemoryRegistry, interrupted_at: str
) -> None:
    lake.fails_at = interrupted_at
    with pytest.raises(ConnectionError):
        register(lake, registry, LINEAGE)
    assert "models/1/model.json" not in stored(lake), "an interrupted version looks whole"

    assert register(lake, registry, LINEAGE).version == "1"

    assert stored(lake) == FILES
    assert registry.aliases == {"challenger": "1"}


def test_an_outage_of_mlflow_leaves_nothing_behind(
    lake: MemoryLake, registry: MemoryRegistry
) -> None:
    registry.away = True

    with pytest.raises(RegistryError):
        register(lake, registry, LINEAGE)

    assert not stored(lake)


def test_a_corrupt_archive_reaches_neither_registry_nor_lake(registry: MemoryRegistry) -> None:
    files = {**model_files(), "model.tflite": b"something else"}
    lake = MemoryLake({ARTIFACT: model_archive(files)})

    with pytest.raises(CorruptModelError):
        register(lake, registry, LINEAGE)

    assert not stored(lake)
    assert not registry.versions


def test_a_model_of_another_data_set_is_refused(lake: MemoryLake, registry: MemoryRegistry) -> None:
    with pytest.raises(CorruptModelError, match="not on fedcba9876543210"):
        register(lake, registry, replace(LINEAGE, dataset_version="fedcba9876543210"))


def test_a_missing_archive_is_named(registry: MemoryRegistry) -> None:
    with pytest.raises(CorruptModelError, match=LINEAGE.model_artifact):
        register(MemoryLake(), registry, LINEAGE)
