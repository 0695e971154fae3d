"""Serving pointers in memory, and executions that run or have ended."""

from areyouacat.errors import StalePointerError
from areyouacat.lake import sha256_hex
from areyouacat.serving_pointer import (
    CHALLENGER,
    Deployment,
    ServingPointer,
    Strategy,
    Variant,
    first_pointer,
)
from lambdas.shared.serving_pointer_store import StoredPointer
from tests.unit.lambdas.pipeline.factories import NOON, TFLITE, model_files, model_spec
from tests.unit.lambdas.pipeline.fakes import MemoryLake

MINE, OTHER = "arn:mine", "arn:other"


def variant(version: str) -> Variant:
    """As StageVariant gives it."""
    return Variant(
        role=CHALLENGER,
        name="are-you-a-cat",
        version=version,
        weight=0.0,
        key=f"models/{version}/model.tflite",
        sha256=sha256_hex(TFLITE),
        model_json_key=f"models/{version}/model.json",
        model_json_sha256=sha256_hex(model_spec().to_json()),
    )


def alone(version: str = "1") -> ServingPointer:
    """One version serves, and none did before."""
    return first_pointer(variant(version), by="earlier", reason="first", at=NOON)


def trying(
    version: str = "2", by: str = OTHER, strategy: Strategy = Strategy.CANARY
) -> ServingPointer:
    """A challenger of the execution `by` beside version 1."""
    return alone().shift(variant(version), 0.1, Deployment(by, strategy, NOON), by=by, reason="try")


def lake_with(*versions: str) -> MemoryLake:
    """A lake with whole model versions."""
    return MemoryLake(
        {
            f"models/{version}/{name}": content
            for version in versions
            for name, content in model_files().items()
        }
    )


class MemoryPointer:
    """One pointer; every write gives it another entity tag."""

    def __init__(self, pointer: ServingPointer | None = None) -> None:
        self.stored = StoredPointer(pointer, "etag-0") if pointer else None
        self.writes = 0

    @property
    def now(self) -> ServingPointer:
        assert self.stored is not None
        return self.stored.pointer

    def read(self) -> StoredPointer | None:
        return self.stored

    def write(self, pointer: ServingPointer, replacing: StoredPointer | None) -> StoredPointer:
        if replacing is not self.stored:
            raise StalePointerError
        self.writes += 1
        self.stored = StoredPointer(pointer, f"etag-{self.writes}")
        return self.stored


class MovedUnderneath(MemoryPointer):
    """Somebody else promotes version 9 between our read and our write."""

    def read(self) -> StoredPointer | None:
        seen = self.stored
        self.stored = StoredPointer(alone("9"), "etag-of-theirs")
        return seen


class Executions:
    """Those that run; of all others nothing is known but that they do not."""

    def __init__(self, *running: str) -> None:
        self._running = set(running)

    def status(self, execution_arn: str) -> str | None:
        return "RUNNING" if execution_arn in self._running else "ABORTED"
