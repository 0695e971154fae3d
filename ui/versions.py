"""Registered model versions, as their files in the lake tell of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import quote

from areyouacat.lake import (
    DATASET_SUMMARY_JSON,
    EVALUATION_JSON,
    dataset_prefix,
    evaluation_prefix,
)
from areyouacat.mlflow_server import page
from areyouacat.model_spec import SPEC_FILE, ModelSpec
from ui import aws
from ui.answers import Serving
from ui.lake import GoneError, Lake

_PREFIX: Final = "models/"
_AT_ONCE: Final = 8
FIGURES: Final = ("accuracy", "precision", "recall")


@dataclass(frozen=True)
class Version:
    """A version. `figures`: of `FIGURES`, on its own test photos, those that are known, [0, 1].

    `gate`: what the quality gate said, `None` where it was not asked. `labelled_by`: photos of its
    data set by `areyouacat.lake.LabelRecord.source`, empty where that is not known.
    """

    number: int
    registered_at: datetime
    model_name: str
    mode: str
    dataset_version: str
    labelled_by: Mapping[str, int]
    training_job_name: str
    execution_arn: str
    figures: Mapping[str, float]
    test_photos: int
    gate: str | None

    def mlflow_page(self, mlflow_url: str) -> str:
        """Its page in MLflow; empty where a browser has none."""
        return page(mlflow_url, f"models/{quote(self.model_name, safe='')}/versions/{self.number}")


class Versions:
    """All versions of one lake. Calls raise `aws.AwsError`."""

    def __init__(self, lake: Lake) -> None:
        """Reads from `lake`; what it has read of a version never changes."""
        self._lake = lake
        self._known: dict[str, Version] = {}

    def all(self) -> tuple[Version, ...]:
        """The newest first."""
        found = {
            key.split("/")[1]: at
            for key, at in self._lake.list_objects(_PREFIX)
            if key.endswith(f"/{SPEC_FILE}")
        }
        fresh = [number for number in found if number.isdecimal() and number not in self._known]
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            for number, one in zip(
                fresh, pool.map(lambda each: self._read(each, found[each]), fresh), strict=True
            ):
                self._known[number] = one
        present = [self._known[number] for number in found if number in self._known]
        return tuple(sorted(present, key=lambda one: one.number, reverse=True))

    def _read(self, number: str, at: datetime) -> Version:
        try:
            spec = ModelSpec.from_json(self._lake.read(f"{_PREFIX}{number}/{SPEC_FILE}"))
        except ValueError as error:
            raise aws.AwsError(f"The file {SPEC_FILE} of version {number} is damaged.") from error
        metrics, gate = self._evaluation(spec.training_job_name)
        figures = {name: metrics.get(f"test_{name}") for name in FIGURES}
        return Version(
            number=int(number),
            registered_at=at,
            model_name=spec.model_name,
            mode=spec.mode,
            dataset_version=spec.dataset_version,
            labelled_by=self._labelled_by(spec.dataset_version),
            training_job_name=spec.training_job_name,
            execution_arn=spec.provenance.execution_arn,
            figures={name: value for name, value in figures.items() if value is not None},
            test_photos=int(metrics.get("test_photos", 0)),
            gate=gate,
        )

    def _evaluation(self, job: str) -> tuple[Mapping[str, float], str | None]:
        """What EvaluateCandidate found; nothing where it left nothing that makes sense."""
        try:
            said = json.loads(self._lake.read(f"{evaluation_prefix(job)}{EVALUATION_JSON}"))
            return dict(said["metrics"]), str(said["gate"]["reason"])
        except (GoneError, ValueError, KeyError, TypeError):
            return {}, None

    def _labelled_by(self, dataset_version: str) -> Mapping[str, int]:
        key = f"{dataset_prefix(dataset_version)}{DATASET_SUMMARY_JSON}"
        try:
            said = json.loads(self._lake.read(key))["labelled_by"]
            return {str(source): int(photos) for source, photos in said.items()}
        except (GoneError, ValueError, KeyError, TypeError, AttributeError):
            return {}


def roles(serving: Serving | None) -> Mapping[str, str]:
    """What each version is now, by its number as text: as MLflow's aliases name it."""
    if serving is None:
        return {}
    found = {serving.previous_version: "previous"} if serving.previous_version else {}
    return {**found, **{each.version: each.role for each in serving.variants}}
