"""Where lineage is read: a real MLflow store in a file, moto's S3, botocore's stubs."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from mlflow import MlflowClient

from areyouacat.errors import RegistryError
from tests.unit.training_job.moto_lake import BUCKET, moto_lake
from training_job.lineage_sources import Objects, Registry, Workflows

MODEL = "are-you-a-cat"
AT = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> str:
    return f"sqlite:///{tmp_path_factory.mktemp('mlflow') / 'mlflow.db'}"


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Any]:
    with moto_lake(monkeypatch, tmp_path) as client:
        yield client


def test_versions_come_with_tags_aliases_and_runs_whatever_became_of_the_run(store: str) -> None:
    client = MlflowClient(store, store)
    client.create_registered_model(MODEL)
    run = client.create_run(client.create_experiment("cats")).info.run_id
    client.log_param(run, "epochs", 40)
    client.log_metric(run, "test_accuracy", 0.75)
    for number in range(11):
        client.create_model_version(MODEL, f"s3://lake/{number}", run, {"number": str(number)})
    client.set_registered_model_alias(MODEL, "champion", "11")
    registry = Registry(store, MODEL)

    versions = registry.versions()
    found = registry.run(run)
    client.delete_run(run)

    assert [version.version for version in versions] == [str(number) for number in range(1, 12)]
    assert versions[-1].aliases == ("champion",)
    assert versions[-1].tags == {"number": "10"}
    assert versions[-1].run_id == run
    assert found.parameters == {"epochs": "40"}
    assert found.metrics == {"test_accuracy": 0.75}
    assert found.url.endswith(f"/runs/{run}")
    assert registry.run(run).problem == "the run was deleted"
    assert registry.version("12") is None


def test_a_run_that_never_was_has_a_problem(store: str) -> None:
    assert "no-such-run" in Registry(store, MODEL).run("no-such-run").problem


@pytest.mark.parametrize("uri", ["", "http://127.0.0.1:9"])
def test_a_registry_that_does_not_answer_is_one_error(
    monkeypatch: pytest.MonkeyPatch, uri: str
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")

    with pytest.raises(RegistryError):
        Registry(uri, MODEL).versions()
    assert Registry(uri, MODEL).run("x").problem


def test_objects_that_are_not_there_are_none_and_folders_come_sorted(s3: Any) -> None:
    for key in (
        "datasets/b/manifest.jsonl",
        "datasets/a/summary.json",
        "datasets/a/manifest.jsonl",
    ):
        s3.put_object(Bucket=BUCKET, Key=key, Body=key.encode())
    lake = Objects(s3, BUCKET)

    assert lake.folders("datasets/") == ["a", "b"]
    assert lake.read("datasets/b/manifest.jsonl") == b"datasets/b/manifest.jsonl"
    assert lake.read("datasets/c/manifest.jsonl") is None


def test_jobs_and_executions_are_described_or_have_a_problem() -> None:
    sagemaker: Any = boto3.client("sagemaker", region_name="eu-west-1")
    stepfunctions: Any = boto3.client("stepfunctions", region_name="eu-west-1")
    arn = "arn:aws:sagemaker:eu-west-1:123456789012:training-job/areyouacat-1"
    execution = "arn:aws:states:eu-west-1:123456789012:execution:train:one"
    with Stubber(sagemaker) as jobs, Stubber(stepfunctions) as executions:
        jobs.add_response(
            "describe_training_job",
            {
                "TrainingJobName": "areyouacat-1",
                "TrainingJobArn": arn,
                "TrainingJobStatus": "Failed",
                "SecondaryStatus": "Failed",
                "FailureReason": "TrainingDataError: no photos",
                "ModelArtifacts": {"S3ModelArtifacts": ""},
                "AlgorithmSpecification": {"TrainingImage": "image", "TrainingInputMode": "File"},
                "ResourceConfig": {"VolumeSizeInGB": 30},
                "StoppingCondition": {},
                "CreationTime": AT,
                "HyperParameters": {"mode": "trained"},
            },
            {"TrainingJobName": "areyouacat-1"},
        )
        jobs.add_client_error("describe_training_job", "ValidationException", "not found")
        executions.add_response(
            "describe_execution",
            {
                "executionArn": execution,
                "stateMachineArn": "arn:aws:states:eu-west-1:123456789012:stateMachine:train",
                "status": "RUNNING",
                "startDate": AT,
            },
            {"executionArn": execution},
        )
        executions.add_client_error("describe_execution", "ExecutionDoesNotExist", "gone")
        workflows = Workflows(sagemaker, stepfunctions)

        job = workflows.job("areyouacat-1")
        assert (job.arn, job.status, job.image) == (arn, "Failed", "image")
        assert job.failure_reason == "TrainingDataError: no photos"
        assert job.created_at == AT
        assert "not found" in workflows.job("areyouacat-2").problem
        assert workflows.execution(execution).status == "RUNNING"
        assert "gone" in workflows.execution(execution).problem
