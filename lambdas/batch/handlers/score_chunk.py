"""A child of the batch workflow's Distributed Map: scores the photos of one chunk."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from areyouacat.serving_pointer import Variant
from lambdas.batch.dal.batch_store import BatchStore
from lambdas.batch.dal.sources import Photos
from lambdas.batch.logic.row_files import counts, failures, to_parquet
from lambdas.batch.logic.scoring import ModelCopies, rows
from lambdas.serving.dal.model_store import ModelStore
from lambdas.shared import aws
from lambdas.shared.environment import load_environment
from lambdas.shared.observability import logger


@dataclass(frozen=True)
class ScoreEnvironment:
    """The environment variables of this function."""

    lake_bucket: str


_models: dict[Variant, ModelCopies] = {}
"""The model of the last call: the next chunk is most likely of the same batch."""


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:  # noqa: ARG001
    """Scores `event["chunk"]` of the batch `event["batch_id"]`, unless its rows are there already.

    A photo that cannot be scored is a row that says why, never an error.

    Raises:
        InvalidBatchError: there is no such batch or chunk.
        CorruptModelError: the model's files are not those that were planned with.
        botocore.exceptions.ClientError: S3 does not answer; what is tried again finds no half.
    """
    lake = load_environment(ScoreEnvironment).lake_bucket
    s3, chunk = aws.client("s3"), str(event["chunk"])
    store = BatchStore(s3, lake, event["batch_id"])
    found = store.counts(chunk)
    if found is None:
        batch = store.require_batch()
        model = _loaded(batch.model, ModelStore(s3, lake))
        scored = list(rows(store.chunk(chunk), Photos(s3).read, model))
        found = counts(scored)
        store.put_rows(chunk, to_parquet(scored), failures(scored), found)
    logger.info("chunk", batch=event["batch_id"], chunk=chunk, failed=found.failed)
    return {"chunk": chunk, "scored": found.scored, "failed": found.failed}


def _loaded(variant: Variant, models: ModelStore) -> ModelCopies:
    if variant not in _models:
        loaded = ModelCopies(variant, models.read(variant), os.cpu_count() or 1)
        _models.clear()
        _models[variant] = loaded
    return _models[variant]
