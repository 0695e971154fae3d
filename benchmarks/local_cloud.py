"""A local cloud of a benchmark's own, driven by its commands, beside one that may be running."""

import io
import json
import os
import shutil
import socket
import subprocess
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import boto3
from botocore.config import Config

from areyouacat.lake import SERVING_POINTER_KEY, model_prefix
from areyouacat.model_spec import KERAS_FILE, METRICS_FILE, MODEL_FILE, SPEC_FILE
from areyouacat.serving_pointer import ServingPointer
from benchmarks.figures import BenchmarkError, Context, Say
from benchmarks.job_memory import JobMemory
from lambdas.serving.logic.loaded_model import ModelFiles
from local_cloud.layout import Layout
from local_cloud.services import GATEWAY, UI

ROOT: Final = Path(__file__).resolve().parents[1]
APP_PYTHON: Final = os.environ.get("APP_PYTHON") or str(ROOT / ".venvs" / "app" / "bin" / "python")
CONNECTIONS: Final = 32
_DEPLOYMENT: Final = "DeployModel"


@dataclass(frozen=True, slots=True)
class Training:
    """One execution of the train workflow that came to a normal end.

    `execution_seconds`: from its start to its end, but for the deployment, which waits for its
    canary to bake. `job_seconds`: the training job's, from downloading its data to the end of its
    upload. `stages`: the job's own seconds by stage. `memory_mb`: the most that the job's process
    held. `states`: the workflow's. `passed`: the gate; if not, nothing was registered and deployed.
    """

    execution_seconds: float
    job_seconds: float
    stages: dict[str, float]
    memory_mb: float
    states: dict[str, float]
    passed: bool
    model: ModelFiles


class LocalCloud:
    """Up, seeded and trained through the product's own commands."""

    def __init__(self, state: Path, say: Say) -> None:
        self._say = say
        self._layout = Layout(state)
        tools = f"{Path(APP_PYTHON).parent}:{ROOT / '.venvs' / 'cdk' / 'node_modules' / '.bin'}"
        self._environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith("AWS_")},
            "PATH": f"{tools}:{os.environ['PATH']}",
            "LOCAL_STATE_DIR": str(state),
            "LOCAL_CLOUD_ENVS": os.environ.get("LOCAL_CLOUD_ENVS")
            or str(ROOT / ".venvs" / "sagemaker"),
            "BUNDLE_CACHE": str(ROOT / ".local" / "bundles"),
            **{name: str(free_port()) for name in ("GATEWAY_PORT", "MLFLOW_PORT", "UI_PORT")},
        }

    def up(self, *, starter: bool) -> None:
        """Start and deploy; with the starter photos seeded and trained on, or with none."""
        self._run("local_cloud.cli", "up", *(() if starter else ("--no-starter",)))

    def down(self) -> None:
        """Stop whatever runs."""
        self._run("local_cloud.cli", "down")

    def seed(self, folder: Path, source: str) -> None:
        """Put a folder's photos into the lake."""
        self._say(f"  seeding {source}")
        self._run("local_cloud.cli", "run", "--", "python", "-m", "training_job.seed",
                  str(folder), f"--source={source}")  # fmt: skip

    def train(self, reason: str) -> Training:
        """Run the train workflow to its end. Raises BenchmarkError if it fails."""
        self._say(f"  training: {reason}")
        with JobMemory(self.gateway_pid, "training_job.train") as memory:
            said = self._run("local_cloud.cli", "run", "--", "python", "-m", "training_job.follow",
                             "--machine=train", f"--reason={reason}")  # fmt: skip
        self._say(f"    {said.splitlines()[-1]}")
        arn = next(line.split()[-1] for line in said.splitlines() if line.startswith("Started "))
        return self._training(arn, memory.megabytes)

    def score(self, options: Sequence[str]) -> dict[str, float]:
        """Score a batch to its end; the seconds of the workflow's states."""
        said = self._run("local_cloud.cli", "run", "--", "python", "-m", "training_job.score",
                         *options)  # fmt: skip
        self._say(f"    {said.splitlines()[-2]}")
        arn = next(line.split()[-1] for line in said.splitlines() if line.startswith("Started "))
        return _seconds_of_states(self.client("stepfunctions"), arn)

    def pointer(self) -> ServingPointer:
        """What serves now."""
        return ServingPointer.from_json(self._object(SERVING_POINTER_KEY))

    def served(self) -> ModelFiles:
        """The two files of the model that answers requests now."""
        champion = self.pointer().champion
        return ModelFiles(self._object(champion.key), self._object(champion.model_json_key))

    def served_keras(self) -> bytes:
        """The Keras model that the served one was made of."""
        return self._object(model_prefix(self.pointer().champion.version) + KERAS_FILE)

    @property
    def lake(self) -> str:
        """The lake's bucket."""
        return str(self.endpoints()["lake_bucket"])

    def endpoints(self) -> dict[str, Any]:
        """What the deployment wrote down for programs: addresses, names, the API's key."""
        found: dict[str, Any] = json.loads(self._layout.endpoints_file.read_text())
        return found

    @property
    def gateway_pid(self) -> int:
        """The process behind all endpoints; a function's workers are its children."""
        return int((self._layout.run / f"{GATEWAY}.pid").read_text())

    @property
    def client_pid(self) -> int:
        """The process that serves the pages."""
        return int((self._layout.run / f"{UI}.pid").read_text())

    def client(self, service: str) -> Any:
        """A boto3 client with the account's own rights."""
        values = self._variables()
        make: Any = boto3.client  # the stubs want each service's name as a literal
        return make(
            service,
            region_name=values["AWS_REGION"],
            endpoint_url=values["AWS_ENDPOINT_URL"],
            aws_access_key_id=values["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=values["AWS_SECRET_ACCESS_KEY"],
            verify=values["AWS_CA_BUNDLE"],
            config=Config(max_pool_connections=CONNECTIONS),
        )

    def function_environment(self) -> dict[str, str]:
        """The variables of the function `predict` as it is deployed, for a process of ours."""
        name = self.endpoints()["predict_function"]
        configuration = self.client("lambda").get_function_configuration(FunctionName=name)
        deployed: dict[str, str] = configuration["Environment"]["Variables"]
        return {**deployed, **self._variables(), "AWS_LAMBDA_FUNCTION_NAME": name}

    @contextmanager
    def as_client(self, also: Mapping[str, str] | None = None) -> Iterator[None]:
        """Stock clients made inside speak to this local cloud; `also`: more variables."""
        before = dict(os.environ)
        os.environ.update({**self._variables(), **(also or {})})
        try:
            yield
        finally:
            os.environ.clear()
            os.environ.update(before)

    def _variables(self) -> dict[str, str]:
        ports = self._layout.ports_file  # the layout would let this process's own ports go before
        return self._layout.client_environment() | {
            "AWS_ENDPOINT_URL": f"https://localhost:{json.loads(ports.read_text())['gateway']}"
        }

    def _training(self, arn: str, memory_mb: float) -> Training:
        workflows = self.client("stepfunctions")
        execution = workflows.describe_execution(executionArn=arn)
        output = json.loads(execution["output"])
        if "training" not in output:
            raise BenchmarkError(f"the workflow trained nothing: {execution['output']}")
        job = self.client("sagemaker").describe_training_job(
            TrainingJobName=output["training"]["job_name"]
        )
        uri = output["training"]["model_artifact"]
        files = _unpacked(self._object(uri.removeprefix(f"s3://{self.lake}/")))
        states = _seconds_of_states(workflows, arn)
        whole = (execution["stopDate"] - execution["startDate"]).total_seconds()
        return Training(
            whole - states.get(_DEPLOYMENT, 0.0),
            (job["TrainingEndTime"] - job["TrainingStartTime"]).total_seconds(),
            json.loads(files[METRICS_FILE])["seconds"],
            memory_mb,
            states,
            "registration" in output,
            ModelFiles(files[MODEL_FILE], files[SPEC_FILE]),
        )

    def _object(self, key: str) -> bytes:
        body: bytes = self.client("s3").get_object(Bucket=self.lake, Key=key)["Body"].read()
        return body

    def _run(self, *arguments: str) -> str:
        done = subprocess.run(
            [APP_PYTHON, "-m", *arguments],
            cwd=ROOT,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode:
            end = "\n".join(done.stdout.splitlines()[-20:])
            raise BenchmarkError(f"{' '.join(arguments)} failed:\n{end}")
        return done.stdout


@contextmanager
def local_cloud(context: Context, name: str, *, starter: bool) -> Iterator[LocalCloud]:
    """One that is up, in a new folder; stopped and forgotten in the end."""
    state = context.state / "bench" / name
    cloud = LocalCloud(state, context.say)
    if state.exists():
        cloud.down()  # an earlier benchmark was killed
        shutil.rmtree(state)
    state.mkdir(parents=True)
    try:
        context.say("  bringing up a local cloud" + (" with the starter photos" * starter))
        cloud.up(starter=starter)
        yield cloud
    finally:
        cloud.down()
        shutil.rmtree(state, ignore_errors=True)


def _seconds_of_states(workflows: Any, arn: str) -> dict[str, float]:
    entered: dict[str, Any] = {}
    seconds: dict[str, float] = {}
    for page in workflows.get_paginator("get_execution_history").paginate(executionArn=arn):
        for event in page["events"]:
            if "stateEnteredEventDetails" in event:
                entered[event["stateEnteredEventDetails"]["name"]] = event["timestamp"]
            elif name := event.get("stateExitedEventDetails", {}).get("name"):
                seconds[name] = (event["timestamp"] - entered[name]).total_seconds()
    return seconds


def _unpacked(archive: bytes) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    with tarfile.open(fileobj=io.BytesIO(archive)) as opened:
        for member in opened:
            if (content := opened.extractfile(member)) is not None:
                found[member.name] = content.read()
    return found


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
