"""Where lineage is read: the registry, the lake, SageMaker, Step Functions."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from areyouacat.errors import RegistryError
from areyouacat.mlflow_server import page, prepare_client
from training_job.lineage_records import (
    ExecutionLineage,
    JobLineage,
    RegisteredVersion,
    RunLineage,
)


class Registry:
    """The registered versions of one model; every method may raise `RegistryError`."""

    def __init__(self, uri: str, model: str) -> None:
        """`uri`: the tracking server's URL or ARN."""
        self._uri, self._model = uri, model
        self._connected: Any = None

    def version(self, version: str) -> RegisteredVersion | None:
        """One version, or None if the registry has no such version."""
        return next((found for found in self.versions() if found.version == version), None)

    def versions(self) -> list[RegisteredVersion]:
        """All versions, the oldest first."""
        found = self._ask(lambda client: list(_all_versions(client, self._model)))
        aliases = self._ask(lambda client: _aliases(client, self._model))
        return sorted(
            (
                RegisteredVersion(
                    version=str(version.version),
                    tags=dict(version.tags),
                    aliases=tuple(sorted(n for n, v in aliases.items() if v == version.version)),
                    run_id=version.run_id or "",
                    registered_at=datetime.fromtimestamp(version.creation_timestamp / 1000, UTC),
                )
                for version in found
            ),
            key=lambda version: int(version.version),
        )

    def run(self, run_id: str) -> RunLineage:
        """A run; one that is deleted or gone has a `problem`."""
        try:
            run = self._ask(lambda client: client.get_run(run_id))
        except RegistryError as error:
            return RunLineage(run_id, problem=str(error))
        return RunLineage(
            run_id,
            url=page(self._uri, f"experiments/{run.info.experiment_id}/runs/{run_id}"),
            status=run.info.status,
            parameters=dict(run.data.params),
            metrics=dict(run.data.metrics),
            tags=dict(run.data.tags),
            problem="" if run.info.lifecycle_stage == "active" else "the run was deleted",
        )

    def _ask(self, question: Any) -> Any:
        if not self._uri:
            raise RegistryError("MLflow's address is not known: set MLFLOW_TRACKING_URI.")
        prepare_client(self._uri, retries=2)
        # Imported here: it takes seconds.
        from mlflow import MlflowClient  # noqa: PLC0415
        from mlflow.exceptions import MlflowException  # noqa: PLC0415

        try:
            if self._connected is None:
                self._connected = MlflowClient(tracking_uri=self._uri, registry_uri=self._uri)
            return question(self._connected)
        except MlflowException as error:
            raise RegistryError(f"MLflow at {self._uri}: {_first_line(error)}") from error


def _all_versions(client: Any, model: str) -> Iterator[Any]:
    token: str | None = None
    while True:
        page = client.search_model_versions(f"name = '{model}'", page_token=token)
        yield from page
        token = page.token
        if not token:
            return


def _aliases(client: Any, model: str) -> dict[str, Any]:
    # Versions that a search gives may come without their aliases.
    return dict(client.get_registered_model(model).aliases)


class Objects:
    """The lake's objects, read only."""

    def __init__(self, s3: Any, bucket: str) -> None:
        """`s3` is a boto3 client; `bucket` is the lake."""
        self._s3, self._bucket = s3, bucket

    def read(self, key: str) -> bytes | None:
        """An object's bytes, or None if there is none."""
        try:
            body: bytes = self._s3.get_object(Bucket=self._bucket, Key=key)["Body"].read()
        except ClientError as error:
            if error.response["Error"]["Code"] in {"NoSuchKey", "404"}:
                return None
            raise
        return body

    def folders(self, prefix: str) -> list[str]:
        """The names of the folders right below a prefix, sorted."""
        pages = self._s3.get_paginator("list_objects_v2")
        return sorted(
            found["Prefix"].removeprefix(prefix).rstrip("/")
            for page in pages.paginate(Bucket=self._bucket, Prefix=prefix, Delimiter="/")
            for found in page.get("CommonPrefixes", ())
        )


class Workflows:
    """Training jobs and executions; what is gone has a `problem`."""

    def __init__(self, sagemaker: Any, stepfunctions: Any) -> None:
        """Both are boto3 clients."""
        self._sagemaker, self._stepfunctions = sagemaker, stepfunctions

    def job(self, name: str) -> JobLineage:
        """A training job."""
        try:
            found = self._sagemaker.describe_training_job(TrainingJobName=name)
        except (ClientError, BotoCoreError) as error:
            return JobLineage(name, problem=f"SageMaker does not know it (any more): {error}")
        return JobLineage(
            name,
            arn=found["TrainingJobArn"],
            status=found["TrainingJobStatus"],
            image=found.get("AlgorithmSpecification", {}).get("TrainingImage", ""),
            created_at=found.get("CreationTime"),
            ended_at=found.get("TrainingEndTime"),
            seconds=found.get("BillableTimeInSeconds"),
            failure_reason=found.get("FailureReason", ""),
            hyperparameters=found.get("HyperParameters", {}),
            environment=found.get("Environment", {}),
        )

    def execution(self, arn: str) -> ExecutionLineage:
        """An execution of a workflow."""
        try:
            found = self._stepfunctions.describe_execution(executionArn=arn)
        except (ClientError, BotoCoreError) as error:
            return ExecutionLineage(
                arn, problem=f"Step Functions does not know it (any more): {error}"
            )
        return ExecutionLineage(
            arn,
            status=found["status"],
            started_at=found.get("startDate"),
            ended_at=found.get("stopDate"),
        )


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0]
