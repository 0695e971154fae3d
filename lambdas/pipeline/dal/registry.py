"""MLflow's registry and runs, through mlflow-skinny's client."""

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from boto3.exceptions import Boto3Error
from botocore.exceptions import BotoCoreError, ClientError

from areyouacat.errors import RegistryError
from areyouacat.mlflow_server import prepare_client

_OPEN: Final = "RUNNING"
_EXISTS: Final = "RESOURCE_ALREADY_EXISTS"
_MAX_TAG_CHARACTERS: Final = 5_000  # of a run's tag; MLflow's own limit is 8,000

# The state machine retries a failed step with patience; the client's own default (7 retries
# with backoff, 120 s each) would only use up the function's time.
_RETRIES: Final = 2
_TIMEOUT_SECONDS: Final = 10


class MlflowRegistry:
    """The registry behind one tracking server; every method may raise `RegistryError`."""

    def __init__(self, tracking_uri: str) -> None:
        """`tracking_uri`: the server's URL or ARN; nothing is opened before the first call."""
        self._tracking_uri = tracking_uri

    def find_version(self, model_name: str, tag: str, value: str) -> str | None:
        """The lowest version that carries the tag, or None."""
        with self._client("search versions") as client:
            found = client.search_model_versions(
                f"name = '{model_name}' and tags.`{tag}` = '{value}'"
            )
        return min((str(version.version) for version in found), key=int, default=None)

    def create_version(
        self, model_name: str, source: str, run_id: str | None, tags: Mapping[str, str]
    ) -> str:
        """A new version with its tags in one request; creates the model if it is the first."""
        with self._client("create a version") as client:
            _create_model(client, model_name)
            version = client.create_model_version(
                model_name, source=source, run_id=run_id, tags=dict(tags), await_creation_for=0
            )
        return str(version.version)

    def version_of(self, model_name: str, alias: str) -> str | None:
        """The version an alias points to, or None."""
        with self._client("read the aliases") as client:
            aliases = client.get_registered_model(model_name).aliases
        return str(aliases[alias]) if alias in aliases else None

    def set_alias(self, model_name: str, alias: str, version: str) -> None:
        """Point an alias to a version."""
        with self._client(f"set the alias {alias}") as client:
            client.set_registered_model_alias(model_name, alias, version)

    def delete_alias(self, model_name: str, alias: str) -> None:
        """Remove an alias; it need not exist."""
        with self._client(f"delete the alias {alias}") as client:
            client.delete_registered_model_alias(model_name, alias)

    def tag_version(self, model_name: str, version: str, tags: Mapping[str, str]) -> None:
        """Set tags on a version."""
        with self._client("tag a version") as client:
            for key, value in tags.items():
                client.set_model_version_tag(model_name, version, key, value[:_MAX_TAG_CHARACTERS])

    def tags_of(self, model_name: str, version: str) -> Mapping[str, str]:
        """A version's tags."""
        with self._client("read a version") as client:
            return dict(client.get_model_version(model_name, version).tags)

    def run_of(self, model_name: str, version: str) -> str | None:
        """The run that made a version, or None."""
        with self._client("read a version") as client:
            run_id = client.get_model_version(model_name, version).run_id
        return str(run_id) if run_id else None

    def tag_run(self, run_id: str, tags: Mapping[str, str]) -> None:
        """Set tags on a run."""
        with self._client("tag a run") as client:
            for key, value in tags.items():
                client.set_tag(run_id, key, value[:_MAX_TAG_CHARACTERS])

    def find_run(self, experiment: str, tag: str, value: str) -> str | None:
        """The newest run of an experiment that carries the tag, or None."""
        with self._client("search runs") as client:
            found = client.get_experiment_by_name(experiment)
            if found is None:
                return None
            runs = client.search_runs(
                [found.experiment_id], f"tags.`{tag}` = '{value}'", max_results=1
            )
        return str(runs[0].info.run_id) if runs else None

    def close_failed_run(self, run_id: str) -> None:
        """Mark a run that is still open as failed; one that has ended stays as it is."""
        with self._client("close a run") as client:
            if client.get_run(run_id).info.status == _OPEN:
                client.set_terminated(run_id, status="FAILED")

    def log_metrics(self, run_id: str, metrics: Mapping[str, float]) -> None:
        """Add metrics to a run, all of the same moment."""
        from mlflow.entities import Metric  # noqa: PLC0415 (as below)

        now = time.time_ns() // 1_000_000
        values = [Metric(name, value, now, 0) for name, value in metrics.items()]
        with self._client("log metrics") as client:
            client.log_batch(run_id, metrics=values)

    def log_files(self, run_id: str, folder: str, files: Mapping[str, bytes]) -> None:
        """Put files, by name, into a folder of a run's artifacts, over what is there."""
        with self._client("store artifacts") as client, TemporaryDirectory() as local:
            for name, data in files.items():
                path = Path(local) / name
                path.write_bytes(data)
                client.log_artifact(run_id, str(path), artifact_path=folder)

    @contextmanager
    def _client(self, purpose: str) -> Iterator[Any]:
        """MLflow's client; whatever it raises becomes a `RegistryError` that says what for."""
        # Imported here: it takes about a second, and most functions of the bundle never
        # speak to MLflow.
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
        prepare_client(self._tracking_uri, retries=_RETRIES, timeout_seconds=_TIMEOUT_SECONDS)
        from mlflow.exceptions import MlflowException  # noqa: PLC0415
        from mlflow.tracking import MlflowClient  # noqa: PLC0415
        from requests.exceptions import RequestException  # noqa: PLC0415

        try:
            yield MlflowClient(tracking_uri=self._tracking_uri, registry_uri=self._tracking_uri)
        # Artifacts fail with what the HTTP client raises, or S3's where they go there directly;
        # everything else with MLflow's own.
        except (MlflowException, RequestException, Boto3Error, BotoCoreError, ClientError) as error:
            raise RegistryError(
                f"MLflow at {self._tracking_uri} failed to {purpose}: "
                f"{getattr(error, 'message', error)} "
                "If it cannot be reached, start it; then run the workflow again."
            ) from error


def _create_model(client: Any, model_name: str) -> None:
    from mlflow.exceptions import MlflowException  # noqa: PLC0415 (as above)

    try:
        client.create_registered_model(model_name)
    except MlflowException as error:
        if error.error_code != _EXISTS:
            raise
