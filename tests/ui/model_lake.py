"""A lake with model versions, and the function that compares them."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from typing import Any

import numpy as np

from areyouacat.comparison import Contender, compare
from areyouacat.comparison_record import (
    ComparedModel,
    ComparisonRecord,
    Question,
    worst_mistakes,
)
from areyouacat.lake import COMPARISON_JSON
from areyouacat.model_spec import ModelSpec, Provenance, TfliteFile
from areyouacat.verdicts import Bands
from tests.ui.fake_workflows import arn_of
from ui.configuration import Configuration
from ui.lake import GONE, GoneError

CONFIGURATION = Configuration(
    "https://api/", "key", None, lake_bucket="lake", compare_function="compare-models",
    mlflow_url="http://127.0.0.1:5050",
)  # fmt: skip
WHEN = datetime(2026, 11, 23, 12, tzinfo=UTC)


class FolderOfObjects:
    """What `ui.lake.Lake` offers, in memory."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.reads: list[str] = []

    def list_objects(self, prefix: str) -> list[tuple[str, datetime]]:
        return [(key, WHEN) for key in sorted(self.objects) if key.startswith(prefix)]

    def read(self, key: str) -> bytes:
        self.reads.append(key)
        if key not in self.objects:
            raise GoneError(GONE)
        return self.objects[key]

    def register(self, number: int, *, evaluated: bool = True) -> None:
        """Put the files of a version there."""
        spec = ModelSpec(
            model_name="a-model",
            mode="trained",
            threshold=0.5,
            bands=Bands(0.3, 0.7),
            temperature=1.0,
            dataset_version=f"data-{number}",
            training_job_name=f"job-{number}",
            mlflow_run_id=None,
            tflite=TfliteFile("0" * 64, "int8"),
            provenance=Provenance(execution_arn=arn_of(f"run-{number}")),
        )
        self.objects[f"models/{number}/model.json"] = spec.to_json()
        self.objects[f"models/{number}/model.tflite"] = b"large"
        made_of = {"labelled_by": {"feedback": 35, "seed": 2000}}
        self.objects[f"datasets/data-{number}/summary.json"] = json.dumps(made_of).encode()
        if evaluated:
            found = {
                "metrics": {"test_accuracy": 0.98, "test_photos": 882, "other": 1.0},
                "gate": {"passed": True, "reason": "all 9 rules passed"},
            }
            key = f"training/job-{number}/evaluation/evaluation.json"
            self.objects[key] = json.dumps(found).encode()


def compared(question: Question) -> ComparisonRecord:
    """An answer to it, on photos that both know well."""
    random = np.random.default_rng(11)
    positive = np.arange(200) % 2 == 0
    contenders = []
    for number, version in enumerate(question.versions):
        logits = np.where(positive, 3.0, -3.0) + random.normal(0, 1 + number / 2, 200)
        contenders.append(Contender(version, 1 / (1 + np.exp(-logits)), 0.5, 9.0))
    models = tuple(
        ComparedModel(version, question.dataset_version, f"job-{version}", "trained", "int8", "0")
        for version in question.versions
    )
    photos = [f"{photo:064x}" for photo in range(200)]
    found = compare(contenders, positive, photos)
    return ComparisonRecord(
        question, models, 0, found, worst_mistakes(contenders, positive, photos)
    )


class FakeFunctions:
    """Lambda with `compare-models`, which writes what it finds into the lake.

    `error`: what it fails with instead.
    """

    def __init__(self, lake: FolderOfObjects) -> None:
        self.lake = lake
        self.asked: list[dict[str, Any]] = []
        self.error: bytes | None = None

    def invoke(self, FunctionName: str, Payload: bytes) -> dict[str, Any]:  # noqa: N803
        assert FunctionName == CONFIGURATION.compare_function
        asked = json.loads(Payload)
        self.asked.append(asked)
        if self.error is not None:
            return {"FunctionError": "Unhandled", "Payload": io.BytesIO(self.error)}
        question = Question(tuple(asked["versions"]), asked["dataset_version"], asked["split"])
        key = f"{question.prefix}{COMPARISON_JSON}"
        self.lake.objects[key] = compared(question).to_json().encode()
        return {"Payload": io.BytesIO(b"{}")}
