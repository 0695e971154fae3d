"""Who may move the serving pointer, when, and what is left of it."""

import pytest

from areyouacat.errors import (
    AbTestInProgressError,
    AlreadyServingError,
    CorruptModelError,
    DeploymentInProgressError,
    DeploymentSupersededError,
    ModelNotFoundError,
    NothingToRollBackError,
    StalePointerError,
)
from areyouacat.serving_pointer import Deployment, ServingPointer, Strategy
from lambdas.pipeline.logic.promotion import Leave, Move, MoveOutcome, promote, roll_back
from lambdas.pipeline.logic.shifting import Shift, shift
from lambdas.pipeline.logic.verification import drop_abandoned
from tests.unit.lambdas.pipeline.factories import NOON
from tests.unit.lambdas.pipeline.fakes import MemoryLake
from tests.unit.lambdas.pipeline.pointers import (
    MINE,
    OTHER,
    Executions,
    MemoryPointer,
    MovedUnderneath,
    alone,
    lake_with,
    trying,
    variant,
)

ALL, CANARY, AB_TEST = Strategy.ALL_AT_ONCE, Strategy.CANARY, Strategy.AB_TEST


def promoted(
    store: MemoryPointer, version: str, strategy: Strategy = ALL, running: tuple[str, ...] = ()
) -> Move:
    return promote(
        store, Executions(*running), variant(version), strategy, by=MINE, reason="why", at=NOON
    )


def shifted(
    store: MemoryPointer,
    version: str = "2",
    strategy: Strategy = CANARY,
    running: tuple[str, ...] = (),
) -> Shift:
    return shift(
        store, Executions(*running), variant(version), 0.2, strategy,
        by=MINE, reason="why", at=NOON,
    )  # fmt: skip


def rolled_back(
    store: MemoryPointer, leave: Leave | None = None, lake: MemoryLake | None = None
) -> Move:
    return roll_back(
        store, lake or lake_with("1", "2"), leave or Leave(), by=MINE, reason="why", at=NOON
    )


def versions(pointer: ServingPointer) -> list[str]:
    return [one.version for one in pointer.variants]


def test_the_first_version_serves_with_nothing_before_it() -> None:
    store = MemoryPointer()

    assert promoted(store, "1") == Move(MoveOutcome.PROMOTED, True, "1", None, "1")
    assert (store.now.champion.weight, store.now.updated_by, store.now.reason) == (1.0, MINE, "why")


def test_the_next_version_names_the_one_before_it() -> None:
    assert promoted(MemoryPointer(alone()), "2") == Move(MoveOutcome.PROMOTED, True, "2", "1", "2")


def test_a_promotion_that_is_retried_says_the_same_and_writes_nothing() -> None:
    store = MemoryPointer(alone())
    first = promoted(store, "2")

    again = promoted(store, "2")

    assert (again.outcome, again.previous_version) == (first.outcome, first.previous_version)
    assert (again.changed, store.writes) == (False, 1)


@pytest.mark.parametrize("strategy", [ALL, CANARY])
def test_what_served_alone_before_is_unchanged(strategy: Strategy) -> None:
    store = MemoryPointer(alone())

    assert promoted(store, "1", strategy) == Move(MoveOutcome.UNCHANGED, False, "1", None, "1")
    assert store.writes == 0


def test_the_champion_is_not_made_its_own_challenger() -> None:
    store = MemoryPointer(alone())

    with pytest.raises(AlreadyServingError, match="Version 1 serves already"):
        shifted(store, "1")

    assert store.writes == 0


@pytest.mark.parametrize("move", [promoted, shifted])
def test_a_pointer_moved_by_somebody_else_is_not_overwritten(move: object) -> None:
    store = MovedUnderneath(alone())

    with pytest.raises(StalePointerError):
        promoted(store, "2") if move is promoted else shifted(store)

    assert store.now.champion.version == "9"


def test_a_rollback_does_not_overwrite_a_pointer_moved_by_somebody_else() -> None:
    with pytest.raises(StalePointerError):
        rolled_back(MovedUnderneath(trying()))


def test_a_challenger_of_ones_own_is_promoted() -> None:
    store = MemoryPointer(trying(by=MINE))

    assert promoted(store, "2", CANARY, (MINE,)).outcome is MoveOutcome.PROMOTED
    assert (versions(store.now), store.now.deployment) == (["2"], None)


@pytest.mark.parametrize("pointer", [alone(), trying(by=OTHER), trying("3", by=MINE)])
def test_a_challenger_that_was_taken_out_is_not_promoted(pointer: ServingPointer) -> None:
    store = MemoryPointer(pointer)

    with pytest.raises(DeploymentSupersededError, match="Version 2 has no share"):
        promoted(store, "2", CANARY, (OTHER,))

    assert store.now is pointer


@pytest.mark.parametrize(
    ("strategy", "error"),
    [(CANARY, DeploymentInProgressError), (AB_TEST, AbTestInProgressError)],
)
def test_while_another_deployment_runs_nobody_else_moves_the_pointer(
    strategy: Strategy, error: type[Exception]
) -> None:
    pointer = trying(by=OTHER, strategy=strategy)
    store = MemoryPointer(pointer)

    with pytest.raises(error, match=OTHER):
        shifted(store, "3", running=(OTHER,))
    with pytest.raises(error, match="make rollback"):
        promoted(store, "3", running=(OTHER,))

    assert store.now is pointer


def test_a_deployment_that_has_ended_gives_way_with_its_challenger() -> None:
    store = MemoryPointer(trying("2", by=OTHER))

    assert shifted(store, "3").champion_version == "1"
    assert versions(store.now) == ["1", "3"]
    assert store.now.deployment is not None
    assert store.now.deployment.execution_arn == MINE


def test_all_at_once_takes_over_from_a_deployment_that_has_ended() -> None:
    store = MemoryPointer(trying("2", by=OTHER))

    assert promoted(store, "3") == Move(MoveOutcome.PROMOTED, True, "3", "1", "3")


def test_a_shift_that_is_retried_changes_nothing() -> None:
    store = MemoryPointer(alone())
    first = shifted(store)

    again = shifted(store, running=(MINE,))

    assert (first.changed, again.changed, store.writes) == (True, False, 1)
    assert again.began_at == first.began_at


def test_without_a_champion_there_is_no_traffic_to_share() -> None:
    with pytest.raises(ModelNotFoundError, match="all_at_once"):
        shifted(MemoryPointer())


@pytest.mark.parametrize(
    "leave",
    [
        Leave(),
        Leave(version="2"),
        Leave(deployment=OTHER),
        Leave(challenger_only=True),
    ],
)
def test_the_challenger_leaves_first(leave: Leave) -> None:
    store = MemoryPointer(trying("2"))

    assert rolled_back(store, leave) == Move(MoveOutcome.ROLLED_BACK, True, "1", "1", "2")
    assert (versions(store.now), store.now.deployment) == (["1"], None)


def test_without_a_challenger_the_version_before_serves_again() -> None:
    store = MemoryPointer(alone().promote(variant("2"), by="t", reason="r", at=NOON))

    assert rolled_back(store) == Move(MoveOutcome.ROLLED_BACK, True, "1", "2", "2")
    assert (versions(store.now), store.now.previous) == (["1"], ())


def test_the_champion_is_left_by_its_number_although_a_challenger_is_there() -> None:
    second = alone().promote(variant("2"), by="t", reason="r", at=NOON)
    store = MemoryPointer(
        second.shift(variant("3"), 0.1, Deployment(OTHER, CANARY, NOON), by="t", reason="r")
    )

    assert rolled_back(store, Leave(version="2")).version == "1"
    assert (versions(store.now), store.now.deployment) == (["1"], None)


@pytest.mark.parametrize(
    "leave",
    [Leave(version="7"), Leave(deployment="arn:third"), Leave(version="2", challenger_only=True)],
)
def test_what_does_not_serve_is_left_already(leave: Leave) -> None:
    store = MemoryPointer(alone())

    assert rolled_back(store, leave).outcome is MoveOutcome.UNCHANGED
    assert store.writes == 0


def test_a_rollback_that_is_retried_says_the_same_and_writes_once() -> None:
    store = MemoryPointer(alone().promote(variant("2"), by="t", reason="r", at=NOON))
    rolled_back(store, Leave(version="2"))

    again = rolled_back(store, Leave(version="2"))

    assert (again.outcome, again.changed, store.writes) == (MoveOutcome.ROLLED_BACK, False, 1)


def test_a_deployment_whose_challenger_somebody_took_out_was_rolled_back() -> None:
    move = rolled_back(MemoryPointer(alone()), Leave(deployment=MINE))

    assert (move.outcome, move.changed) == (MoveOutcome.ROLLED_BACK, False)


def test_an_alarm_never_touches_a_champion() -> None:
    store = MemoryPointer(alone().promote(variant("2"), by="t", reason="r", at=NOON))

    assert rolled_back(store, Leave(challenger_only=True)).outcome is MoveOutcome.UNCHANGED
    assert versions(store.now) == ["2"]


@pytest.mark.parametrize("pointer", [None, alone()])
def test_where_nothing_served_before_there_is_nothing_to_go_back_to(
    pointer: ServingPointer | None,
) -> None:
    with pytest.raises(NothingToRollBackError, match=r"nothing to go back|make release VERSION"):
        rolled_back(MemoryPointer(pointer))


@pytest.mark.parametrize("leave", [Leave(challenger_only=True), Leave(deployment=OTHER)])
def test_an_alarm_before_anything_serves_does_nothing(leave: Leave) -> None:
    assert rolled_back(MemoryPointer(), leave).outcome is MoveOutcome.UNCHANGED


def test_nobody_goes_back_to_files_that_are_not_whole() -> None:
    pointer = alone().promote(variant("2"), by="t", reason="r", at=NOON)
    store, damaged = MemoryPointer(pointer), lake_with("1", "2")
    damaged.objects["models/1/model.tflite"] = b"damaged"

    with pytest.raises(CorruptModelError):
        rolled_back(store, lake=damaged)
    with pytest.raises(ModelNotFoundError):
        rolled_back(store, lake=lake_with("2"))

    assert store.now is pointer


def test_a_challenger_whose_deployment_has_ended_is_found_and_dropped() -> None:
    store = MemoryPointer(trying(by=OTHER))

    assert drop_abandoned(store, Executions(), at=NOON, write=False) == OTHER
    assert store.writes == 0
    assert drop_abandoned(store, Executions(), at=NOON) == OTHER
    assert (versions(store.now), store.now.deployment) == (["1"], None)
    assert OTHER in store.now.reason
    assert drop_abandoned(store, Executions(), at=NOON) is None


@pytest.mark.parametrize("pointer", [None, alone(), trying(by=OTHER)])
def test_what_is_watched_or_was_never_there_is_left_alone(pointer: ServingPointer | None) -> None:
    store = MemoryPointer(pointer)

    assert drop_abandoned(store, Executions(OTHER), at=NOON) is None
    assert store.writes == 0
