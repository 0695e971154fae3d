"""What a model version is made of, typed. A `problem` says why a part is not known."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from areyouacat.dataset import ManifestEntry


class Hash(StrEnum):
    """What comparing a file with a recorded hash came to."""

    VERIFIED = "verified"
    DIFFERS = "DIFFERS"
    MISSING = "MISSING"
    UNRECORDED = "not recorded"


@dataclass(frozen=True, slots=True)
class FileHash:
    """A file of the lake, its hash now, and the hash that was recorded of it.

    `sha256`: empty if the file is missing. `recorded`: empty if nobody wrote it down; `by`: who.
    """

    key: str
    sha256: str
    recorded: str
    by: str

    @classmethod
    def of(cls, key: str, data: bytes | None, recorded: str, by: str) -> FileHash:
        """Hash the bytes as they are now."""
        found = "" if data is None else hashlib.sha256(data).hexdigest()
        return cls(key, found, recorded, by)

    @property
    def verdict(self) -> Hash:
        """Whether the bytes are those that were recorded."""
        if not self.sha256:
            return Hash.MISSING
        if not self.recorded:
            return Hash.UNRECORDED
        return Hash.VERIFIED if self.sha256 == self.recorded else Hash.DIFFERS


@dataclass(frozen=True, slots=True)
class RegisteredVersion:
    """A model version as the registry has it, or as its model.json in the lake tells."""

    version: str
    tags: Mapping[str, str]
    aliases: tuple[str, ...] = ()
    run_id: str = ""
    registered_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class DatasetLineage:
    """The data set version. `counts`: {split: {label: photos}}, counted in the manifest."""

    version: str
    manifest: FileHash
    counts: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    photos: tuple[ManifestEntry, ...] = ()
    problem: str = ""


@dataclass(frozen=True, slots=True)
class JobLineage:
    """The SageMaker training job. `seconds`: billed."""

    name: str
    arn: str = ""
    status: str = ""
    image: str = ""
    created_at: datetime | None = None
    ended_at: datetime | None = None
    seconds: int | None = None
    failure_reason: str = ""
    hyperparameters: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    problem: str = ""


@dataclass(frozen=True, slots=True)
class ExecutionLineage:
    """The execution of the train workflow."""

    arn: str
    status: str = ""
    started_at: datetime | None = None
    ended_at: datetime | None = None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class RunLineage:
    """The MLflow run."""

    run_id: str
    url: str = ""
    status: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    problem: str = ""


@dataclass(frozen=True, slots=True)
class GateLineage:
    """What the quality gate said; texts as the registry has them."""

    passed: str
    applicable: str
    reason: str
    compared_with: str


@dataclass(frozen=True, slots=True)
class Lineage:
    """One model version and everything it is made of.

    `serving`: role and weight, or '' if it does not serve. `metrics`: name -> value.
    """

    model: str
    version: RegisteredVersion
    serving: str
    mode: str
    code_revision: str
    requirements_sha256: str
    dataset: DatasetLineage
    job: JobLineage
    execution: ExecutionLineage
    run: RunLineage
    gate: GateLineage
    files: tuple[FileHash, ...]
    metrics: Mapping[str, float]
    problems: tuple[str, ...] = ()

    @property
    def is_sound(self) -> bool:
        """Whether every recorded hash is that of the bytes that are there."""
        return all(
            found.verdict in {Hash.VERIFIED, Hash.UNRECORDED}
            for found in (self.dataset.manifest, *self.files)
        )


@dataclass(frozen=True, slots=True)
class Use:
    """A data set version that holds a photo."""

    dataset_version: str
    label: str
    split: str
