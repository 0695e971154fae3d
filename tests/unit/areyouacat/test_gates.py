"""The quality gate says which rule failed, and by how much."""

from dataclasses import replace

import pytest

from areyouacat.gates import GateInput, Measured, Paired, decide

QUALITY = {"accuracy": 0.98, "precision": 0.97, "recall": 0.98}
GOOD = GateInput(
    mode="trained",
    test=Measured(photos=1000, positives=480, **QUALITY),
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
    weak = replace(GOOD, test=Measured(1000, 480, **(QUALITY | {name: 0.5})))

    assert failed(weak) == [name]
    assert f"{name}: 0.5000, must be at least 0." in decide(weak).reason


def test_a_refusal_says_by_how_much() -> None:
    weak = replace(GOOD, test=Measured(1000, 480, **(QUALITY | {"accuracy": 0.88})), latency_ms=180)

    decision = decide(weak)

    assert "accuracy: 0.8800, must be at least 0.9000 (0.0200 short)" in decision.reason
    assert "latency_ms: 180.0000, must be at most 150.0000 (30.0000 over)" in decision.reason
    shortfalls = {rule.name: rule.shortfall for rule in decision.rules if rule.shortfall}
    assert shortfalls == pytest.approx({"accuracy": 0.02, "latency_ms": 30.0})


@pytest.mark.parametrize(("photos", "positives"), [(0, 0), (7, 0), (7, 7)])
def test_a_test_split_without_both_labels_refuses_and_judges_nothing_else(
    photos: int, positives: int
) -> None:
    blind = replace(
        GOOD, test=Measured(photos, positives, 1.0, 1.0, 1.0), against_champion=Paired(0, 0, 0)
    )

    assert failed(blind) == ["test_photos_of_each_label"]
    assert "at least 1 of each is needed" in decide(blind).reason
    assert "accuracy" not in {rule.name for rule in decide(blind).rules}


def test_a_value_at_its_limit_passes() -> None:
    edge = replace(
        GOOD,
        test=Measured(1000, 480, 0.90, 0.85, 0.85),
        parity_difference=0.02,
        latency_ms=150.0,
        against_champion=Paired(1000, 15, 10),
    )

    assert failed(edge) == []


def test_what_is_no_number_never_passes() -> None:
    nan = float("nan")
    unknown = replace(GOOD, test=Measured(1000, 480, nan, nan, nan), parity_difference=nan)

    assert failed(unknown) == ["parity", "accuracy", "precision", "recall"]


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


def test_being_behind_on_recent_photos_is_told_in_photos_and_points() -> None:
    decision = decide(replace(GOOD, recent_against_champion=Paired(50, 4, 3)))

    assert "must be above 0 (4.00 short)" in decision.reason
    assert "only the champion on 4, a difference of -2.00 points" in decision.reason


def test_a_champion_without_a_mistake_on_recent_photos_can_be_equalled() -> None:
    assert decide(replace(GOOD, recent_against_champion=Paired(50, 0, 0, both_wrong=0))).passed
    assert failed(replace(GOOD, recent_against_champion=Paired(50, 0, 0, both_wrong=1))) == [
        "better_on_recent_points"
    ]
    assert failed(replace(GOOD, recent_against_champion=Paired(50, 1, 0, both_wrong=0))) == [
        "better_on_recent_points"
    ]


def test_a_handful_of_recent_photos_decides_nothing() -> None:
    assert decide(replace(GOOD, recent_against_champion=Paired(49, 9, 0))).passed


def test_a_bootstrap_model_is_not_judged_by_its_quality_but_by_parity_and_latency() -> None:
    poor = replace(GOOD, mode="bootstrap", test=Measured(4, 2, 0.25, 0.25, 0.25))

    assert decide(poor).passed
    assert not decide(poor).applicable
    assert failed(replace(poor, parity_difference=0.5)) == ["parity"]
    assert failed(replace(poor, latency_ms=5_000.0)) == ["latency_ms"]


def test_mcnemars_tail_is_exact() -> None:
    assert Paired(100, 3, 1).p_worse == pytest.approx(5 / 16)
    assert Paired(100, 0, 0).p_worse == 1.0


@pytest.mark.parametrize(
    "paired", [Paired(100, 0, 0), Paired(100, 3, 1), Paired(100, 100, 0), Paired(1, 0, 1)]
)
def test_the_interval_of_the_difference_has_width_and_stays_possible(paired: Paired) -> None:
    low, high = paired.difference_interval_points

    assert -100.0 <= low < high <= 100.0
    assert low <= paired.difference_points <= high or paired.photos == 1


def test_more_photos_narrow_the_interval_of_the_difference() -> None:
    def width(paired: Paired) -> float:
        low, high = paired.difference_interval_points
        return high - low

    assert width(Paired(10_000, 300, 200)) < width(Paired(1_000, 30, 20)) / 3
    assert width(Paired(0, 0, 0)) == 200.0
