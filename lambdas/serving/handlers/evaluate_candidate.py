"""Step of the train workflow: may this candidate be registered?

It is part of the serving bundle so that what is judged is what will serve: the same decoding, the
same interpreter, the same loading.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from areyouacat.errors import CorruptModelError
from areyouacat.gates import decide
from areyouacat.model_spec import MODEL_FILE, SCORES_FILE, SPEC_FILE
from areyouacat.settings import GATE
from lambdas.serving.dal.evaluation_store import EvaluationStore
from lambdas.serving.dal.model_store import ModelStore
from lambdas.serving.dal.photo_store import PhotoStore
from lambdas.serving.logic.evaluation import choose_sample, evaluate, score
from lambdas.serving.logic.loaded_model import LoadedModel, ModelFiles, load_variant
from lambdas.serving.logic.serving_models import Candidate
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
    """Scores candidate and champion on one sample and decides.

    Raises:
        CorruptModelError: the archive or the model in it cannot be used.
        DatasetError: the data set's manifest cannot be read.
    """
    lake = load_environment(EvaluateEnvironment).lake_bucket
    s3 = aws.client("s3")
    store = EvaluationStore(s3, lake)
    files = unpack(store.archive(event["model_artifact"]), {MODEL_FILE, SPEC_FILE, SCORES_FILE})
    candidate = LoadedModel(ModelFiles(tflite=files[MODEL_FILE], spec=files[SPEC_FILE]))
    champion = _champion(ServingPointerStore(s3, lake), ModelStore(s3, lake))

    sample = choose_sample(
        store.manifest(event["dataset"]["version"]), candidate.spec.mode, GATE.max_test_photos
    )
    bytes_of_photos = PhotoStore(s3, lake).get_many([entry.photo for entry in sample])
    photos = ((entry, data) for entry, (_, data) in zip(sample, bytes_of_photos, strict=True))
    scored = list(score(photos, candidate, champion.model if champion else None))
    evaluation = evaluate(
        scored,
        _keras_scores(files[SCORES_FILE]),
        candidate,
        champion.model if champion else None,
    )
    decision = decide(evaluation.gate_input)
    logger.info("evaluated", passed=decision.passed, reason=decision.reason)
    return {
        "gate": {**asdict(decision), "rules": [asdict(rule) for rule in decision.rules]},
        "metrics": {**evaluation.metrics, "unscored_photos": len(sample) - len(scored)},
        "champion_version": champion.variant.version if champion else None,
        "mlflow_run_id": candidate.spec.mlflow_run_id,
    }


def _champion(pointers: ServingPointerStore, models: ModelStore) -> Candidate | None:
    """The model that serves now; `None` if nothing does, or if it cannot be loaded any more."""
    stored = pointers.read()
    if stored is None:
        return None
    variant = stored.pointer.champion
    try:
        return Candidate(variant, load_variant(variant, models.read(variant)))
    except CorruptModelError as error:
        # A champion that is broken must not keep a good candidate from replacing it.
        logger.error("champion refused", model_version=variant.version, reason=str(error))
        return None


def _keras_scores(data: bytes) -> dict[str, float]:
    """The probability that training gave each photo it scored."""
    try:
        rows = [json.loads(line) for line in data.splitlines()]
        return {str(row["photo"]): float(row["probability"]) for row in rows}
    except (ValueError, KeyError, TypeError) as error:
        raise CorruptModelError(f"{SCORES_FILE} cannot be read: {error!r}") from error
