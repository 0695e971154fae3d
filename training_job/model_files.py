"""What a job leaves behind: model.json, scores and metrics beside the model's files."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import keras

from areyouacat.drift_sample import sample_csv
from areyouacat.model_spec import (
    KERAS_FILE,
    METRICS_FILE,
    MODEL_FILE,
    REFERENCE_FILE,
    SCORES_FILE,
    SPEC_FILE,
    ModelSpec,
    Provenance,
    TfliteFile,
)
from areyouacat.settings import MODEL_NAME, BackboneSpec
from areyouacat.splits import Split
from training_job.comparison import summary
from training_job.dataset import TrainingDataset
from training_job.decide import Decider, baseline
from training_job.evaluation import Assessment, Scored
from training_job.examples import Examples
from training_job.features import Features
from training_job.reference import reference_sample
from training_job.sagemaker_env import TrainingEnvironment
from training_job.ship import Shipped


@dataclass(frozen=True, slots=True)
class Trained:
    """All that a job makes."""

    dataset: TrainingDataset
    backbone: BackboneSpec
    features: Features
    examples: Mapping[Split, Examples]
    decider: Decider
    scored: Mapping[Split, Scored]
    model: keras.Model
    shipped: Shipped

    @property
    def calibrated(self) -> Split:
        """The split whose probabilities are those of photos that were not learnt from."""
        return "validation" if self.decider.fit else "train"

    def metrics(self) -> dict[str, float]:
        """Name -> value, for model.json and MLflow; qualities carry their split's name."""
        quality = {
            f"{split}_{name}": value
            for split, found in self.scored.items()
            for name, value in found.quality.figures().items()
        }
        chosen = self.shipped.chosen
        return {
            **quality,
            "threshold": self.decider.threshold,
            "temperature": self.decider.head.temperature,
            "parity_p99": chosen.parity_p99,
            "parity_max": chosen.parity_max,
            "parity_photos": float(self.shipped.compared_photos),
            "keras_difference": self.shipped.keras_difference,
            "latency_ms": chosen.latency_ms,
            "accuracy_loss_points": chosen.accuracy_loss_points,
            "features_computed": float(self.features.computed),
            "features_unreadable": float(len(self.features.unreadable)),
        }


@dataclass(frozen=True, slots=True)
class Job:
    """What the job was told, what it made, and what it promises serving."""

    environment: TrainingEnvironment
    trained: Trained
    spec: ModelSpec


def model_spec(
    trained: Trained, environment: TrainingEnvironment, mlflow_run_id: str | None
) -> ModelSpec:
    """The model's contract with serving."""
    decider, chosen = trained.decider, trained.shipped.chosen
    known = trained.examples[trained.calibrated]
    return ModelSpec(
        model_name=MODEL_NAME,
        mode=decider.mode,
        threshold=decider.threshold,
        bands=decider.bands,
        temperature=decider.head.temperature,
        dataset_version=trained.dataset.version,
        training_job_name=environment.training_job_name,
        mlflow_run_id=mlflow_run_id,
        tflite=TfliteFile(chosen.sha256, chosen.exported.variant),
        metrics=trained.metrics(),
        baseline=baseline(decider.head, trained.examples.values(), known, trained.dataset.inputs),
        backbone_hash=trained.backbone.hash,
        provenance=Provenance(
            code_revision=environment.code_revision,
            requirements_sha256=environment.requirements_digest,
            training_job_arn=environment.training_job_arn,
            execution_arn=environment.execution_arn,
        ),
    )


def write_model(
    folder: Path, job: Job, assessed: Mapping[Split, Assessment], seconds: Mapping[str, float]
) -> None:
    """Write what SageMaker packs. model.json comes last: a folder that has it is whole.

    `seconds`: by stage, so far.
    """
    trained, spec = job.trained, job.spec
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MODEL_FILE).write_bytes(trained.shipped.chosen.exported.tflite)
    trained.model.save(folder / KERAS_FILE)
    (folder / SCORES_FILE).write_text(_scores(trained), encoding="utf-8")
    reference = reference_sample(
        trained.dataset, trained.examples, trained.scored, trained.calibrated
    )
    if reference:
        (folder / REFERENCE_FILE).write_bytes(sample_csv(reference))
    measured = {
        "metrics": spec.metrics,
        "splits": {
            split: asdict(found.quality) | (assessed[split].record() if split in assessed else {})
            for split, found in trained.scored.items()
        },
        "export": summary(trained.shipped.measurements),
        "unreadable": trained.features.unreadable,
        "seconds": seconds,
    }
    (folder / METRICS_FILE).write_text(json.dumps(measured, indent=2, sort_keys=True))
    (folder / SPEC_FILE).write_bytes(spec.to_json())


def _scores(trained: Trained) -> str:
    """One line a photo; train only where there is hardly anything else to compare with."""
    return "".join(
        json.dumps({"photo": photo, "split": split, "probability": float(probability)}) + "\n"
        for split, found in trained.scored.items()
        if split != "train" or trained.decider.mode == "bootstrap"
        for photo, probability in zip(found.photos, found.probabilities, strict=True)
    )
