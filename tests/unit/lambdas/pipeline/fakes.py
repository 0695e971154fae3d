"""Working stand-ins for the world behind `logic/ports.py`."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from areyouacat.errors import RegistryError
from areyouacat.settings import MODEL_NAME

ROOT = "s3://lake/"


class MemoryLake:
    """A lake of bytes by key. `fails_at`: the key whose next write fails.

    `deleted_since_listed`: keys that are listed but no longer there.
    """

    def __init__(self, objects: Mapping[str, bytes] | None = None) -> None:
        self.objects = dict(objects or {})
        self.content_types: dict[str, str] = {}
        self.fails_at: str | None = None
        self.deleted_since_listed: set[str] = set()

    def uri(self, key: str) -> str:
        return f"{ROOT}{key}"

    def key(self, uri: str) -> str:
        if not uri.startswith(ROOT):
            raise ValueError(uri)
        return uri.removeprefix(ROOT)

    def keys(self, prefix: str) -> Iterator[str]:
        listed = self.deleted_since_listed.union(self.objects)
        return iter(sorted(key for key in listed if key.startswith(prefix)))

    def folders(self, prefix: str) -> list[str]:
        return sorted({key.removeprefix(prefix).split("/")[0] for key in self.keys(prefix)})

    def read(self, key: str) -> bytes | None:
        return self.objects.get(key)

    def size(self, key: str) -> int | None:
        return len(self.objects[key]) if key in self.objects else None

    def write(self, key: str, data: bytes, content_type: str) -> None:
        if key == self.fails_at:
            self.fails_at = None
            raise ConnectionError("the lake went away")
        self.objects[key] = data
        self.content_types[key] = content_type

    def write_stream(self, key: str, chunks: Iterable[bytes], content_type: str) -> None:
        self.write(key, b"".join(chunks), content_type)


@dataclass
class Version:
    source: str
    run_id: str | None
    tags: dict[str, str]


@dataclass
class MemoryRegistry:
    """A registry that keeps its versions; `away` is how an outage looks."""

    versions: dict[str, Version] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)
    runs: dict[str, dict[str, str]] = field(default_factory=dict)
    metrics: dict[str, dict[str, float]] = field(default_factory=dict)
    artifacts: dict[str, dict[str, bytes]] = field(default_factory=dict)
    experiment: str = "are-you-a-cat"
    open_runs: set[str] = field(default_factory=set)
    away: bool = False

    def find_version(self, model_name: str, tag: str, value: str) -> str | None:
        self._answer(model_name)
        return next((n for n, v in self.versions.items() if v.tags.get(tag) == value), None)

    def create_version(
        self, model_name: str, source: str, run_id: str | None, tags: Mapping[str, str]
    ) -> str:
        self._answer(model_name)
        number = str(len(self.versions) + 1)
        self.versions[number] = Version(source, run_id, dict(tags))
        return number

    def version_of(self, model_name: str, alias: str) -> str | None:
        self._answer(model_name)
        return self.aliases.get(alias)

    def set_alias(self, model_name: str, alias: str, version: str) -> None:
        self._answer(model_name)
        if version not in self.versions:
            raise RegistryError(f"no version {version}")
        self.aliases[alias] = version

    def delete_alias(self, model_name: str, alias: str) -> None:
        self._answer(model_name)
        self.aliases.pop(alias, None)

    def tag_version(self, model_name: str, version: str, tags: Mapping[str, str]) -> None:
        self._answer(model_name)
        self.versions[version].tags.update(tags)

    def tags_of(self, model_name: str, version: str) -> Mapping[str, str]:
        self._answer(model_name)
        return dict(self.versions[version].tags)

    def run_of(self, model_name: str, version: str) -> str | None:
        self._answer(model_name)
        return self.versions[version].run_id

    def tag_run(self, run_id: str, tags: Mapping[str, str]) -> None:
        self._answer()
        self.runs.setdefault(run_id, {}).update(tags)

    def find_run(self, experiment: str, tag: str, value: str) -> str | None:
        self._answer()
        if experiment != self.experiment:
            return None
        return next((run for run, tags in self.runs.items() if tags.get(tag) == value), None)

    def close_failed_run(self, run_id: str) -> None:
        self._answer()
        self.open_runs.discard(run_id)

    def log_metrics(self, run_id: str, metrics: Mapping[str, float]) -> None:
        self._answer()
        self.metrics.setdefault(run_id, {}).update(metrics)

    def log_files(self, run_id: str, folder: str, files: Mapping[str, bytes]) -> None:
        self._answer()
        found = self.artifacts.setdefault(run_id, {})
        found.update({f"{folder}/{name}": data for name, data in files.items()})

    def _answer(self, model_name: str = MODEL_NAME) -> None:
        if model_name != MODEL_NAME:
            raise RegistryError(f"no model {model_name}")
        if self.away:
            raise RegistryError("MLflow is away")
