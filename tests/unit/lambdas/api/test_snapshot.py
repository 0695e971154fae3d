from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from areyouacat.lake import SERVING_POINTER_KEY
from lambdas.api import handlers
from lambdas.api.handlers import api
from tests.unit.lambdas.conftest import LAKE
from tests.unit.lambdas.serving.conftest import Lake, tiny_files
from tests.unit.lambdas.snapshots import FakeRegistry


@pytest.fixture
def request_(
    s3: Any,
    dynamodb: Any,
    registry: FakeRegistry,
    send: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[..., Any]:
    """Sends a request to an api function of the test's own, which found the registry."""
    monkeypatch.setattr(handlers, "api", api)  # both come back when the test is over
    monkeypatch.delitem(sys.modules, api.__name__)
    return partial(send, importlib.import_module(api.__name__).handler)


def test_a_restored_function_knows_the_model_and_follows_the_pointer_of_now(
    request_: Callable[..., Any], registry: FakeRegistry, s3: Any
) -> None:
    lake = Lake(s3)
    served = lake.stage("1", tiny_files())
    lake.point(served)
    registry.take()
    s3.delete_object(Bucket=LAKE, Key=served.model_json_key)

    registry.restore()
    assert request_("GET", "/model").status == 200

    s3.delete_object(Bucket=LAKE, Key=SERVING_POINTER_KEY)
    assert request_("GET", "/model").status == 503


def test_a_version_is_published_before_there_is_a_model(
    request_: Callable[..., Any], registry: FakeRegistry
) -> None:
    registry.take()
    registry.restore()

    assert request_("GET", "/health").status == 200
