"""Against MLflow itself, on a database in a temporary folder."""

import json
import socket
from pathlib import Path

import pytest
from mlflow import MlflowClient

from training_job.errors import TrackingError
from training_job.tracking import NoRun, UsedDataset, start_run


@pytest.fixture
def client(tmp_path: Path) -> MlflowClient:
    client = MlflowClient(f"sqlite:///{tmp_path}/mlflow.db")
    client.create_experiment("training", artifact_location=(tmp_path / "artifacts").as_uri())
    return client


def test_a_run_records_what_it_is_told(client: MlflowClient, tmp_path: Path) -> None:
    report = tmp_path / "report"
    report.mkdir()
    (report / "model_card.md").write_text("# card")

    run = start_run(client.tracking_uri, "training", "job-1", {"dataset_version": "abc"})
    run.parameters({"epochs": 3, "long": "x" * 10_000})
    run.tags({"mode": "trained"})
    run.metrics({"test_accuracy": 0.9})
    run.curve("train_loss", [10, 20, 25], [0.5, 0.4, 0.3])
    run.dataset(UsedDataset("photos", "0123456789abcdef", "s3://lake/datasets/1/", {"photos": 3}))
    run.artifacts(report)
    run.end("FINISHED")

    assert run.run_id is not None
    found = client.get_run(run.run_id)
    assert found.info.status == "FINISHED"
    assert found.info.run_name == "job-1"
    assert found.data.tags["dataset_version"] == "abc"
    assert found.data.tags["mode"] == "trained"
    assert found.data.params["epochs"] == "3"
    assert found.data.metrics["test_accuracy"] == 0.9
    curve = client.get_metric_history(run.run_id, "train_loss")
    assert [(point.step, point.value) for point in curve] == [(10, 0.5), (20, 0.4), (25, 0.3)]
    assert [file.path for file in client.list_artifacts(run.run_id)] == ["model_card.md"]
    (used,) = found.inputs.dataset_inputs
    assert (used.dataset.name, used.dataset.digest) == ("photos", "0123456789abcdef")
    assert json.loads(used.dataset.source) == {"uri": "s3://lake/datasets/1/"}
    assert json.loads(used.dataset.profile) == {"photos": 3}
    assert [(tag.key, tag.value) for tag in used.tags] == [("mlflow.data.context", "training")]


@pytest.mark.parametrize("status", ["FAILED", "KILLED"])
def test_a_run_ends_as_what_happened(client: MlflowClient, status: str) -> None:
    run = start_run(client.tracking_uri, "training", "", {})

    run.end(status)  # type: ignore[arg-type]

    assert run.run_id is not None
    assert client.get_run(run.run_id).info.status == status


def test_an_experiment_that_is_not_there_yet_is_made(client: MlflowClient) -> None:
    start_run(client.tracking_uri, "new one", "", {}).end("FINISHED")

    assert client.get_experiment_by_name("new one") is not None


def test_without_a_server_nothing_is_recorded() -> None:
    run = start_run("", "training", "job-1", {})

    assert isinstance(run, NoRun)
    assert run.run_id is None


def test_a_server_that_does_not_answer_is_an_error_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # bound but not listening: connections are refused
        port = unused.getsockname()[1]

        with pytest.raises(TrackingError, match="MLFLOW_TRACKING_URI"):
            start_run(f"http://127.0.0.1:{port}", "training", "", {})
