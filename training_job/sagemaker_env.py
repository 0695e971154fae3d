"""SageMaker's contract with a training container, read once and typed.

Under the base directory (`/opt/ml`, or `SAGEMAKER_BASE_DIR` where a job has no root of its own):
`input/config/*.json`, `input/data/<channel>/`, `model/`, `output/failure`.
https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-training-algo.html
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal, get_args

from areyouacat.model_spec import Mode
from areyouacat.settings import LABELS
from training_job.errors import EnvironmentalError, HyperparameterError
from training_job.views import AUGMENTATIONS

DATASET_CHANNEL = "dataset"
PHOTOS_CHANNEL = "photos"
MAX_FAILURE_REASON = 1024  # characters of output/failure that DescribeTrainingJob shows

ModeChoice = Literal["auto", "bootstrap", "trained"]


@dataclass(frozen=True, slots=True)
class Hyperparameters:
    """What a caller may choose. SageMaker passes every value as a string.

    `mode`: `auto` follows the data set's summary. `epochs`: 1 to 1,000. `learning_rate`: Adam's
    first step size, in (0, 1]. `l2`: weight penalty on standardised features, >= 0, or None to
    choose it on validation (`auto`). `seed`: >= 0, of the order in which photos are seen.
    `class_weights`: of a photo by its label, each > 0 (`<label>=<number>,<label>=<number>`), or
    None to let both labels weigh the same (`balanced`); `none` is 1 for each.
    `augmentation`: names of `views.AUGMENTATIONS`, joined by commas, or `none`.
    """

    mode: ModeChoice = "auto"
    epochs: int = 40
    learning_rate: float = 1e-3
    l2: float | None = None
    seed: int = 17
    class_weights: Mapping[str, float] | None = None
    augmentation: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what cannot be trained with. Raises HyperparameterError."""
        checks = {
            "epochs must be 1 to 1000": 1 <= self.epochs <= 1000,
            "learning_rate must be above 0 and at most 1": 0 < self.learning_rate <= 1,
            "l2 must be 0 or more, or auto": self.l2 is None or 0 <= self.l2 < float("inf"),
            "seed must be 0 or more": self.seed >= 0,
            "class_weights must be above 0": all(
                0 < weight < float("inf") for weight in (self.class_weights or {}).values()
            ),
        }
        for rule, kept in checks.items():
            if not kept:
                raise HyperparameterError(rule)

    @classmethod
    def parse(cls, values: Mapping[str, str]) -> "Hyperparameters":
        """From SageMaker's strings.

        The SDK's own `sagemaker_*` entries are passed over; any other unknown name is refused,
        so that a misspelt one does not silently train with the default.
        """
        known = {field.name for field in fields(cls)}
        ours = {name: text for name, text in values.items() if not name.startswith("sagemaker_")}
        if unknown := sorted(set(ours) - known):
            raise HyperparameterError(
                f"unknown hyperparameters: {', '.join(unknown)}; known: {', '.join(sorted(known))}"
            )
        parsers: dict[str, Callable[[str], object]] = {
            "mode": _mode,
            "epochs": int,
            "learning_rate": float,
            "l2": lambda text: None if text == "auto" else float(text),
            "seed": int,
            "class_weights": _class_weights,
            "augmentation": _augmentation,
        }
        typed: dict[str, Any] = {}
        for name, text in ours.items():
            try:
                typed[name] = parsers[name](_unquote(text))
            except (ValueError, TypeError) as error:
                raise HyperparameterError(
                    f"hyperparameter {name} has the value {text!r}: {error}"
                ) from error
        return cls(**typed)


def _mode(text: str) -> ModeChoice:
    for choice in get_args(ModeChoice):
        if text == choice:
            return choice  # type: ignore[no-any-return]
    raise ValueError(f"expected one of {', '.join(get_args(ModeChoice))}")


def _class_weights(text: str) -> Mapping[str, float] | None:
    if text == "balanced":
        return None
    if text == "none":
        return dict.fromkeys(LABELS.all, 1.0)
    pairs = [pair.partition("=") for pair in text.split(",")]
    if sorted(name for name, _, _ in pairs) != sorted(LABELS.all):
        example = ",".join(f"{label}=1" for label in LABELS.all)
        raise ValueError(f"expected balanced, none or one weight per label, such as {example}")
    return {name: float(weight) for name, _, weight in pairs}


def _augmentation(text: str) -> tuple[str, ...]:
    if text == "none":
        return ()
    names = tuple(text.split(","))
    if unknown := sorted(set(names) - set(AUGMENTATIONS)):
        raise ValueError(
            f"unknown views: {', '.join(unknown)}; known: none, {', '.join(AUGMENTATIONS)}"
        )
    return tuple(name for name in AUGMENTATIONS if name in names)


def _unquote(text: str) -> str:
    """The SageMaker SDK sends strings as JSON, with quotation marks of their own."""
    if len(text) > 1 and text.startswith('"') and text.endswith('"'):
        return str(json.loads(text))
    return text


@dataclass(frozen=True, slots=True)
class Paths:
    """Where the contract puts things under its base directory."""

    base: Path

    @property
    def model(self) -> Path:
        """What SageMaker packs into model.tar.gz."""
        return self.base / "model"

    @property
    def failure(self) -> Path:
        """Its text becomes the job's FailureReason."""
        return self.base / "output" / "failure"

    def config(self, name: str) -> Path:
        """A configuration file of the job."""
        return self.base / "input" / "config" / name

    def channel(self, name: str) -> Path:
        """An input channel's folder."""
        return self.base / "input" / "data" / name


@dataclass(frozen=True, slots=True)
class TrainingEnvironment:
    """Everything the job is told from outside. Empty strings: not told."""

    paths: Paths
    hyperparameters: Hyperparameters
    lake_bucket: str
    mlflow_tracking_uri: str
    mlflow_experiment_name: str
    training_job_name: str
    training_job_arn: str
    execution_arn: str
    dataset_version: str
    code_revision: str
    requirements_digest: str

    def mode(self, summary: Mapping[str, Any]) -> Mode:
        """The mode to train in: the hyperparameter's, or what the data set's summary says."""
        if self.hyperparameters.mode != "auto":
            return self.hyperparameters.mode
        for mode in get_args(Mode):
            if summary.get("mode") == mode:
                return mode  # type: ignore[no-any-return]
        raise EnvironmentalError(f"summary.json names no known mode: {summary.get('mode')!r}")

    def tags(self) -> dict[str, str]:
        """Lineage of the run, for MLflow; what was not told is left out."""
        tags = {
            "training_job_name": self.training_job_name,
            "training_job_arn": self.training_job_arn,
            "execution_arn": self.execution_arn,
            "dataset_version": self.dataset_version,
            "code_revision": self.code_revision,
            "requirements_sha256": self.requirements_digest,
        }
        return {name: value for name, value in tags.items() if value}


def base_paths(environ: Mapping[str, str]) -> Paths:
    """The contract's paths; needed to report any later failure, so nothing here can fail."""
    return Paths(Path(environ.get("SAGEMAKER_BASE_DIR") or "/opt/ml"))


def read_environment(environ: Mapping[str, str]) -> TrainingEnvironment:
    """Read and check what SageMaker and the workflow told the container.

    Raises HyperparameterError, or EnvironmentalError naming the missing variable or channel.
    """
    paths = base_paths(environ)
    hyperparameters = Hyperparameters.parse(_read_json(paths.config("hyperparameters.json")))
    if not paths.channel(DATASET_CHANNEL).is_dir():
        raise EnvironmentalError(
            f"channel {DATASET_CHANNEL!r} is missing; pass the data set version's S3 prefix"
        )
    return TrainingEnvironment(
        paths=paths,
        hyperparameters=hyperparameters,
        lake_bucket=_required(environ, "LAKE_BUCKET"),
        mlflow_tracking_uri=environ.get("MLFLOW_TRACKING_URI", ""),
        mlflow_experiment_name=environ.get("MLFLOW_EXPERIMENT_NAME") or "Default",
        training_job_name=environ.get("TRAINING_JOB_NAME", ""),
        training_job_arn=environ.get("TRAINING_JOB_ARN", ""),
        execution_arn=environ.get("EXECUTION_ARN", ""),
        dataset_version=environ.get("DATASET_VERSION", ""),
        code_revision=environ.get("CODE_REVISION", ""),
        requirements_digest=_requirements_digest(),
    )


def write_failure(paths: Paths, reason: str) -> None:
    """Leave the reason where SageMaker looks for it."""
    paths.failure.parent.mkdir(parents=True, exist_ok=True)
    paths.failure.write_text(reason[:MAX_FAILURE_REASON], encoding="utf-8")


def _read_json(path: Path) -> dict[str, str]:
    if not path.exists():
        return {}
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise EnvironmentalError(f"{path} is not JSON: {error}") from error
    if not isinstance(values, dict) or not all(isinstance(text, str) for text in values.values()):
        raise EnvironmentalError(f"{path} must be a JSON object of strings")
    return values


def _required(environ: Mapping[str, str], name: str) -> str:
    value = environ.get(name, "")
    if not value:
        raise EnvironmentalError(f"environment variable {name} is missing")
    return value


def _requirements_digest() -> str:
    """What the job ran with: the hash of the pinned requirements, or '' outside an install."""
    path = Path(__file__).with_name("requirements.txt")
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else ""
