"""Against MLflow itself, on a database in a temporary folder."""

from dataclasses import replace
from pathlib import Path

import pytest
from mlflow import MlflowClient

from tests.unit.training_job.drift_report.made_samples import TOLD
from training_job.drift_report.environment import ReportEnvironment
from training_job.drift_report.record import log_report, open_run


@pytest.fixture
def client(tmp_path: Path) -> MlflowClient:
    client = MlflowClient(f"sqlite:///{tmp_path}/mlflow.db")
    client.create_experiment("cats", artifact_location=(tmp_path / "artifacts").as_uri())
    return client


@pytest.fixture
def told(client: MlflowClient) -> ReportEnvironment:
    return replace(TOLD, mlflow_tracking_uri=client.tracking_uri, mlflow_experiment_name="cats")


@pytest.fixture
def output(tmp_path: Path) -> Path:
    folder = tmp_path / "output"
    folder.mkdir()
    for name in ("report.html", "report.json"):
        (folder / name).write_text(name)
    return folder


def test_a_report_is_a_run_with_its_files_and_its_way_back_to_the_lake(
    client: MlflowClient, told: ReportEnvironment, output: Path
) -> None:
    run = open_run(told)
    log_report(run, {"psi_size": 0.3}, output)

    assert run.run_id is not None
    found = client.get_run(run.run_id)
    assert found.info.status == "FINISHED"
    assert found.info.run_name == f"drift report {TOLD.window_end}"
    assert found.data.metrics == {"psi_size": 0.3}
    assert found.data.tags["model_version"] == "3"
    assert found.data.tags["report_uri"] == TOLD.report_uri
    assert found.data.tags["execution_arn"] == TOLD.execution_arn
    files = [file.path for file in client.list_artifacts(run.run_id)]
    assert files == ["report.html", "report.json"]


def test_a_second_try_goes_on_with_the_run_of_the_first(
    client: MlflowClient, told: ReportEnvironment, output: Path
) -> None:
    first = open_run(told)
    log_report(first, {}, output)

    second = open_run(told)

    assert second.run_id == first.run_id
    assert client.get_run(str(second.run_id)).info.status == "RUNNING"
    assert open_run(replace(told, job_name="another")).run_id != first.run_id


def test_an_experiment_that_is_missing_is_made(
    client: MlflowClient, told: ReportEnvironment
) -> None:
    open_run(replace(told, mlflow_experiment_name="new"))

    assert client.get_experiment_by_name("new") is not None
