"""Promote and MoveAlias: the pointer first, then the registry's alias."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from areyouacat.serving_pointer import (
    CHALLENGER,
    CHAMPION,
    ServingPointer,
    Variant,
    first_pointer,
)
from areyouacat.settings import MODEL_NAME
from lambdas.pipeline.logic.ports import Registry
from lambdas.shared.serving_pointer_store import StoredPointer


class PointerStore(Protocol):
    """Where the serving pointer is kept."""

    def read(self) -> StoredPointer | None:
        """The stored pointer, or None."""

    def write(self, pointer: ServingPointer, replacing: StoredPointer | None) -> StoredPointer:
        """Replace what was read; StalePointerError if it changed meanwhile."""


@dataclass(frozen=True, slots=True)
class Promotion:
    """`changed` is False if the version served alone already."""

    changed: bool
    version: str
    previous_version: str | None


def promote(
    store: PointerStore, variant: Variant, *, by: str, reason: str, at: datetime
) -> Promotion:
    """Give `variant` all traffic; the pointer remembers who served before.

    Raises:
        StalePointerError: somebody else moved the pointer; call again to decide on the new one.
    """
    stored = store.read()
    if stored is None:
        pointer = first_pointer(variant, by=by, reason=reason, at=at)
    else:
        pointer = stored.pointer.promote(variant, by=by, reason=reason, at=at)
    changed = stored is None or pointer is not stored.pointer
    if changed:
        store.write(pointer, stored)
    return Promotion(changed, pointer.champion.version, _champion_of(pointer.previous))


@dataclass(frozen=True, slots=True)
class AliasMove:
    """`previous_version`: where `champion` pointed before, None if nowhere."""

    version: str
    previous_version: str | None


def move_alias(registry: Registry, version: str, *, by: str, reason: str, at: str) -> AliasMove:
    """Let `champion` point to the version that serves, and say on the version who did it and why.

    The alias `challenger` goes away if it named this version. Again is the same.

    Raises:
        RegistryError: MLflow cannot be reached, or does not know the version.
    """
    previous = registry.version_of(MODEL_NAME, CHAMPION)
    registry.set_alias(MODEL_NAME, CHAMPION, version)
    if registry.version_of(MODEL_NAME, CHALLENGER) == version:
        registry.delete_alias(MODEL_NAME, CHALLENGER)
    registry.tag_version(
        MODEL_NAME,
        version,
        {"promoted_by": by, "promoted_because": reason, "promoted_at": at},
    )
    return AliasMove(version, previous)


def _champion_of(variants: tuple[Variant, ...]) -> str | None:
    return next((variant.version for variant in variants if variant.role == CHAMPION), None)
