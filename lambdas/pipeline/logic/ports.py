"""What the steps ask of the world; `dal/` answers with AWS and MLflow, tests with fakes."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Protocol


class Lake(Protocol):
    """The lake's objects."""

    def uri(self, key: str) -> str:
        """The `s3://` address of a key."""

    def key(self, uri: str) -> str:
        """The key of an `s3://` address; ValueError if it lies elsewhere."""

    def keys(self, prefix: str) -> Iterator[str]:
        """All keys under `prefix`, in order."""

    def folders(self, prefix: str) -> list[str]:
        """Names of the folders right under `prefix`, in order."""

    def read(self, key: str) -> bytes | None:
        """An object's bytes, or None."""

    def size(self, key: str) -> int | None:
        """An object's size in bytes, or None."""

    def write(self, key: str, data: bytes, content_type: str) -> None:
        """Store an object."""

    def write_stream(self, key: str, chunks: Iterable[bytes], content_type: str) -> None:
        """Store an object that need not fit in memory; whole or not at all."""


class ExecutionStatuses(Protocol):
    """Who knows whether an execution still runs."""

    def status(self, execution_arn: str) -> str | None:
        """Its status, or None if unknown."""


class Registry(Protocol):
    """The model registry. Every method raises `RegistryError` when MLflow is away or refuses."""

    def find_version(self, model_name: str, tag: str, value: str) -> str | None:
        """The lowest version that carries the tag, or None."""

    def create_version(
        self, model_name: str, source: str, run_id: str | None, tags: Mapping[str, str]
    ) -> str:
        """A new version (and the model, if it is the first); its number."""

    def version_of(self, model_name: str, alias: str) -> str | None:
        """The version an alias points to, or None."""

    def set_alias(self, model_name: str, alias: str, version: str) -> None:
        """Point an alias to a version."""

    def delete_alias(self, model_name: str, alias: str) -> None:
        """Remove an alias; it need not exist."""

    def tag_version(self, model_name: str, version: str, tags: Mapping[str, str]) -> None:
        """Set tags on a version."""

    def tags_of(self, model_name: str, version: str) -> Mapping[str, str]:
        """A version's tags."""

    def run_of(self, model_name: str, version: str) -> str | None:
        """The run that made a version, or None."""

    def tag_run(self, run_id: str, tags: Mapping[str, str]) -> None:
        """Set tags on a run."""

    def find_run(self, experiment: str, tag: str, value: str) -> str | None:
        """The newest run of an experiment that carries the tag, or None."""

    def close_failed_run(self, run_id: str) -> None:
        """Mark a run that is still open as failed; one that has ended stays as it is."""

    def log_metrics(self, run_id: str, metrics: Mapping[str, float]) -> None:
        """Add metrics to a run."""

    def log_files(self, run_id: str, folder: str, files: Mapping[str, bytes]) -> None:
        """Put files, by name, into a folder of a run's artifacts."""
