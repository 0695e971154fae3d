"""From a model version to everything it is made of, and back."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from areyouacat.dataset import ManifestEntry, read_manifest
from areyouacat.errors import ModelNotFoundError, RegistryError
from areyouacat.lake import SERVING_POINTER_KEY, dataset_prefix, model_prefix
from areyouacat.model_spec import KERAS_FILE, MODEL_FILE, SPEC_FILE
from areyouacat.serving_pointer import ServingPointer, Variant
from training_job.lineage_records import (
    DatasetLineage,
    ExecutionLineage,
    FileHash,
    GateLineage,
    JobLineage,
    Lineage,
    RegisteredVersion,
    RunLineage,
    Use,
)

MODELS_PREFIX: Final = "models/"
DATASETS_PREFIX: Final = "datasets/"
_NO_NAME: Final = "the version does not say which"


class Versions(Protocol):
    """The registry; its methods may raise `RegistryError`."""

    def version(self, version: str) -> RegisteredVersion | None:
        """One version, or None."""

    def versions(self) -> list[RegisteredVersion]:
        """All versions, the oldest first."""

    def run(self, run_id: str) -> RunLineage:
        """A run; one that is gone has a `problem`."""


class Files(Protocol):
    """The lake."""

    def read(self, key: str) -> bytes | None:
        """An object's bytes, or None."""

    def folders(self, prefix: str) -> list[str]:
        """The names of the folders right below a prefix, sorted."""


class Records(Protocol):
    """SageMaker and Step Functions; what is gone has a `problem`."""

    def job(self, name: str) -> JobLineage:
        """A training job."""

    def execution(self, arn: str) -> ExecutionLineage:
        """An execution of a workflow."""


@dataclass(frozen=True, slots=True)
class Gatherer:
    """Reads all sources; what one of them lacks is said, and another is asked where it can be."""

    model: str
    registry: Versions
    lake: Files
    records: Records

    def serving_version(self) -> str:
        """The champion's version.

        Raises:
            ModelNotFoundError: nothing serves yet.
        """
        pointer = self._pointer()
        if pointer is None:
            raise ModelNotFoundError("No model serves yet: run `make train`, or name a VERSION.")
        return pointer.champion.version

    def lineage(self, version: str) -> Lineage:
        """Everything a version is made of.

        Raises:
            ModelNotFoundError: neither the registry nor the lake knows the version.
        """
        problems: list[str] = []
        spec = self._spec(version)
        found = self._registered(version, spec, problems)
        tags = found.tags
        run = (
            self.registry.run(found.run_id)
            if found.run_id
            else RunLineage("", problem="the version names no MLflow run")
        )
        name = tags.get("training_job_name", "")
        arn = tags.get("execution_arn", "")
        variant, serving = self._serving(version)
        return Lineage(
            model=self.model,
            version=found,
            serving=serving,
            mode=tags.get("mode", ""),
            code_revision=tags.get("code_revision", "") or run.tags.get("code_revision", ""),
            requirements_sha256=tags.get("requirements_sha256", "")
            or run.tags.get("requirements_sha256", ""),
            dataset=self.dataset(
                tags.get("dataset_version", ""), tags.get("dataset_manifest_sha256", "")
            ),
            job=self.records.job(name) if name else JobLineage("", problem=_NO_NAME),
            execution=self.records.execution(arn)
            if arn
            else ExecutionLineage("", problem=_NO_NAME),
            run=run,
            gate=GateLineage(
                passed=tags.get("gate_passed", ""),
                applicable=tags.get("gate_applicable", ""),
                reason=tags.get("gate_reason", ""),
                compared_with=tags.get("compared_with_version", ""),
            ),
            files=tuple(self._files(version, tags, variant)),
            metrics=run.metrics or spec.get("metrics", {}),
            problems=tuple(problems),
        )

    def dataset(self, version: str, recorded_sha256: str = "") -> DatasetLineage:
        """A data set version, its manifest compared with the hash that was recorded of it."""
        if not version:
            return DatasetLineage("", FileHash("", "", "", ""), problem=_NO_NAME)
        key = f"{dataset_prefix(version)}manifest.jsonl"
        data = self.lake.read(key)
        manifest = FileHash.of(key, data, recorded_sha256, "registry")
        if data is None:
            return DatasetLineage(version, manifest, problem="the lake has no such manifest")
        try:
            photos = tuple(read_manifest(data.splitlines()))
        except (ValueError, TypeError) as error:
            return DatasetLineage(version, manifest, problem=f"it cannot be read: {error}")
        counts: dict[str, dict[str, int]] = {}
        for (split, label), number in sorted(Counter((p.split, p.label) for p in photos).items()):
            counts.setdefault(split, {})[label] = number
        return DatasetLineage(version, manifest, counts, photos)

    def all_versions(self, problems: list[str]) -> list[RegisteredVersion]:
        """Every version: of the registry, or of the lake if the registry does not answer."""
        try:
            return self.registry.versions()
        except RegistryError as error:
            problems.append(f"{error} What follows is read from the lake.")
        folders = sorted(self.lake.folders(MODELS_PREFIX), key=lambda name: (len(name), name))
        return [_told_by(version, self._spec(version)) for version in folders]

    def uses(self, photo: str) -> Iterator[Use]:
        """The data set versions that hold a photo (64 hex digits).

        Raises:
            ValueError: a manifest is damaged; the message names it.
        """
        for version in self.lake.folders(DATASETS_PREFIX):
            key = f"{dataset_prefix(version)}manifest.jsonl"
            try:
                entry = next(_entries(self.lake.read(key) or b"", photo), None)
            except (ValueError, TypeError) as error:
                raise ValueError(f"{key} cannot be read ({error}).") from error
            if entry:
                yield Use(version, entry.label, entry.split)

    def _registered(
        self, version: str, spec: Mapping[str, Any], problems: list[str]
    ) -> RegisteredVersion:
        try:
            found = self.registry.version(version)
        except RegistryError as error:
            found = None
            problems.append(f"{error} What the version is made of is read from its {SPEC_FILE}.")
        else:
            if found is None and spec:
                problems.append(f"The registry has no version {version}; the lake has its files.")
        if found is None and not spec:
            raise ModelNotFoundError(
                f"Neither the registry nor the lake has a version {version} of {self.model}."
                + "".join(f" {problem}" for problem in problems)
            )
        return found or _told_by(version, spec)

    def _spec(self, version: str) -> dict[str, Any]:
        """The version's model.json, of whatever schema; empty if there is none to read."""
        try:
            values = json.loads(self.lake.read(f"{model_prefix(version)}{SPEC_FILE}") or b"{}")
        except ValueError:
            return {}
        return values if isinstance(values, dict) else {}

    def _pointer(self) -> ServingPointer | None:
        data = self.lake.read(SERVING_POINTER_KEY)
        try:
            return ServingPointer.from_json(data) if data else None
        except ValueError:
            return None

    def _serving(self, version: str) -> tuple[Variant | None, str]:
        pointer = self._pointer()
        if pointer:
            for variant in pointer.variants:
                if variant.version == version:
                    return variant, f"{variant.role}, weight {variant.weight:.2f}"
            if any(variant.version == version for variant in pointer.previous):
                return None, "served before the present champion"
        return None, ""

    def _files(
        self, version: str, tags: Mapping[str, str], variant: Variant | None
    ) -> Iterator[FileHash]:
        prefix = model_prefix(version)
        recorded = {
            MODEL_FILE: (tags.get("tflite_sha256", ""), "registry"),
            SPEC_FILE: (variant.model_json_sha256 if variant else "", "serving pointer"),
            KERAS_FILE: ("", ""),
        }
        for file, (sha256, by) in recorded.items():
            key = f"{prefix}{file}"
            yield FileHash.of(key, self.lake.read(key), sha256, by)


def _told_by(version: str, spec: Mapping[str, Any]) -> RegisteredVersion:
    """A version as its model.json tells it."""
    told = {
        **spec.get("provenance", {}),
        "training_job_name": spec.get("training_job_name"),
        "dataset_version": spec.get("dataset_version"),
        "mode": spec.get("mode"),
        "tflite_sha256": spec.get("tflite", {}).get("sha256"),
    }
    tags = {name: str(value) for name, value in told.items() if value}
    return RegisteredVersion(version, tags, run_id=spec.get("mlflow_run_id") or "")


def _entries(manifest: bytes, photo: str) -> Iterator[ManifestEntry]:
    """The photo's entry; other lines may name it as the founder of their group."""
    lines = (line for line in manifest.splitlines() if photo.encode() in line)
    return (entry for entry in read_manifest(lines) if entry.photo == photo)
