"""Start one training job outside the workflow: `python -m training_job.launch [name=value ...]`.

The job is what the deployed train workflow would start, through the SageMaker Python SDK, on the
local cloud or on AWS. It is followed until it ends. Nothing is evaluated, registered or deployed.
Runs in an environment of its own (`requirements-launch.txt`).
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from areyouacat import lake
from areyouacat.lease import training_job_name
from training_job.endpoints import Endpoints, UnknownEndpointError
from training_job.errors import HyperparameterError
from training_job.follow import INTERRUPTED, LOG_LINES_AT_ONCE, POLL_SECONDS, TrainingLog
from training_job.launch_request import (
    DatasetVersion,
    LaunchError,
    given_hyperparameters,
    training_request,
)

COMPLETED = "Completed"
ENDED = frozenset({COMPLETED, "Failed", "Stopped"})

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class JobStatus:
    """SageMaker's TrainingJobStatus, SecondaryStatus, FailureReason and model address."""

    status: str
    secondary: str
    failure_reason: str = ""
    model_artifacts: str = ""


class Jobs(Protocol):
    """The SageMaker SDK, as far as it is needed."""

    def create(self, request: dict[str, Any]) -> None:
        """Start a job."""

    def status(self) -> JobStatus:
        """How the started job is."""


class SdkJob:
    """One training job through the SageMaker SDK's typed client."""

    def __init__(self, region: str) -> None:
        """Imports the SDK, which takes seconds. Raises `LaunchError` if it is not installed."""
        try:
            from sagemaker.core import resources  # noqa: PLC0415
            from sagemaker.core.utils.code_injection.codec import transform  # noqa: PLC0415
        except ImportError as error:
            raise LaunchError(
                f"The SageMaker SDK is not installed here ({error}). "
                "`make launch` makes the environment that has it."
            ) from error
        self._training_job, self._transform = resources.TrainingJob, transform
        self._region = region or None
        self._job: Any = None

    def create(self, request: dict[str, Any]) -> None:
        """Start a job."""
        arguments = self._transform(request, "CreateTrainingJobRequest")
        self._job = self._training_job.create(**arguments, region=self._region)

    def status(self) -> JobStatus:
        """Ask SageMaker."""
        self._job.refresh()
        artifacts = _text(self._job.model_artifacts, "s3_model_artifacts")
        return JobStatus(
            status=self._job.training_job_status,
            secondary=self._job.secondary_status,
            failure_reason=_text(self._job, "failure_reason"),
            model_artifacts=artifacts,
        )


def _text(holder: Any, name: str) -> str:
    """An attribute if it is text: the SDK has a type of its own for what is not there."""
    value = getattr(holder, name, "")
    return value if isinstance(value, str) else ""


def newest_dataset(s3: Any, bucket: str) -> str:
    """The version that a snapshot wrote last. Raises `LaunchError` if there is none."""
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix="datasets/")
    found = [
        (entry["LastModified"], entry["Key"].split("/")[1])
        for page in pages
        for entry in page.get("Contents", ())
        if entry["Key"].endswith(f"/{lake.DATASET_SUMMARY_JSON}")
    ]
    if not found:
        raise LaunchError("The lake has no data set version yet: `make train` makes one.")
    return str(max(found)[1])


def read_dataset_version(s3: Any, bucket: str, version: str) -> DatasetVersion:
    """What the job is told of a version.

    Raises:
        LaunchError: there is no such version, or it needs photos that were erased since.
    """
    prefix = lake.dataset_prefix(version)
    try:
        summary = json.loads(_read(s3, bucket, f"{prefix}{lake.DATASET_SUMMARY_JSON}"))
        channel = json.loads(_read(s3, bucket, f"{prefix}channel.manifest"))
    except s3.exceptions.NoSuchKey as error:
        raise LaunchError(
            f"The lake has no data set version {version}. `aws s3 ls s3://{bucket}/datasets/` "
            "lists them."
        ) from error
    needed = {str(key).rpartition("/")[2] for key in channel[1:]}
    pages = s3.get_paginator("list_objects_v2").paginate(
        Bucket=bucket, Prefix=lake.TOMBSTONES_PREFIX
    )
    tombs = (entry["Key"] for page in pages for entry in page.get("Contents", ()))
    erased = sum(tomb.removeprefix(lake.TOMBSTONES_PREFIX) in needed for tomb in tombs)
    if erased:
        raise LaunchError(
            f"The data set version {version} needs {erased} photos that were erased since. "
            "`make train` makes a version without them."
        )
    root = f"s3://{bucket}/{prefix}"
    return DatasetVersion(version, summary["mode"], root, f"{root}channel.manifest")


def _read(s3: Any, bucket: str, key: str) -> bytes:
    body: bytes = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    return body


def follow_job(
    jobs: Jobs, new_lines: Callable[[], list[str]], say: Say, wait: Callable[[], None]
) -> JobStatus:
    """Tell each status once and the log as it grows, until the job has ended."""
    told = ""
    while True:
        found = jobs.status()
        if found.secondary != told:
            told = found.secondary
            say(told)
        lines = new_lines()
        if len(lines) > LOG_LINES_AT_ONCE:
            say(f"    | … {len(lines) - LOG_LINES_AT_ONCE} lines")
        for line in lines[-LOG_LINES_AT_ONCE:]:
            say(f"    | {line}")
        if found.status in ENDED:
            return found
        wait()


def main(arguments: Sequence[str] | None = None, jobs: Jobs | None = None) -> int:
    """Exit codes: 0 the job completed, 1 it did not, 2 it was not started."""
    parser = argparse.ArgumentParser(
        prog="python -m training_job.launch",
        description="Start one training job outside the workflow and follow it.",
    )
    parser.add_argument("--dataset-version", default="", help="default: the newest in the lake")
    parser.add_argument(
        "hyperparameters", nargs="*", metavar="name=value", help="hyperparameters of the job"
    )
    options = parser.parse_args(arguments)
    name = training_job_name(f"launch-{datetime.now(UTC):%Y%m%d-%H%M%S}-{uuid.uuid4()}")
    started = False
    try:
        endpoints = Endpoints.load()
        given = given_hyperparameters(options.hyperparameters)
        s3, bucket = endpoints.client("s3"), endpoints.require_lake_bucket()
        version = options.dataset_version or newest_dataset(s3, bucket)
        definition = endpoints.client("stepfunctions").describe_state_machine(
            stateMachineArn=endpoints.require_state_machine("train")
        )["definition"]
        request = training_request(
            definition, name, read_dataset_version(s3, bucket, version), given
        )
        jobs = jobs or SdkJob(endpoints.region)
        jobs.create(request)
        started = True
        _say(f"Started {name} on the data set {version} with {_told(request)}")
        log = TrainingLog(endpoints.client("logs"))
        ended = follow_job(
            jobs, lambda: log.new_lines(name), _say, lambda: time.sleep(POLL_SECONDS)
        )
    except KeyboardInterrupt:
        print(f"\nStopped watching. {_find_again(name, started)}", file=sys.stderr)
        return INTERRUPTED
    except (UnknownEndpointError, LaunchError, HyperparameterError) as error:
        print(error, file=sys.stderr)
        return 2
    except (BotoCoreError, ClientError) as error:
        print(f"AWS cannot be reached or refused: {error}", file=sys.stderr)
        print(_find_again(name, started), file=sys.stderr)
        return 1 if started else 2
    return _report(name, ended)


def _report(name: str, ended: JobStatus) -> int:
    if ended.status != COMPLETED:
        print(f"{ended.status}: {ended.failure_reason or 'no reason given'}", file=sys.stderr)
        return 1
    print(f"{COMPLETED}: {ended.model_artifacts}")
    print(
        "Nothing was registered or deployed: that is the train workflow's (make train). "
        f"Where it came from: make lineage JOB={name}"
    )
    return 0


def _told(request: dict[str, Any]) -> str:
    return ", ".join(f"{name}={value}" for name, value in request["HyperParameters"].items())


def _find_again(name: str, started: bool) -> str:
    if not started:
        return "Nothing was started."
    return (
        f"The job goes on; to find it: make lineage JOB={name}; "
        f"to stop it: aws sagemaker stop-training-job --training-job-name {name}"
    )


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
