"""The registry against a real MLflow server: what its client sends, the server must take."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from mlflow.tracking import MlflowClient

from areyouacat.errors import RegistryError
from areyouacat.lake import SERVING_POINTER_KEY
from areyouacat.serving_pointer import first_pointer
from lambdas.pipeline.dal.registry import MlflowRegistry
from lambdas.pipeline.handlers import move_alias, record_outcome, register_model
from tests.unit.lambdas.pipeline.factories import NOON, model_archive
from tests.unit.lambdas.pipeline.moto_cloud import Cloud
from tests.unit.lambdas.pipeline.pointers import variant

_PATIENCE_SECONDS = 180
# Background jobs (scorers, optimisers) double the time the server takes to start.
_SERVER_ENVIRONMENT = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
}
MODEL = "are-you-a-cat"
EXPERIMENT = "killed jobs"
ARTIFACT = "training/areyouacat-job-1/output/model.tar.gz"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/health", timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


@pytest.fixture(scope="module")
def mlflow_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder: Path = tmp_path_factory.mktemp("mlflow")
    port = _free_port()
    address = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1"]
    command += ["--port", str(port), "--workers", "1"]
    command += ["--backend-store-uri", f"sqlite:///{folder}/mlflow.db"]
    command += ["--artifacts-destination", str(folder / "artifacts")]
    log = folder / "server.log"
    with log.open("wb") as output:
        server = subprocess.Popen(
            command,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env={**os.environ, **_SERVER_ENVIRONMENT},
        )
    try:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while not _answers(address):
            if server.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"the MLflow server did not start:\n{log.read_text()}")
            time.sleep(0.1)
        yield address
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(timeout=30)


@pytest.fixture(autouse=True)
def _tracking_uri(mlflow_server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", mlflow_server)
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", EXPERIMENT)


@pytest.fixture
def client(mlflow_server: str) -> Any:
    return MlflowClient(tracking_uri=mlflow_server, registry_uri=mlflow_server)


@pytest.fixture
def registry(mlflow_server: str) -> MlflowRegistry:
    return MlflowRegistry(mlflow_server)


@pytest.fixture
def run_id(client: Any, request: pytest.FixtureRequest) -> str:
    experiment = client.create_experiment(request.node.name)
    return str(client.create_run(experiment).info.run_id)


def test_the_first_version_creates_the_model_and_later_ones_count_on(
    registry: MlflowRegistry, run_id: str
) -> None:
    first = registry.create_version("counted", "s3://lake/a", run_id, {})
    second = registry.create_version("counted", "s3://lake/b", None, {})

    assert (first, second) == ("1", "2")


def test_a_version_is_found_by_its_tag(registry: MlflowRegistry) -> None:
    arn = "arn:aws:sagemaker:eu-west-1:123456789012:training-job/areyouacat-x"
    assert registry.find_version("tagged", "training_job_arn", arn) is None

    version = registry.create_version("tagged", "s3://lake/a", None, {"training_job_arn": arn})
    registry.create_version("tagged", "s3://lake/b", None, {"training_job_arn": f"{arn}-2"})

    assert registry.find_version("tagged", "training_job_arn", arn) == version


def test_aliases_are_set_read_and_deleted(registry: MlflowRegistry) -> None:
    version = registry.create_version("aliased", "s3://lake/a", None, {})
    assert registry.version_of("aliased", "champion") is None

    registry.set_alias("aliased", "champion", version)
    assert registry.version_of("aliased", "champion") == version

    registry.delete_alias("aliased", "champion")
    registry.delete_alias("aliased", "champion")
    assert registry.version_of("aliased", "champion") is None


def test_an_alias_of_no_version_is_refused_by_name(registry: MlflowRegistry) -> None:
    registry.create_version("strict", "s3://lake/a", None, {})

    with pytest.raises(RegistryError, match=r"failed to set the alias champion.*version=99"):
        registry.set_alias("strict", "champion", "99")


def test_a_server_that_is_away_is_a_registry_error_that_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    address = f"http://127.0.0.1:{_free_port()}"

    with pytest.raises(RegistryError, match=f"MLflow at {address}.*start it"):
        MlflowRegistry(address).version_of(MODEL, "champion")


EVALUATION_PREFIX = "training/areyouacat-job-1/evaluation/"


def evaluation(run_id: str, *, passed: bool) -> dict[str, Any]:
    """What EvaluateCandidate answers; its files are in the lake."""
    rule = {"name": "accuracy", "value": 0.8, "limit": 0.9, "shortfall": 0.1, "detail": "..."}
    return {
        "gate": {
            "passed": passed,
            "applicable": True,
            "rules": [{**rule, "passed": passed}],
            "reason": "all passed" if passed else "accuracy is low",
        },
        "metrics": {"test_accuracy": 0.8, "scored_photos": 100},
        "champion_version": None,
        "mlflow_run_id": run_id,
        "evaluation_prefix": EVALUATION_PREFIX,
    }


def put_evaluation(cloud: Cloud) -> None:
    for name, text in (("evaluation.json", b"{}"), ("evaluation.md", b"# Test | recent")):
        cloud.s3.put_object(Bucket="lake", Key=f"{EVALUATION_PREFIX}{name}", Body=text)


def artifact(client: Any, run_id: str, path: str) -> bytes:
    with TemporaryDirectory() as folder:
        return Path(client.download_artifacts(run_id, path, folder)).read_bytes()


def test_a_rejected_run_carries_reason_rules_and_comparison(
    client: Any, run_id: str, cloud: Cloud, context: Any
) -> None:
    put_evaluation(cloud)
    client.set_terminated(run_id)
    event = {
        "mlflow_run_id": run_id,
        "outcome": "rejected",
        "reason": "accuracy is low",
        "evaluation": evaluation(run_id, passed=False),
    }

    record_outcome.handler(event, context)
    record_outcome.handler(event, context)

    run = client.get_run(run_id)
    assert run.info.status == "FINISHED"
    assert (run.data.tags["outcome"], run.data.tags["gate_failed_rules"]) == (
        "rejected",
        "accuracy",
    )
    assert run.data.metrics["gate_test_accuracy"] == 0.8
    assert run.data.metrics["gate_rule_accuracy_shortfall"] == 0.1
    assert artifact(client, run_id, "evaluation/evaluation.md") == b"# Test | recent"


def test_a_run_that_mlflow_does_not_know_is_a_registry_error(registry: MlflowRegistry) -> None:
    with pytest.raises(RegistryError, match="failed to store artifacts"):
        registry.log_files("0" * 32, "evaluation", {"evaluation.md": b""})
    with pytest.raises(RegistryError, match="failed to log metrics"):
        registry.log_metrics("0" * 32, {"gate_passed": 1.0})


@pytest.mark.usefixtures("cloud")
def test_the_run_of_a_killed_job_is_found_by_the_jobs_name_and_closed(
    client: MlflowClient, context: Any
) -> None:
    experiment = client.create_experiment(EXPERIMENT)
    killed, other = (
        client.create_run(experiment, tags={"training_job_name": name}).info.run_id
        for name in ("areyouacat-killed", "areyouacat-other")
    )
    event = {"outcome": "failed", "reason": "SIGKILL", "training_job_name": "areyouacat-killed"}

    assert record_outcome.handler(event, context) == {"recorded": True}

    found = client.get_run(killed)
    assert (found.info.status, found.data.tags["outcome_reason"]) == ("FAILED", "SIGKILL")
    assert client.get_run(other).info.status == "RUNNING"
    unknown = {**event, "training_job_name": "areyouacat-never-ran"}
    assert record_outcome.handler(unknown, context) == {"recorded": False}


def test_an_outcome_is_recorded_however_long_the_reason(
    client: Any,
    run_id: str,
    cloud: Cloud,
    context: Any,
) -> None:
    event = {"mlflow_run_id": run_id, "outcome": "rejected", "reason": "worse " * 5000}

    assert record_outcome.handler(event, context) == {"recorded": True}

    tags = client.get_run(run_id).data.tags
    assert tags["outcome"] == "rejected"
    assert tags["outcome_reason"].startswith("worse worse")


def test_a_candidate_is_registered_once_and_becomes_champion(
    client: Any,
    registry: MlflowRegistry,
    run_id: str,
    cloud: Cloud,
    context: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CODE_REVISION", "abc123")
    put_evaluation(cloud)
    cloud.s3.put_object(Bucket="lake", Key=ARTIFACT, Body=model_archive())
    event = {
        "model_artifact": f"s3://lake/{ARTIFACT}",
        "dataset": {"version": "0123456789abcdef", "manifest_sha256": "c" * 64, "counts": {}},
        "training": {"job_name": "areyouacat-job-1", "job_arn": "arn:job-1"},
        "evaluation": evaluation(run_id, passed=True),
        "execution_arn": "arn:execution",
    }

    first = register_model.handler(event, context)
    second = register_model.handler(event, context)
    pointer = first_pointer(variant("1"), by="arn:deploy", reason="first", at=NOON)
    cloud.s3.put_object(Bucket="lake", Key=SERVING_POINTER_KEY, Body=pointer.to_json())
    result = {
        "outcome": "promoted",
        "previous_version": None,
        "moved_version": "1",
        "reasons": ["r"],
    }
    moved = move_alias.handler({"deployed": {"result": result}}, context)

    assert first == second == {"version": "1", "model_name": MODEL, "model_prefix": "models/1/"}
    assert moved == {"moved": True, "aliases": ["champion", "challenger"], "champion": "1"}
    run = client.get_run(run_id)
    assert (run.data.tags["outcome"], run.data.metrics["gate_passed"]) == ("registered", 1.0)
    assert artifact(client, run_id, "evaluation/evaluation.json") == b"{}"
    version = client.get_model_version(MODEL, "1")
    assert version.aliases == ["champion"]
    assert version.run_id == run_id
    assert version.tags["code_revision"] == "abc123"
    assert version.tags["promoted_by"] == "arn:deploy"
    assert registry.tags_of(MODEL, "1")["deployment_state"] == "promoted"
    assert registry.run_of(MODEL, "1") == run_id
    assert cloud.s3.head_object(Bucket="lake", Key="models/1/model.tflite")["ContentLength"] > 0
