"""What may be asked of CompareModels, and which models that means."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol, cast, get_args

from areyouacat.comparison_record import ComparedPhotos, Question
from areyouacat.errors import (
    CorruptModelError,
    DatasetError,
    InvalidRequestError,
    ModelNotFoundError,
)
from areyouacat.model_spec import MODEL_FILE, SPEC_FILE, ModelSpec
from lambdas.serving.logic.loaded_model import ModelFiles
from lambdas.shared.model_files import verified_spec

MAX_VERSIONS: Final = 10
_SHOWN: Final = 20  # versions that a message names
_FIELDS: Final = frozenset({"versions", "dataset_version", "split"})
_VERSION: Final = re.compile(r"[1-9][0-9]{0,17}")
_DATASET_VERSION: Final = re.compile(r"[0-9a-f]{16}")


class Versions(Protocol):
    """What the lake holds to choose from."""

    def model(self, version: str) -> tuple[bytes | None, bytes | None]:
        """`model.tflite` and `model.json`."""

    def models(self) -> list[str]:
        """All model versions, the oldest first."""

    def datasets(self) -> list[str]:
        """All data set versions."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A well-formed input. `dataset_version`: None means that of the newest model."""

    versions: tuple[str, ...]
    dataset_version: str | None
    split: ComparedPhotos


@dataclass(frozen=True, slots=True)
class Compared:
    """A model whose files are whole."""

    version: str
    files: ModelFiles
    spec: ModelSpec


def read_question(event: Mapping[str, Any]) -> Asked:
    """The input of the function. The order of versions, and naming one twice, mean nothing.

    Raises:
        InvalidRequestError: not of that form; says what is.
    """
    if unknown := sorted(event.keys() - _FIELDS):
        raise InvalidRequestError(
            f"Unknown: {', '.join(unknown)}. Known: {', '.join(sorted(_FIELDS))}."
        )
    versions = event.get("versions")
    if not isinstance(versions, list) or not all(map(_is_version, versions)):
        raise InvalidRequestError(
            'versions must be a list of model versions such as ["1", "2"]: numbers from 1 on.'
        )
    chosen = sorted(set(map(str, versions)), key=int)
    if not 1 <= len(chosen) <= MAX_VERSIONS:
        raise InvalidRequestError(
            f"{len(chosen)} versions were given; 1 to {MAX_VERSIONS} can be compared at once."
        )
    dataset = event.get("dataset_version")
    if dataset is not None and not (
        isinstance(dataset, str) and _DATASET_VERSION.fullmatch(dataset)
    ):
        raise InvalidRequestError(
            "dataset_version must be the 16 hex digits of a data set version, or be left out."
        )
    split = event.get("split", "test")
    if split not in get_args(ComparedPhotos):
        raise InvalidRequestError(f"split must be one of {', '.join(get_args(ComparedPhotos))}.")
    return Asked(tuple(chosen), dataset, cast(ComparedPhotos, split))


def choose_models(asked: Asked, lake: Versions) -> list[Compared]:
    """The models that were asked for, each verified.

    Raises:
        ModelNotFoundError: no such version; names those that exist.
        CorruptModelError: a file is missing, damaged, or not for this build of serving.
    """
    found = {version: lake.model(version) for version in asked.versions}
    if missing := [version for version, files in found.items() if files == (None, None)]:
        raise ModelNotFoundError(
            f"There is no model version {', '.join(missing)} in the lake. "
            f"{_existing(lake.models()[-_SHOWN:])}"
        )
    return [_verified(version, *files) for version, files in found.items()]


def complete(asked: Asked, models: Sequence[Compared], lake: Versions) -> Question:
    """The whole question. Without a data set version it is that of the newest model.

    Raises:
        DatasetError: no such data set version; names some that exist.
    """
    dataset = asked.dataset_version or models[-1].spec.dataset_version
    known = lake.datasets()
    if dataset not in known:
        raise DatasetError(
            f"There is no data set version {dataset} in the lake. {_existing(known[:_SHOWN])}"
        )
    return Question(asked.versions, dataset, asked.split)


def _is_version(value: Any) -> bool:
    """People write 3 as well as "3"."""
    return isinstance(value, int | str) and bool(_VERSION.fullmatch(str(value)))


def _verified(version: str, tflite: bytes | None, spec: bytes | None) -> Compared:
    if tflite is None or spec is None:
        missing = MODEL_FILE if tflite is None else SPEC_FILE
        raise CorruptModelError(
            f"Model version {version} lacks {missing}. Register it again, or leave it out."
        )
    return Compared(
        version, ModelFiles(tflite, spec), verified_spec(spec, tflite, f"Model version {version}")
    )


def _existing(names: Sequence[str]) -> str:
    return f"There are: {', '.join(names)}." if names else "There is none yet: make train."
