"""Step of the train workflow: may this candidate be registered?

It is part of the serving bundle so that what is judged is what will serve: the same decoding, the
same interpreter, the same loading.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing
from dataclasses import asdict, dataclass
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from areyouacat.errors import CorruptModelError
from areyouacat.gates import decide
from areyouacat.lake import EVALUATION_JSON, EVALUATION_MARKDOWN, evaluation_prefix
from areyouacat.model_spec import MODEL_FILE, SCORES_FILE, SPEC_FILE, ModelSpec
from areyouacat.settings import EVALUATION, GATE
from lambdas.serving.dal.evaluation_store import EvaluationStore
from lambdas.serving.dal.model_store import ModelStore
from lambdas.serving.dal.photo_store import PhotoStore
from lambdas.serving.logic.evaluation import evaluate_for_gate, keras_scores
from lambdas.serving.logic.evaluation_report import Report, to_json, to_markdown
from lambdas.serving.logic.loaded_model import LoadedModel, ModelFiles, load_variant
from lambdas.serving.logic.sample import choose_sample
from lambdas.serving.logic.scoring import Photo, median_latency_ms, model_inputs, score
from lambdas.serving.logic.side_by_side import compare
from lambdas.shared import aws
from lambdas.shared.environment import load_environment
from lambdas.shared.model_files import unpack
from lambdas.shared.observability import logger
from lambdas.shared.serving_pointer_store import ServingPointerStore


@dataclass(frozen=True)
class EvaluateEnvironment:
    """The environment variables of this function."""

    lake_bucket: str


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:  # noqa: ARG001
    """Scores candidate and champion on one sample, decides, and writes down why.

    The answer is small, for the state machine; all details are in the lake under its
    `evaluation_prefix`.

    Raises:
        CorruptModelError: the archive or the model in it cannot be used.
        DatasetError: the data set's manifest cannot be read.
    """
    lake = load_environment(EvaluateEnvironment).lake_bucket
    s3 = aws.client("s3")
    store = EvaluationStore(s3, lake)
    files = unpack(store.archive(event["model_artifact"]), {MODEL_FILE, SPEC_FILE, SCORES_FILE})
    candidate = ModelFiles(tflite=files[MODEL_FILE], spec=files[SPEC_FILE])
    trial = LoadedModel(candidate)
    champion = _champion(ServingPointerStore(s3, lake), ModelStore(s3, lake))
    champion_spec = champion.spec if champion else None

    sample = choose_sample(
        store.manifest(event["dataset"]["version"]), trial.spec.mode, GATE.max_test_photos
    )
    photos = PhotoStore(s3, lake)
    latency_ms = _latency_ms(trial, photos.with_bytes(sample))
    scored = list(score(photos.with_bytes(sample), candidate, champion.files if champion else None))
    evaluation = evaluate_for_gate(
        scored, keras_scores(files[SCORES_FILE]), latency_ms, trial.spec, champion_spec
    )
    decision = decide(evaluation.gate_input)
    report = Report(
        candidate=trial.spec,
        champion=champion_spec,
        champion_version=champion.version if champion else None,
        decision=decision,
        metrics={**evaluation.metrics, "unscored_photos": len(sample) - len(scored)},
        comparisons=compare(scored, trial.spec, champion_spec),
    )
    prefix = evaluation_prefix(event["training"]["job_name"])
    store.write(f"{prefix}{EVALUATION_JSON}", to_json(report), "application/json")
    store.write(f"{prefix}{EVALUATION_MARKDOWN}", to_markdown(report), "text/markdown")
    logger.info("evaluated", passed=decision.passed, reason=decision.reason)
    return {
        "gate": {**asdict(decision), "rules": [asdict(rule) for rule in decision.rules]},
        "metrics": dict(report.metrics),
        "champion_version": report.champion_version,
        "mlflow_run_id": trial.spec.mlflow_run_id,
        "evaluation_prefix": prefix,
    }


@dataclass(frozen=True)
class _Champion:
    """The model that serves now: its files are known to load."""

    version: str
    files: ModelFiles
    spec: ModelSpec


def _latency_ms(candidate: LoadedModel, photos: Generator[Photo, None, None]) -> float:
    with closing(photos):  # so that nothing is read ahead any more while the clock runs
        inputs = model_inputs(photos, EVALUATION.latency_photos)
    if not inputs:
        raise CorruptModelError(
            "no photo to try the model on can be read: the data set has none in test, recent or "
            "validation that is still in the lake; seed photos and train again"
        )
    return median_latency_ms(candidate, inputs)


def _champion(pointers: ServingPointerStore, models: ModelStore) -> _Champion | None:
    """`None` if nothing serves, or if what does cannot be loaded any more."""
    stored = pointers.read()
    if stored is None:
        return None
    variant = stored.pointer.champion
    try:
        files = models.read(variant)
        return _Champion(variant.version, files, load_variant(variant, files).spec)
    except CorruptModelError as error:
        # A champion that is broken must not keep a good candidate from replacing it.
        logger.error("champion refused", model_version=variant.version, reason=str(error))
        return None
