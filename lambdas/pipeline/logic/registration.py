"""RegisterModel: from a training job's archive to a model version with its lineage."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final

from areyouacat.errors import CorruptModelError
from areyouacat.lake import model_prefix
from areyouacat.model_spec import KERAS_FILE, MODEL_FILE, REFERENCE_FILE, SPEC_FILE, ModelSpec
from areyouacat.serving_pointer import CHALLENGER
from areyouacat.settings import MODEL_NAME
from lambdas.pipeline.logic.ports import Lake, Registry
from lambdas.shared.model_files import unpack, verified_spec

MODEL_FILES: Final = (MODEL_FILE, KERAS_FILE, SPEC_FILE)
"""What a model version consists of; the last one makes it whole."""

_BESIDE: Final = (REFERENCE_FILE,)
"""What it may have besides, if its data set was new enough."""

_CONTENT_TYPES: Final = {".json": "application/json", ".csv": "text/csv"}

TRAINING_JOB_TAG: Final = "training_job_arn"
"""What makes a repeated registration find its version."""


@dataclass(frozen=True, slots=True)
class Lineage:
    """Where a candidate comes from. `mlflow_run_id`: None if training had no MLflow."""

    model_artifact: str
    dataset_version: str
    manifest_sha256: str
    training_job_name: str
    training_job_arn: str
    execution_arn: str
    code_revision: str
    gate_passed: bool
    gate_applicable: bool
    gate_reason: str
    champion_version: str | None
    mlflow_run_id: str | None


@dataclass(frozen=True, slots=True)
class Registration:
    """A registered version. `created`: False if an earlier try had made it."""

    version: str
    model_name: str
    model_prefix: str
    created: bool


def register(lake: Lake, registry: Registry, lineage: Lineage) -> Registration:
    """Register the candidate as `challenger`; a second call finds what the first one made.

    Everything is verified before anything is written. The version's number, given once per
    training job, names the files' prefix; `model.json` comes last and makes it whole.

    Raises:
        CorruptModelError: the archive is missing, damaged or of another data set.
        RegistryError: MLflow cannot be reached or refuses; calling again continues.
    """
    archive = lake.read(lake.key(lineage.model_artifact))
    if archive is None:
        raise CorruptModelError(f"There is no model archive at {lineage.model_artifact}.")
    files = unpack(archive, MODEL_FILES, _BESIDE)
    spec = verified_spec(files[SPEC_FILE], files[MODEL_FILE], lineage.model_artifact)
    if spec.dataset_version != lineage.dataset_version:
        raise CorruptModelError(
            f"{lineage.model_artifact} was trained on the data set {spec.dataset_version}, "
            f"not on {lineage.dataset_version}."
        )

    known = registry.find_version(MODEL_NAME, TRAINING_JOB_TAG, lineage.training_job_arn)
    version = known or registry.create_version(
        MODEL_NAME,
        source=lineage.model_artifact,
        run_id=lineage.mlflow_run_id or spec.mlflow_run_id,
        tags=_tags(lineage, spec),
    )
    prefix = model_prefix(version)
    for file in (*_BESIDE, *MODEL_FILES):
        if file in files:
            lake.write(f"{prefix}{file}", files[file], _content_type(file))
    registry.set_alias(MODEL_NAME, CHALLENGER, version)
    return Registration(version, MODEL_NAME, prefix, created=known is None)


def _tags(lineage: Lineage, spec: ModelSpec) -> Mapping[str, str]:
    made_by = spec.provenance
    tags = {
        TRAINING_JOB_TAG: lineage.training_job_arn,
        "training_job_name": lineage.training_job_name,
        "execution_arn": lineage.execution_arn,
        "dataset_version": lineage.dataset_version,
        "dataset_manifest_sha256": lineage.manifest_sha256,
        # What trained the model; it may be older than what registers it.
        "code_revision": made_by.code_revision or lineage.code_revision,
        "requirements_sha256": made_by.requirements_sha256,
        "gate_passed": str(lineage.gate_passed).lower(),
        "gate_applicable": str(lineage.gate_applicable).lower(),
        "gate_reason": lineage.gate_reason,
        "compared_with_version": lineage.champion_version or "none",
        "mode": spec.mode,
        "tflite_sha256": spec.tflite.sha256,
    }
    return {name: value for name, value in tags.items() if value}


def _content_type(file: str) -> str:
    kind = PurePosixPath(file).suffix
    return _CONTENT_TYPES.get(kind, "application/octet-stream")
