"""Last step of the batch workflow: what became of all photos, and whether a chunk is missing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from areyouacat.batches import rows_prefix
from areyouacat.settings import BATCH
from lambdas.batch.dal.batch_store import BatchStore
from lambdas.batch.logic.summary import summarize
from lambdas.shared import aws
from lambdas.shared.environment import load_environment
from lambdas.shared.observability import logger


@dataclass(frozen=True)
class SummarizeEnvironment:
    """The environment variables of this function."""

    lake_bucket: str


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:  # noqa: ARG001
    """Counts the rows of the batch `event["batch_id"]` and writes its `summary.json`.

    `complete` is False while a chunk has no rows: some child of the map failed for good.

    Raises:
        InvalidBatchError: there is no such batch.
    """
    lake = load_environment(SummarizeEnvironment).lake_bucket
    store = BatchStore(aws.client("s3"), lake, event["batch_id"])
    summary = summarize(store.require_batch(), store.progress(), store.all_counts())
    found = summary.to_dict()
    named = store.some_failures(BATCH.failures_named)
    key = store.put_summary({**found, "missing": summary.missing, "some_failures": named})
    logger.info("summarized", **found)
    return {
        **found,
        "complete": not summary.missing,
        "rows_uri": f"s3://{lake}/{rows_prefix(event['batch_id'])}",
        "summary_key": key,
    }
