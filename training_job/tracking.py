"""The training run in MLflow, told as it is: FINISHED, FAILED or KILLED."""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from mlflow import MlflowClient
from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param, RunTag
from mlflow.exceptions import MlflowException
from mlflow.utils.mlflow_tags import MLFLOW_DATASET_CONTEXT

from areyouacat.mlflow_server import prepare_client
from training_job.errors import TrackingError

RunStatus = Literal["FINISHED", "FAILED", "KILLED"]

_MAX_PARAMETER = 500  # characters that MLflow stores of a value


@dataclass(frozen=True, slots=True)
class UsedDataset:
    """A data set version as MLflow shows it.

    `version`: at most 36 characters. `uri`: of its folder. `profile`: counts, ready for JSON.
    """

    name: str
    version: str
    uri: str
    profile: Mapping[str, object]


class Run(Protocol):
    """A run that is being recorded."""

    @property
    def run_id(self) -> str | None:
        """MLflow's id; None if nothing is recorded."""
        ...

    def parameters(self, values: Mapping[str, object]) -> None:
        """What the run was made with."""
        ...

    def tags(self, values: Mapping[str, str]) -> None:
        """What the run can be found by."""
        ...

    def metrics(self, values: Mapping[str, float]) -> None:
        """What came out."""
        ...

    def curve(self, name: str, steps: Sequence[int], values: Sequence[float]) -> None:
        """One value a step."""
        ...

    def dataset(self, used: UsedDataset) -> None:
        """What the run learnt from."""
        ...

    def artifacts(self, folder: Path) -> None:
        """Everything in a folder."""
        ...

    def end(self, status: RunStatus) -> None:
        """Close the run; nothing may follow."""
        ...


class NoRun:
    """Where no tracking server is configured."""

    run_id: str | None = None

    def parameters(self, values: Mapping[str, object]) -> None:
        """Nothing is recorded."""

    def tags(self, values: Mapping[str, str]) -> None:
        """Nothing is recorded."""

    def metrics(self, values: Mapping[str, float]) -> None:
        """Nothing is recorded."""

    def curve(self, name: str, steps: Sequence[int], values: Sequence[float]) -> None:
        """Nothing is recorded."""

    def dataset(self, used: UsedDataset) -> None:
        """Nothing is recorded."""

    def artifacts(self, folder: Path) -> None:
        """Nothing is recorded."""

    def end(self, status: RunStatus) -> None:
        """Nothing is recorded."""


class MlflowRun:
    """A run on a tracking server."""

    def __init__(self, client: MlflowClient, run_id: str) -> None:
        """`run_id`: of a run that is open."""
        self._client = client
        self.run_id: str | None = run_id

    def parameters(self, values: Mapping[str, object]) -> None:
        """Log parameters as text."""
        params = [Param(name, str(value)[:_MAX_PARAMETER]) for name, value in values.items()]
        self._client.log_batch(self.run_id, params=params)

    def tags(self, values: Mapping[str, str]) -> None:
        """Set tags."""
        tags = [RunTag(name, value) for name, value in values.items()]
        self._client.log_batch(self.run_id, tags=tags)

    def metrics(self, values: Mapping[str, float]) -> None:
        """Log final values."""
        self._log([(name, value, 0) for name, value in values.items()])

    def curve(self, name: str, steps: Sequence[int], values: Sequence[float]) -> None:
        """Log one value a step."""
        self._log([(name, value, step) for step, value in zip(steps, values, strict=True)])

    def dataset(self, used: UsedDataset) -> None:
        """Log the data set as an input of the run, as `mlflow.data` would, without pandas."""
        logged = Dataset(
            name=used.name,
            digest=used.version,
            source_type="s3",
            source=json.dumps({"uri": used.uri}),
            profile=json.dumps(used.profile),
        )
        tags = [InputTag(MLFLOW_DATASET_CONTEXT, "training")]
        self._client.log_inputs(self.run_id, datasets=[DatasetInput(logged, tags)])

    def artifacts(self, folder: Path) -> None:
        """Upload a folder's files."""
        self._client.log_artifacts(self.run_id, str(folder))

    def end(self, status: RunStatus) -> None:
        """Close the run with its status."""
        self._client.set_terminated(self.run_id, status=status)

    def _log(self, points: Sequence[tuple[str, float, int]]) -> None:
        now = time.time_ns() // 1_000_000
        metrics = [Metric(name, float(value), now, step) for name, value, step in points]
        for start in range(0, len(metrics), 1000):  # MLflow's limit for one batch
            self._client.log_batch(self.run_id, metrics=metrics[start : start + 1000])


def start_run(uri: str, experiment: str, name: str, tags: Mapping[str, str]) -> Run:
    """Open a run, or `NoRun` for an empty `uri`.

    Raises TrackingError at once if the server does not answer: training for an hour and then
    losing its record would be worse.
    """
    if not uri:
        return NoRun()
    prepare_client(uri, retries=3)
    try:
        client = MlflowClient(tracking_uri=uri)
        found = client.get_experiment_by_name(experiment)
        experiment_id = found.experiment_id if found else client.create_experiment(experiment)
        run = client.create_run(experiment_id, run_name=name or None, tags=dict(tags))
    except MlflowException as error:
        raise TrackingError(
            f"the MLflow tracking server at {uri} does not answer as it should: {error}. "
            "Check MLFLOW_TRACKING_URI and the server, or leave it empty to train untracked"
        ) from error
    return MlflowRun(client, run.info.run_id)
