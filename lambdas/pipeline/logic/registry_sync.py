"""MLflow follows the serving pointer: its aliases, and why each version came and went."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from areyouacat.lake import utc_text
from areyouacat.serving_pointer import CHALLENGER, CHAMPION, ServingPointer
from areyouacat.settings import MODEL_NAME
from lambdas.pipeline.logic.ports import Registry

State = Literal["challenger", "promoted", "rolled_back", "retired"]

STATE_TAG: Final = "deployment_state"
"""Tag of a model version: the last thing that happened to it."""

_GONE: Final = frozenset({"rolled_back", "retired"})


@dataclass(frozen=True, slots=True)
class Difference:
    """An alias that pointed elsewhere than the serving pointer; None: nowhere."""

    alias: str
    registry_version: str | None
    pointer_version: str | None


def differences(registry: Registry, pointer: ServingPointer) -> tuple[Difference, ...]:
    """Where the registry says something else than what serves.

    Without a challenger in the pointer, `challenger` may name a version that was registered and
    waits for its deployment, but none that serves or has been taken out.

    Raises:
        RegistryError: MLflow cannot be reached or refuses.
    """
    champion = registry.version_of(MODEL_NAME, CHAMPION)
    challenger = registry.version_of(MODEL_NAME, CHALLENGER)
    wanted = pointer.challenger.version if pointer.challenger else None
    if wanted is None and challenger is not None and _waits(registry, pointer, challenger):
        wanted = challenger
    found = (
        Difference(CHAMPION, champion, pointer.champion.version),
        Difference(CHALLENGER, challenger, wanted),
    )
    return tuple(one for one in found if one.registry_version != one.pointer_version)


def repair(registry: Registry, pointer: ServingPointer) -> tuple[Difference, ...]:
    """Let the aliases say what the pointer says; what was different. Again is the same.

    Raises:
        RegistryError: MLflow cannot be reached, or does not know a version that serves.
    """
    found = differences(registry, pointer)
    for one in found:
        if one.pointer_version is None:
            registry.delete_alias(MODEL_NAME, one.alias)
            continue
        registry.set_alias(MODEL_NAME, one.alias, one.pointer_version)
        state: State = "promoted" if one.alias == CHAMPION else "challenger"
        record_state(registry, one.pointer_version, state, pointer)
        if one.alias == CHAMPION and one.registry_version is not None:
            left = registry.tags_of(MODEL_NAME, one.registry_version).get(STATE_TAG)
            if left not in _GONE:
                record_state(registry, one.registry_version, "retired", pointer)
    return found


def record_state(
    registry: Registry,
    version: str,
    state: State,
    pointer: ServingPointer,
    because: str | None = None,
) -> None:
    """Say on a version what happened to it, who or what did it, when and why.

    The tags of each state stay when the next one comes.

    Raises:
        RegistryError: MLflow cannot be reached, or does not know the version.
    """
    registry.tag_version(
        MODEL_NAME,
        version,
        {
            STATE_TAG: state,
            f"{state}_by": pointer.updated_by,
            f"{state}_because": because or pointer.reason,
            f"{state}_at": utc_text(pointer.updated_at),
        },
    )


@dataclass(frozen=True, slots=True)
class Told:
    """What a deployment has to say.

    `outcome`: what became of `moved_version`; `challenger` while that is open. `previous_version`:
    the champion before. `figures`: what decided it, by name.
    """

    outcome: Literal["challenger", "promoted", "rolled_back", "unchanged"]
    moved_version: str | None
    previous_version: str | None
    reason: str
    figures: Mapping[str, float]


def tell(registry: Registry, pointer: ServingPointer, told: Told) -> tuple[Difference, ...]:
    """Write down what a deployment did, then let the aliases say what serves; what they said.

    Raises:
        RegistryError: MLflow cannot be reached, or does not know a version; again does no harm.
    """
    version = told.moved_version
    if told.outcome == "rolled_back" and version is not None:
        record_state(registry, version, "rolled_back", pointer, told.reason)
    moved = repair(registry, pointer)
    if told.outcome == "challenger" and pointer.challenger:
        record_state(registry, pointer.challenger.version, "challenger", pointer)
    if told.outcome == "promoted":
        record_state(registry, pointer.champion.version, "promoted", pointer, told.reason)
        if told.previous_version not in {None, pointer.champion.version}:
            record_state(registry, str(told.previous_version), "retired", pointer)
    run_id = registry.run_of(MODEL_NAME, version) if version and told.figures else None
    if run_id is not None:
        registry.log_metrics(run_id, told.figures)
    return moved


def _waits(registry: Registry, pointer: ServingPointer, version: str) -> bool:
    if version == pointer.champion.version:
        return False
    return registry.tags_of(MODEL_NAME, version).get(STATE_TAG) not in _GONE
