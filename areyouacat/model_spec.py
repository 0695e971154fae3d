"""`model.json`: everything serving must know about a model besides its arithmetic."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Literal, Self, get_args

from areyouacat.settings import BACKBONE, LABELS
from areyouacat.verdicts import Bands

SCHEMA: Final = 1
MODEL_FILE: Final = "model.tflite"
SPEC_FILE: Final = "model.json"
KERAS_FILE: Final = "model.keras"
SCORES_FILE: Final = "scores.jsonl"
METRICS_FILE: Final = "metrics.json"
REFERENCE_FILE: Final = "reference.csv"
"""A `drift_sample` of the photos that a model was built on; older models have none."""

PROBABILITY_OUTPUT: Final = "probability"
EXPLANATION_OUTPUT: Final = "explanation"
SKETCH_OUTPUT: Final = "sketch"

Mode = Literal["bootstrap", "trained"]
TfliteVariant = Literal["float32", "float16", "int8"]


@dataclass(frozen=True, slots=True)
class TfliteFile:
    """The TFLite file that ships: the hash of its bytes and how it was quantised."""

    sha256: str
    variant: TfliteVariant


@dataclass(frozen=True, slots=True)
class Provenance:
    """What made a model; an empty string is something the job was not told.

    `requirements_sha256`: of the pinned requirements that the job ran with.
    """

    code_revision: str = ""
    requirements_sha256: str = ""
    training_job_arn: str = ""
    execution_arn: str = ""

    @classmethod
    def from_dict(cls, values: Any) -> Self:
        """Read the `provenance` of a `model.json`.

        Raises:
            ValueError: an unknown name, or a value that is no text.
        """
        found = cls(**values)
        if not all(isinstance(value, str) for value in asdict(found).values()):
            raise ValueError(f"provenance holds more than text: {found}")
        return found


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """A model's contract with serving.

    `threshold`: probability in [0, 1] at which the positive label begins. `metrics`:
    flat name -> value. `baseline`: what drift is measured against. `provenance`: empty in files
    that are older than it.
    """

    model_name: str
    mode: Mode
    threshold: float
    bands: Bands
    temperature: float
    dataset_version: str
    training_job_name: str
    mlflow_run_id: str | None
    tflite: TfliteFile
    metrics: Mapping[str, float] = field(default_factory=dict)
    baseline: Mapping[str, Any] = field(default_factory=dict)
    provenance: Provenance = field(default_factory=Provenance)
    positive_label: str = LABELS.positive
    negative_label: str = LABELS.negative
    preprocessing_version: int = BACKBONE.preprocessing_version
    input_px: int = BACKBONE.input_px
    backbone_hash: str = BACKBONE.hash

    def to_json(self) -> bytes:
        """`model.json`; the same spec gives the same bytes."""
        return json.dumps(
            {
                "schema": SCHEMA,
                "model_name": self.model_name,
                "labels": {"positive": self.positive_label, "negative": self.negative_label},
                "mode": self.mode,
                "threshold": self.threshold,
                "bands": asdict(self.bands),
                "temperature": self.temperature,
                "preprocessing_version": self.preprocessing_version,
                "input_px": self.input_px,
                "backbone_hash": self.backbone_hash,
                "dataset_version": self.dataset_version,
                "training_job_name": self.training_job_name,
                "mlflow_run_id": self.mlflow_run_id,
                "tflite": asdict(self.tflite),
                "outputs": {
                    "probability": PROBABILITY_OUTPUT,
                    "explanation": EXPLANATION_OUTPUT,
                    "sketch": SKETCH_OUTPUT,
                },
                "metrics": dict(self.metrics),
                "baseline": dict(self.baseline),
                "provenance": asdict(self.provenance),
            },
            indent=2,
            sort_keys=True,
        ).encode()

    @classmethod
    def from_json(cls, data: bytes) -> Self:
        """Read `model.json`.

        Raises:
            ValueError: not such a file, or of another schema.
        """
        try:
            values: dict[str, Any] = json.loads(data)
            if values["schema"] != SCHEMA:
                raise ValueError(f"schema {values['schema']} is not {SCHEMA}")
            if values["mode"] not in get_args(Mode):
                raise ValueError(f"unknown mode {values['mode']!r}")
            return cls(
                model_name=values["model_name"],
                mode=values["mode"],
                threshold=float(values["threshold"]),
                bands=Bands(**values["bands"]),
                temperature=float(values["temperature"]),
                dataset_version=values["dataset_version"],
                training_job_name=values["training_job_name"],
                mlflow_run_id=values["mlflow_run_id"],
                tflite=TfliteFile(**values["tflite"]),
                metrics=values["metrics"],
                baseline=values["baseline"],
                provenance=Provenance.from_dict(values.get("provenance", {})),
                positive_label=values["labels"]["positive"],
                negative_label=values["labels"]["negative"],
                preprocessing_version=int(values["preprocessing_version"]),
                input_px=int(values["input_px"]),
                backbone_hash=values["backbone_hash"],
            )
        except (KeyError, TypeError, AttributeError, json.JSONDecodeError) as error:
            raise ValueError(f"not a {SPEC_FILE}: {error!r}") from error

    def mismatches(self) -> list[str]:
        """Why this build of the serving code must not serve the model; empty if it may."""
        checks = {
            "preprocessing_version": (self.preprocessing_version, BACKBONE.preprocessing_version),
            "input_px": (self.input_px, BACKBONE.input_px),
            "positive label": (self.positive_label, LABELS.positive),
            "negative label": (self.negative_label, LABELS.negative),
        }
        return [
            f"{name} is {ours[0]!r}, serving expects {ours[1]!r}"
            for name, ours in checks.items()
            if ours[0] != ours[1]
        ]
