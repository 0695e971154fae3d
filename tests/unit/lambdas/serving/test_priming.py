from __future__ import annotations

import importlib
import io
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from lambdas.serving import handlers
from lambdas.serving.handlers import predict
from lambdas.shared import cold_start
from tests.unit.lambdas.serving.conftest import LAKE, Lake, tiny_files
from tests.unit.lambdas.serving.test_predict import metrics_of
from tests.unit.lambdas.snapshots import FakeRegistry


@pytest.fixture
def post(
    s3: Any,
    dynamodb: Any,
    cloud: None,
    registry: FakeRegistry,
    send: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[..., Any]:
    """Posts a photo to a predict function of the test's own, which found the registry."""
    monkeypatch.setattr(cold_start, "started", lambda: None)  # the collector is the whole process's
    monkeypatch.setattr(handlers, "predict", predict)  # both come back when the test is over
    monkeypatch.delitem(sys.modules, predict.__name__)
    fresh = importlib.import_module(predict.__name__)
    return partial(send, fresh.handler, "POST", "/predict", content_type="image/jpeg")


def forget_models(lake: Lake) -> None:
    for key in lake.keys("models/"):
        lake.s3.delete_object(Bucket=LAKE, Key=key)


def test_a_restored_function_has_its_model_in_memory(
    post: Callable[..., Any], registry: FakeRegistry, lake: Lake, bright: bytes
) -> None:
    lake.point(lake.stage("1", tiny_files()))
    registry.take()
    forget_models(lake)

    registry.restore()

    answer = post(bright)
    assert (answer.status, answer.body["model"]["version"]) == (200, "1")


def test_a_restored_function_follows_the_pointer_of_now(
    post: Callable[..., Any], registry: FakeRegistry, lake: Lake, bright: bytes
) -> None:
    lake.point(lake.stage("1", tiny_files()))
    registry.take()
    lake.point(lake.stage("2", tiny_files(inverted=True)))

    registry.restore()

    assert post(bright).body["model"]["version"] == "2"


def test_a_version_is_published_before_there_is_a_model(
    post: Callable[..., Any],
    registry: FakeRegistry,
    lake: Lake,
    bright: bytes,
    log: io.StringIO,
) -> None:
    registry.take()
    assert "primed without a model" in log.getvalue()
    lake.point(lake.stage("1", tiny_files()))

    registry.restore()

    assert post(bright).status == 200


def test_priming_leaves_nothing_in_lake_table_and_metrics(
    post: Callable[..., Any],
    registry: FakeRegistry,
    lake: Lake,
    dynamodb: Any,
    bright: bytes,
    capsys: pytest.CaptureFixture[str],
) -> None:
    lake.point(lake.stage("1", tiny_files()))

    registry.take()

    assert lake.keys("photos/") == []
    assert dynamodb.scan(TableName="predictions-of-the-test")["Count"] == 0
    assert "CloudWatchMetrics" not in capsys.readouterr().out
    registry.restore()
    post(bright)
    assert metrics_of(capsys)["ColdStarts"] == 1


def test_a_lake_that_cannot_be_read_does_not_keep_a_version_from_being_published(
    post: Callable[..., Any], registry: FakeRegistry, lake: Lake, s3: Any, log: io.StringIO
) -> None:
    lake.stage("1", tiny_files())
    s3.put_object(Bucket=LAKE, Key="serving/live.json", Body=b"no pointer")

    registry.take()

    assert "the snapshot is taken without it" in log.getvalue()
