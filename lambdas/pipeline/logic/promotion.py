"""Promote and RollBack: the serving pointer decides; everything else follows it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from areyouacat.errors import DeploymentSupersededError, NothingToRollBackError
from areyouacat.serving_pointer import (
    CHAMPION,
    ServingPointer,
    Strategy,
    Variant,
    first_pointer,
)
from lambdas.pipeline.logic.pointer_lock import PointerStore, require_free
from lambdas.pipeline.logic.ports import ExecutionStatuses, Lake
from lambdas.pipeline.logic.staging import stage


class MoveOutcome(StrEnum):
    """What became of the version that a deployment is about."""

    PROMOTED = "promoted"
    ROLLED_BACK = "rolled_back"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class Move:
    """What a deployment did to the pointer.

    `changed`: whether this call moved it. `version`: the champion now, None while nothing serves.
    `previous_version`: the champion before. `moved_version`: the one promoted or rolled back.
    """

    outcome: MoveOutcome
    changed: bool
    version: str | None
    previous_version: str | None
    moved_version: str | None


def promote(
    store: PointerStore,
    executions: ExecutionStatuses,
    variant: Variant,
    strategy: Strategy,
    *,
    by: str,
    reason: str,
    at: datetime,
) -> Move:
    """Give `variant` all traffic; the pointer remembers who served before.

    Unless it is `all_at_once`, the variant must stand in the pointer as the challenger of `by`.

    Raises:
        StalePointerError: somebody else moved the pointer; call again to decide on the new one.
        DeploymentSupersededError: the challenger was taken out meanwhile.
        DeploymentInProgressError, AbTestInProgressError: another challenger has its share.
    """
    stored = store.read()
    if stored is None:
        pointer = first_pointer(variant, by=by, reason=reason, at=at)
    else:
        before = stored.pointer
        serves_alone = before.challenger is None and before.champion.version == variant.version
        if strategy is not Strategy.ALL_AT_ONCE and not serves_alone:
            _require_challenger_of(before, variant, by)
        require_free(before.deployment, by, executions)
        pointer = before.promote(variant, by=by, reason=reason, at=at)
    changed = stored is None or pointer is not stored.pointer
    if changed:
        store.write(pointer, stored)
    # Called again after its own success it finds the pointer as it left it, and says the same.
    promoted = changed or pointer.updated_by == by
    return Move(
        MoveOutcome.PROMOTED if promoted else MoveOutcome.UNCHANGED,
        changed,
        variant.version,
        _champion_of(pointer.previous),
        variant.version,
    )


def _require_challenger_of(pointer: ServingPointer, variant: Variant, by: str) -> None:
    deployment, challenger = pointer.deployment, pointer.challenger
    if (
        deployment is None
        or deployment.execution_arn != by
        or challenger is None
        or challenger.version != variant.version
    ):
        raise DeploymentSupersededError(
            f"Version {variant.version} has no share of the traffic any more: {pointer.reason} "
            f"({pointer.updated_by}). Nothing was promoted; deploy again if that is wanted."
        )


@dataclass(frozen=True, slots=True)
class Leave:
    """What a rollback leaves; without any of it the challenger, or else the champion.

    `version`: this one, and nothing if it does not serve. `deployment`: the challenger of this
    execution only. `challenger_only`: never the champion.
    """

    version: str | None = None
    deployment: str | None = None
    challenger_only: bool = False


def roll_back(
    store: PointerStore, lake: Lake, leave: Leave, *, by: str, reason: str, at: datetime
) -> Move:
    """Take the challenger out of the traffic, or go back to the version that served before.

    What was left already is left alone: a rollback that is repeated has one effect.

    Raises:
        StalePointerError: somebody else moved the pointer; call again to decide on the new one.
        NothingToRollBackError: no version served before.
        ModelNotFoundError, CorruptModelError: the one before is not whole any more.
    """
    stored = store.read()
    if stored is None:
        if leave.challenger_only or leave.deployment:
            return Move(MoveOutcome.UNCHANGED, False, None, None, None)
        raise NothingToRollBackError("Nothing serves yet, so there is nothing to go back from.")
    before = stored.pointer
    if _leaves_challenger(before, leave):
        left = before.challenger
        pointer = before.without_challenger(by=by, reason=reason, at=at)
    elif _leaves_champion(before, leave):
        left = before.champion
        pointer = _back(before, lake, by=by, reason=reason, at=at)
    else:
        # An earlier try of the same execution, or somebody else, has left it.
        left_before = by in {before.updated_by, leave.deployment}
        return Move(
            MoveOutcome.ROLLED_BACK if left_before else MoveOutcome.UNCHANGED,
            False,
            before.champion.version,
            _champion_of(before.previous),
            leave.version,
        )
    store.write(pointer, stored)
    return Move(
        MoveOutcome.ROLLED_BACK,
        True,
        pointer.champion.version,
        before.champion.version,
        left.version if left else None,
    )


def _leaves_challenger(pointer: ServingPointer, leave: Leave) -> bool:
    challenger, deployment = pointer.challenger, pointer.deployment
    if challenger is None:
        return False
    if leave.deployment:
        return deployment is not None and deployment.execution_arn == leave.deployment
    return leave.version in {None, challenger.version}


def _leaves_champion(pointer: ServingPointer, leave: Leave) -> bool:
    if leave.deployment or leave.challenger_only:
        return False
    return leave.version in {None, pointer.champion.version}


def _back(
    pointer: ServingPointer, lake: Lake, *, by: str, reason: str, at: datetime
) -> ServingPointer:
    version = _champion_of(pointer.previous)
    if version is None:
        raise NothingToRollBackError(
            f"The pointer knows no version before {pointer.champion.version} to go back to. Deploy "
            "one by its number: make release VERSION=<n> STRATEGY=all_at_once."
        )
    stage(lake, version)  # a pointer never names files that are not whole
    return pointer.back_to_previous(by=by, reason=reason, at=at)


def _champion_of(variants: tuple[Variant, ...]) -> str | None:
    return next((variant.version for variant in variants if variant.role == CHAMPION), None)
