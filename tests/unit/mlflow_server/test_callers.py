"""Each part that speaks to MLflow, run against a managed server: what it asks is what IAM allows.

The server and S3 are stand-ins; MLflow's client and SageMaker's plugin for it are the real ones.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.client import BaseClient
from moto import mock_aws
from sagemaker_mlflow import use_session

from areyouacat.errors import RegistryError
from areyouacat.lake import SERVING_POINTER_KEY
from infra_cdk.mlflow_calls import CALLS
from lambdas.pipeline.dal.registry import MlflowRegistry
from lambdas.pipeline.handlers import (
    move_alias,
    record_outcome,
    register_model,
    verify_registry,
)
from lambdas.shared import aws
from tests.unit.lambdas.pipeline.factories import FunctionContext, model_archive
from tests.unit.lambdas.pipeline.pointers import alone
from tests.unit.mlflow_server.managed import APP_ARN, RUN_ID, ManagedServer, managed_server
from tests.unit.training_job.drift_report.made_samples import TOLD
from training_job.drift_report.record import log_report, open_run
from training_job.lineage_sources import Registry
from training_job.tracking import UsedDataset, start_run

ARCHIVE = "training/areyouacat-job-1/output/model.tar.gz"
EVALUATION_PREFIX = "training/areyouacat-job-1/evaluation/"


@dataclass
class Managed:
    """The stand-ins. `stored`: what was asked of S3 about artifacts."""

    server: ManagedServer
    s3: Any
    stored: set[str] = field(default_factory=set)


@pytest.fixture
def managed(monkeypatch: pytest.MonkeyPatch) -> Iterator[Managed]:
    with managed_server() as (address, server), mock_aws():
        for name, value in {
            "AWS_DEFAULT_REGION": "eu-west-1",
            "CODE_REVISION": "abc123",
            "LAKE_BUCKET": "lake",
            "MLFLOW_EXPERIMENT_NAME": "cats",
            "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",
            "MLFLOW_TRACKING_URI": APP_ARN,
            "SAGEMAKER_MLFLOW_CUSTOM_ENDPOINT": address,
        }.items():
            monkeypatch.setenv(name, value)
        monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
        aws.client.cache_clear()
        s3: Any = boto3.client("s3")
        s3.create_bucket(
            Bucket="lake", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
        )
        for key, body in {
            ARCHIVE: model_archive(),
            f"{EVALUATION_PREFIX}evaluation.json": b"{}",
            f"{EVALUATION_PREFIX}evaluation.md": b"# Test",
            SERVING_POINTER_KEY: alone("1").to_json(),
        }.items():
            s3.put_object(Bucket="lake", Key=key, Body=body)
        found = Managed(server, s3)
        clients: Any = BaseClient
        call = clients._make_api_call

        def recorded(client: Any, operation: str, parameters: dict[str, Any]) -> Any:
            if str(parameters.get("Key", "mlflow/")).startswith("mlflow/"):
                found.stored.add(operation)
            return call(client, operation, parameters)

        monkeypatch.setattr(clients, "_make_api_call", recorded)
        # The plugin makes a session for every request, which takes most of its time.
        with use_session(boto3.Session()):
            yield found
    aws.client.cache_clear()


def evaluation() -> dict[str, Any]:
    """What EvaluateCandidate answers; its files are in the lake."""
    return {
        "gate": {"passed": True, "applicable": True, "rules": [], "reason": "all passed"},
        "metrics": {"test_accuracy": 0.9},
        "champion_version": None,
        "mlflow_run_id": RUN_ID,
        "evaluation_prefix": EVALUATION_PREFIX,
    }


def register() -> None:
    event = {
        "model_artifact": f"s3://lake/{ARCHIVE}",
        "dataset": {"version": "0123456789abcdef", "manifest_sha256": "c" * 64, "counts": {}},
        "training": {"job_name": "areyouacat-job-1", "job_arn": "arn:job-1"},
        "evaluation": evaluation(),
        "execution_arn": "arn:execution",
    }
    register_model.handler(event, FunctionContext())  # type: ignore[arg-type]


def record() -> None:
    failed = {"outcome": "failed", "reason": "SIGKILL", "training_job_name": "areyouacat-killed"}
    rejected = {
        "outcome": "rejected",
        "reason": "accuracy is low",
        "mlflow_run_id": RUN_ID,
        "evaluation": evaluation(),
    }
    for event in (failed, rejected):
        record_outcome.handler(event, FunctionContext())  # type: ignore[arg-type]


def move() -> None:
    role = {
        "requests": 9,
        "failures": 0,
        "latency_p95_ms": 20.0,
        "feedback": 0,
        "feedback_right": 0,
        "golden": 0,
        "golden_right": 0,
    }
    check = {
        "reasons": [],
        "champion": role,
        "challenger": role,
        "test": {"pairs": 0, "better": 1.0, "worse": 1.0},
    }
    for outcome in ("promoted", "rolled_back"):
        result = {
            "outcome": outcome,
            "previous_version": "9",
            "moved_version": "1",
            "reasons": ["r"],
        }
        event = {"deployed": {"result": result, "check": check}}
        move_alias.handler(event, FunctionContext())  # type: ignore[arg-type]


def verify() -> None:
    verify_registry.handler({}, FunctionContext())  # type: ignore[arg-type]


def train() -> None:
    run = start_run(APP_ARN, "cats", "job-1", {"dataset_version": "abc"})
    run.parameters({"epochs": 3})
    run.tags({"mode": "trained"})
    run.metrics({"test_accuracy": 0.9})
    run.curve("train_loss", [1, 2], [0.5, 0.4])
    run.dataset(UsedDataset("photos", "0123456789abcdef", "s3://lake/datasets/1/", {"photos": 3}))
    run.artifacts(Path(__file__).parent)
    run.end("FINISHED")


def report() -> None:
    told = replace(TOLD, mlflow_tracking_uri=APP_ARN, mlflow_experiment_name="cats")
    log_report(open_run(told), {"psi_size": 0.3}, Path(__file__).parent)


CALLERS: dict[str, Callable[[], None]] = {
    "register-model": register,
    "record-outcome": record,
    "move-alias": move,
    "verify-registry": verify,
    "training-job": train,
    "drift-report-job": report,
}


@pytest.mark.parametrize("caller", CALLS)
def test_what_a_caller_asks_of_mlflow_and_its_store_is_what_it_may_ask(
    caller: str, managed: Managed
) -> None:
    for managed.server.knows in (True, False):
        CALLERS[caller]()

    assert managed.server.asked == set(CALLS[caller])
    assert managed.server.unsigned == []
    stores_files = caller not in {"move-alias", "verify-registry"}
    assert managed.stored == ({"PutObject"} if stores_files else set())


def test_the_server_is_found_by_whoever_was_given_its_arn_alone(
    managed: Managed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "")

    (version,) = Registry(APP_ARN, "are-you-a-cat").versions()

    assert version.run_id == RUN_ID
    assert Registry(APP_ARN, "are-you-a-cat").run(RUN_ID).url == ""
    assert managed.server.unsigned == []


def test_a_store_that_refuses_a_file_is_a_registry_error(managed: Managed) -> None:
    for found in managed.s3.list_objects_v2(Bucket="lake")["Contents"]:
        managed.s3.delete_object(Bucket="lake", Key=found["Key"])
    managed.s3.delete_bucket(Bucket="lake")

    with pytest.raises(RegistryError, match="failed to store artifacts"):
        MlflowRegistry(APP_ARN).log_files(RUN_ID, "evaluation", {"evaluation.md": b"# Test"})
