"""First step of the batch workflow: which photos, by which model, in which chunks."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from areyouacat.batches import ROLE, Batch, Question, read_question, results_prefix
from areyouacat.errors import InvalidBatchError, ModelNotFoundError
from areyouacat.lake import model_prefix, sha256_hex, utc_text
from areyouacat.model_spec import MODEL_FILE, SPEC_FILE
from areyouacat.serving_pointer import Variant
from areyouacat.settings import BATCH, MODEL_NAME
from lambdas.batch.dal.batch_store import BatchStore
from lambdas.batch.dal.sources import source_of
from lambdas.batch.logic.planning import plan
from lambdas.batch.logic.summary import missing
from lambdas.serving.dal.version_store import VersionStore
from lambdas.shared import aws
from lambdas.shared.environment import load_environment
from lambdas.shared.model_files import verified_spec
from lambdas.shared.observability import logger
from lambdas.shared.serving_pointer_store import ServingPointerStore


@dataclass(frozen=True)
class PlanEnvironment:
    """The environment variables of this function."""

    lake_bucket: str
    max_concurrency: str


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:  # noqa: ARG001
    """Plans until the plan is whole or the time is up; then `planned` is False: call it again.

    `event`: `{"request": the execution's input, "execution_name": ...}`. A plan that is whole is
    never made anew; `chunks_to_score` are those that have no rows yet.

    Raises:
        InvalidBatchError: the input cannot be meant so, or the id stands for another batch.
        EmptyBatchError: no photo is there.
        ModelNotFoundError, CorruptModelError: no such model, or not whole.
        StalePointerError: another execution plans the same batch; try again.
    """
    environment = load_environment(PlanEnvironment)
    s3, lake = aws.client("s3"), environment.lake_bucket
    question = read_question(event["request"], event["execution_name"])
    store = BatchStore(s3, lake, question.batch_id)
    batch = store.batch() or store.begin(_batch(question, s3, lake))
    batch.refuse_another(question)

    deadline = time.monotonic() + BATCH.planning_seconds
    progress = plan(
        source_of(s3, batch), store, store.progress(), lambda: time.monotonic() > deadline
    )
    to_score = missing(progress, store.done()) if progress.whole else []
    key = store.put_run(event["execution_name"], to_score)
    logger.info("planned", batch=batch.batch_id, photos=progress.photos, whole=progress.whole)
    return {
        "batch_id": batch.batch_id,
        "planned": progress.whole,
        "photos": progress.photos,
        "chunks": progress.chunks,
        "anything_to_score": bool(to_score),
        "chunks_to_score": len(to_score),
        "run_key": key,
        "results_prefix": results_prefix(batch.batch_id),
        "max_concurrency": int(environment.max_concurrency),
        "model_version": batch.model.version,
    }


def _batch(question: Question, s3: Any, lake: str) -> Batch:
    if question.where is None:
        raise InvalidBatchError(
            f"There is no batch {question.batch_id}. Give a source or a manifest to begin one."
        )
    model = _model(question.model_version, s3, lake)
    now = utc_text(datetime.now(UTC))
    return Batch(question.batch_id, question.where, question.manifest, model, now)


def _model(version: str | None, s3: Any, lake: str) -> Variant:
    """The champion of now, or a registered version, verified."""
    if version is None:
        stored = ServingPointerStore(s3, lake).read()
        if stored is None:
            raise ModelNotFoundError("Nothing serves yet: train and deploy first (make train).")
        return replace(stored.pointer.champion, role=ROLE, weight=0.0)
    tflite, spec = VersionStore(s3, lake).model(version)
    if tflite is None or spec is None:
        raise ModelNotFoundError(f"The lake has no model version {version}, or not all of it.")
    found = verified_spec(spec, tflite, f"Model version {version}")
    prefix = model_prefix(version)
    return Variant(
        role=ROLE,
        name=MODEL_NAME,
        version=version,
        weight=0.0,
        key=f"{prefix}{MODEL_FILE}",
        sha256=found.tflite.sha256,
        model_json_key=f"{prefix}{SPEC_FILE}",
        model_json_sha256=sha256_hex(spec),
    )
