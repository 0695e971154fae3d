"""The quality gate says which rule failed, and by how much."""

from dataclasses import replace

import pytest

from areyouacat.gates import GateInput, Measured, Paired, decide

QUALITY = {"accuracy": 0.98, "precision": 0.97, "recall": 0.98}
GOOD = GateInput(
    mode="trained",
    test=Measured(photos=1000, **QUALITY),
    parity_difference=0.001,
    latency_ms=10.0,
    against_champion=Paired(photos=1000, only_champion_right=2, only_candidate_right=5),
    recent_against_champion=None,
)


def failed(measured: GateInput) -> list[str]:
    return [rule.name for rule in decide(measured).rules if not rule.passed]


def test_a_better_candidate_passes() -> None:
    decision = decide(GOOD)

    assert decision.passed
    assert decision.applicable


@pytest.mark.parametrize("name", ["accuracy", "precision", "recall"])
def test_each_floor_refuses_alone(name: str) -> None:
    weak = replace(GOOD, test=Measured(1000, **(QUALITY | {name: 0.5})))

    assert failed(weak) == [name]
    assert f"{name}: 0.5000" in decide(weak).reason


def test_a_candidate_that_loses_more_than_the_margin_is_refused() -> None:
    worse = replace(GOOD, against_champion=Paired(1000, 20, 14))

    assert failed(worse) == ["not_worse_than_champion_points"]


def test_a_small_but_certain_loss_is_refused() -> None:
    worse = replace(GOOD, against_champion=Paired(10_000, 12, 2))

    assert failed(worse) == ["p_worse_than_champion"]


def test_an_equal_candidate_passes_where_nothing_recent_is_known() -> None:
    assert decide(replace(GOOD, against_champion=Paired(1000, 0, 0))).passed


def test_enough_recent_photos_must_be_answered_better() -> None:
    same = replace(GOOD, recent_against_champion=Paired(50, 3, 3))
    better = replace(GOOD, recent_against_champion=Paired(50, 3, 4))

    assert failed(same) == ["better_on_recent_points"]
    assert decide(better).passed


def test_a_handful_of_recent_photos_decides_nothing() -> None:
    assert decide(replace(GOOD, recent_against_champion=Paired(49, 9, 0))).passed


def test_a_bootstrap_model_is_not_judged_by_its_quality_but_by_parity_and_latency() -> None:
    poor = replace(GOOD, mode="bootstrap", test=Measured(4, 0.25, 0.25, 0.25))

    assert decide(poor).passed
    assert not decide(poor).applicable
    assert failed(replace(poor, parity_difference=0.5)) == ["parity"]
    assert failed(replace(poor, latency_ms=5_000.0)) == ["latency_ms"]


def test_mcnemars_tail_is_exact() -> None:
    assert Paired(100, 3, 1).p_worse == pytest.approx(5 / 16)
    assert Paired(100, 0, 0).p_worse == 1.0
