"""A lake with a champion and some photos, and the batch workflow's functions on it."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass, replace
from typing import Any

import pyarrow.parquet
import pytest

from areyouacat import settings
from areyouacat.batches import rows_prefix
from lambdas.batch.dal import sources
from lambdas.batch.handlers import plan_batch, score_chunk, summarize_batch
from lambdas.batch.logic import planning
from tests.unit.lambdas.conftest import FakeContext
from tests.unit.lambdas.serving.conftest import LAKE, Lake, jpeg, tiny_files

PER_CHUNK = 4
SOURCE = f"s3://{LAKE}/in/"


@dataclass(frozen=True)
class Workflow:
    """Calls the functions as the state machine does."""

    s3: Any

    def plan(self, name: str = "run-1", **asked: Any) -> dict[str, Any]:
        """One call of PlanBatch."""
        event = {"request": asked or {"source": SOURCE}, "execution_name": name}
        answer: dict[str, Any] = plan_batch.handler(event, FakeContext())  # type: ignore[arg-type]
        return answer

    def score(self, batch_id: str, chunk: str) -> dict[str, Any]:
        """One child of the map."""
        event = {"batch_id": batch_id, "chunk": chunk}
        answer: dict[str, Any] = score_chunk.handler(event, FakeContext())  # type: ignore[arg-type]
        return answer

    def summarize(self, batch_id: str) -> dict[str, Any]:
        """SummarizeBatch."""
        event = {"batch_id": batch_id}
        answer: dict[str, Any] = summarize_batch.handler(event, FakeContext())  # type: ignore[arg-type]
        return answer

    def to_score(self, planned: dict[str, Any]) -> list[str]:
        """The chunks that the map would read."""
        body = self.s3.get_object(Bucket=LAKE, Key=planned["run_key"])["Body"].read()
        return [item["chunk"] for item in json.loads(body)]

    def run(self, name: str = "run-1", **asked: Any) -> dict[str, Any]:
        """All of it."""
        planned = self.plan(name, **asked)
        for chunk in self.to_score(planned):
            self.score(planned["batch_id"], chunk)
        return self.summarize(planned["batch_id"])

    def rows(self, batch_id: str = "run-1") -> list[dict[str, Any]]:
        """Every row, read by another library than the one that wrote it."""
        found: list[dict[str, Any]] = []
        for key in Lake(self.s3).keys(rows_prefix(batch_id)):
            data = self.s3.get_object(Bucket=LAKE, Key=key)["Body"].read()
            found += pyarrow.parquet.read_table(io.BytesIO(data)).to_pylist()
        return found


@pytest.fixture
def lake(s3: Any) -> Lake:
    return Lake(s3)


@pytest.fixture
def workflow(s3: Any, cloud: None, monkeypatch: pytest.MonkeyPatch) -> Workflow:
    """A champion, ten photos below `in/`, four in a chunk."""
    few = replace(settings.BATCH, photos_per_chunk=PER_CHUNK)
    for module in (planning, plan_batch, summarize_batch, sources):
        monkeypatch.setattr(module, "BATCH", few)
    monkeypatch.setenv("MAX_CONCURRENCY", "7")
    score_chunk._models.clear()
    lake = Lake(s3)
    lake.point(lake.stage("3", tiny_files()))
    for number in range(10):
        put(s3, f"in/{number}.jpg", jpeg(250 if number % 2 else 5))
    return Workflow(s3)


def put(s3: Any, key: str, data: bytes) -> None:
    s3.put_object(Bucket=LAKE, Key=key, Body=data)
