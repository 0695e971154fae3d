"""Launching a training job by hand: the request of the deployed workflow, followed to its end."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from areyouacat import lake
from local_cloud.sagemaker.requests.shapes import validate
from tests.unit.training_job.moto_lake import BUCKET, moto_lake
from training_job.errors import HyperparameterError
from training_job.launch import JobStatus, SdkJob, follow_job, main, newest_dataset
from training_job.launch_request import (
    DatasetVersion,
    LaunchError,
    given_hyperparameters,
    training_request,
)

ASL = Path(__file__).parents[3] / "statemachine" / "train.asl.json"
SUBSTITUTIONS = {
    "LakeBucket": BUCKET,
    "TrainingImageUri": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/cats:latest",
    "TrainingRoleArn": "arn:aws:iam::123456789012:role/train",
    "TrainingInstanceType": "ml.m5.xlarge",
    "TrainingVolumeGb": "30",
    "TrainingMaxSeconds": "10800",
    "TrainingSpotMaxSeconds": "12600",
    "TrainingCapacity": "on_demand",
    "MlflowTrackingUri": "http://mlflow",
    "MlflowExperimentName": "cats",
    "CodeRevision": "c0de",
}
DATASET = DatasetVersion(
    "v1", "trained", f"s3://{BUCKET}/datasets/v1/", f"s3://{BUCKET}/datasets/v1/channel.manifest"
)
A, B = ("a" * 64, "b" * 64)


def definition(**changed: str) -> str:
    """The train workflow as it is deployed."""
    given = SUBSTITUTIONS | changed
    return re.sub(r"\$\{(\w+)\}", lambda name: given.get(name[1], name[0]), ASL.read_text())


def test_the_request_is_the_one_that_the_deployed_workflow_would_make() -> None:
    request = training_request(definition(), "areyouacat-1", DATASET, {"epochs": "20"})

    validate("CreateTrainingJob", request)
    assert request["TrainingJobName"] == "areyouacat-1"
    assert request["AlgorithmSpecification"]["TrainingImage"] == SUBSTITUTIONS["TrainingImageUri"]
    assert request["RoleArn"] == SUBSTITUTIONS["TrainingRoleArn"]
    assert request["ResourceConfig"] == {
        "InstanceType": "ml.m5.xlarge",
        "InstanceCount": 1,
        "VolumeSizeInGB": 30,
    }
    assert request["StoppingCondition"] == {"MaxRuntimeInSeconds": 10800}
    assert request["EnableManagedSpotTraining"] is False
    channels = {
        channel["ChannelName"]: channel["DataSource"]["S3DataSource"]["S3Uri"]
        for channel in request["InputDataConfig"]
    }
    assert channels == {
        "dataset": DATASET.dataset_s3_uri,
        "photos": DATASET.channel_manifest_s3_uri,
    }
    assert request["Environment"]["DATASET_VERSION"] == "v1"
    assert request["Environment"]["EXECUTION_ARN"] == ""
    assert request["HyperParameters"]["mode"] == "trained"
    assert request["HyperParameters"]["epochs"] == "20"


def test_the_request_buys_spot_capacity_where_the_deployment_does() -> None:
    spot = definition(TrainingCapacity="spot")

    request = training_request(spot, "areyouacat-1", DATASET, {})

    validate("CreateTrainingJob", request)
    assert request["EnableManagedSpotTraining"] is True
    assert request["StoppingCondition"] == {
        "MaxRuntimeInSeconds": 10800,
        "MaxWaitTimeInSeconds": 12600,
    }


def test_hyperparameters_that_are_given_go_before_the_workflow_s() -> None:
    request = training_request(definition(), "areyouacat-1", DATASET, {"mode": "bootstrap"})

    assert request["HyperParameters"]["mode"] == "bootstrap"


def test_hyperparameters_that_the_job_would_refuse_are_refused_before_it_starts() -> None:
    with pytest.raises(HyperparameterError, match="unknown hyperparameters: epoch"):
        training_request(definition(), "areyouacat-1", DATASET, {"epoch": "20"})


@pytest.mark.parametrize("broken", ["", "[]", '{"States": {}}'])
def test_a_workflow_without_a_training_names_the_remedy(broken: str) -> None:
    with pytest.raises(LaunchError, match="make up"):
        training_request(broken, "areyouacat-1", DATASET, {})


@pytest.mark.parametrize("path", ["$.evaluation.version", "$", "States.UUID()"])
def test_what_only_an_execution_knows_is_refused(path: str) -> None:
    states = {
        "ChooseCapacity": {"Parameters": {}},
        "TrainModel": {"Parameters": {"TrainingJobName.$": path}},
    }
    asl = json.dumps({"States": states})

    with pytest.raises(LaunchError, match="make train"):
        training_request(asl, "areyouacat-1", DATASET, {})


@pytest.mark.parametrize("word", ["epochs", "=3", ""])
def test_a_word_that_is_no_pair_is_refused(word: str) -> None:
    with pytest.raises(LaunchError, match="name=value"):
        given_hyperparameters(["l2=0.1", word])


@dataclass
class FakeJob:
    """A job that goes through some statuses, one a look."""

    statuses: list[JobStatus] = field(
        default_factory=lambda: [
            JobStatus("InProgress", "Starting"),
            JobStatus("InProgress", "Training"),
            JobStatus("InProgress", "Training"),
            JobStatus("Completed", "Completed", model_artifacts="s3://lake/training/model.tar.gz"),
        ]
    )
    request: dict[str, Any] = field(default_factory=dict)

    def create(self, request: dict[str, Any]) -> None:
        self.request = request

    def status(self) -> JobStatus:
        return self.statuses.pop(0)


def test_each_status_is_told_once_with_the_log_between() -> None:
    log = iter([[], ["loss 1"], [f"line {number}" for number in range(25)], ["bye"]])
    said: list[str] = []

    ended = follow_job(FakeJob(), lambda: next(log), said.append, lambda: None)

    assert ended.status == "Completed"
    assert said[:4] == ["Starting", "Training", "    | loss 1", "    | … 5 lines"]
    assert said[-3:] == ["    | line 24", "Completed", "    | bye"]


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Any]:
    """A lake with two data set versions, the second one newer, and the train workflow."""
    with moto_lake(monkeypatch, tmp_path) as s3:
        stepfunctions: Any = boto3.client("stepfunctions")
        machine = stepfunctions.create_state_machine(
            name="train", definition=definition(), roleArn="arn:aws:iam::123456789012:role/states"
        )["stateMachineArn"]
        state = tmp_path / "state"
        state.mkdir()
        (state / "endpoints.json").write_text(json.dumps({"state_machines": {"train": machine}}))
        monkeypatch.setenv("LOCAL_STATE_DIR", str(state))
        yield s3


def put_dataset(s3: Any, version: str, photo: str) -> None:
    prefix = lake.dataset_prefix(version)
    channel = [{"prefix": f"s3://{BUCKET}/"}, lake.photo_key(photo)]
    s3.put_object(Bucket=BUCKET, Key=f"{prefix}channel.manifest", Body=json.dumps(channel).encode())
    s3.put_object(Bucket=BUCKET, Key=f"{prefix}summary.json", Body=b'{"mode": "bootstrap"}')


def test_the_named_data_set_version_is_trained_on_under_a_name_that_the_policies_allow(
    cloud: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    put_dataset(cloud, "v1", A)
    put_dataset(cloud, "v2", B)
    names = set()
    for _ in range(2):
        job = FakeJob()
        job.statuses = job.statuses[-1:]

        assert main(["--dataset-version", "v1", "l2=0.01"], job) == 0

        names.add(job.request["TrainingJobName"])
        validate("CreateTrainingJob", job.request)
        assert job.request["Environment"]["DATASET_VERSION"] == "v1"
        assert job.request["HyperParameters"] == {"mode": "bootstrap", "l2": "0.01"}
    assert len(names) == 2
    assert all(name.startswith("areyouacat-launch-") for name in names)
    said = capsys.readouterr().out
    assert "s3://lake/training/model.tar.gz" in said
    assert "Nothing was registered" in said


def test_without_a_version_the_one_that_was_snapshot_last_is_taken() -> None:
    s3: Any = boto3.client("s3", region_name="eu-west-1")
    written = [("zz", 2025), ("aa", 2026), ("mm", 2024)]
    listed = [
        {
            "Key": f"datasets/{version}/{file}",
            "LastModified": datetime(year if file == "summary.json" else 2030, 1, 1, tzinfo=UTC),
        }
        for version, year in written
        for file in ("manifest.jsonl", "summary.json")
    ]
    with Stubber(s3) as stub:
        stub.add_response("list_objects_v2", {"Contents": listed, "IsTruncated": False})

        assert newest_dataset(s3, BUCKET) == "aa"


def test_a_job_that_fails_ends_with_its_reason(
    cloud: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    put_dataset(cloud, "v1", A)
    failed = JobStatus("Failed", "Failed", failure_reason="TrainingDataError: no photos")

    assert main([], FakeJob([failed])) == 1
    assert "Failed: TrainingDataError: no photos" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--dataset-version", "nope"], "no data set version nope"),
        (["epoch=3"], "unknown hyperparameters: epoch"),
        (["epochs=many"], "hyperparameter epochs has the value 'many'"),
        (["epochs"], "write name=value"),
    ],
)
def test_what_cannot_be_trained_is_refused_before_anything_starts(
    cloud: Any, capsys: pytest.CaptureFixture[str], arguments: list[str], expected: str
) -> None:
    put_dataset(cloud, "v1", A)
    job = FakeJob()

    assert main(arguments, job) == 2

    assert expected in capsys.readouterr().err
    assert job.request == {}


def test_a_lake_without_data_sets_names_the_remedy(
    cloud: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([], FakeJob()) == 2
    assert "make train" in capsys.readouterr().err


def test_a_data_set_that_needs_an_erased_photo_is_refused(
    cloud: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    put_dataset(cloud, "v1", A)
    cloud.put_object(Bucket=BUCKET, Key=lake.tombstone_key(A), Body=b"")
    cloud.put_object(Bucket=BUCKET, Key=lake.tombstone_key(B), Body=b"")

    assert main([], FakeJob()) == 2
    assert "needs 1 photos that were erased" in capsys.readouterr().err


def test_stopping_to_watch_says_how_to_find_the_job_again(
    cloud: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    class Interrupted(FakeJob):
        def status(self) -> JobStatus:
            raise KeyboardInterrupt

    put_dataset(cloud, "v1", A)

    assert main([], Interrupted()) == 130
    assert "make lineage JOB=areyouacat-launch-" in capsys.readouterr().err


def test_without_the_sdk_the_environment_that_has_it_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "sagemaker.core", None)

    with pytest.raises(LaunchError, match="make launch"):
        SdkJob("eu-west-1")
