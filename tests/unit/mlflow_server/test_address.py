"""What MLflow's client is told of a server: a URL, or an ARN of SageMaker's."""

import logging
import os

import pytest
from mlflow.tracking.request_header.registry import resolve_request_headers

from areyouacat.mlflow_server import is_managed, page, prepare_client
from tests.unit.mlflow_server.managed import APP_ARN

URL = "http://127.0.0.1:5050"
SETTINGS = ("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "MLFLOW_HTTP_REQUEST_TIMEOUT", "MLFLOW_TRACKING_URI")


@pytest.fixture(autouse=True)
def _nothing_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in SETTINGS:
        monkeypatch.setenv(name, "")  # so that it is put back, whatever the test does
        monkeypatch.delenv(name)


def told() -> dict[str, str]:
    return {name: os.environ[name] for name in SETTINGS if name in os.environ}


def test_an_arn_is_where_sagemakers_plugin_looks_for_it() -> None:
    prepare_client(APP_ARN, retries=2, timeout_seconds=10)

    assert told() == {
        "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
        "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
        "MLFLOW_TRACKING_URI": APP_ARN,
    }


def test_a_url_leaves_the_shells_server_and_patience_as_they_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "7")

    prepare_client(URL, retries=2)

    assert told() == {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "7"}


def test_a_url_is_no_reason_to_warn_that_it_is_no_arn(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    logger = logging.getLogger(resolve_request_headers.__module__)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", URL)
    monkeypatch.setattr(logger, "handlers", [caplog.handler])
    logger.setLevel(logging.WARNING)
    resolve_request_headers()
    assert "list index out of range" in caplog.text
    caplog.clear()

    prepare_client(URL, retries=2)
    resolve_request_headers()

    assert caplog.text == ""


def test_a_browser_has_an_address_for_pages_of_a_url_alone() -> None:
    assert page(f"{URL}/", "experiments/1/runs/a") == f"{URL}/#/experiments/1/runs/a"
    assert page(APP_ARN, "experiments/1/runs/a") == ""
    assert (is_managed(APP_ARN), is_managed(URL)) == (True, False)
