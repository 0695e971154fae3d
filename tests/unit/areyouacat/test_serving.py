"""Verdicts, the serving pointer and `model.json`."""

import json
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from areyouacat.model_spec import ModelSpec, Provenance, TfliteFile
from areyouacat.serving_pointer import (
    CHALLENGER,
    CHAMPION,
    Deployment,
    ServingPointer,
    Strategy,
    Variant,
    choose_variant,
    first_pointer,
)
from areyouacat.settings import LABELS, UNSURE
from areyouacat.verdicts import Bands, label, verdict

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def variant(version: str, role: str = CHAMPION, weight: float = 1.0) -> Variant:
    prefix = f"models/{version}/"
    return Variant(
        role,
        "m",
        version,
        weight,
        prefix + "model.tflite",
        "0" * 64,
        prefix + "model.json",
        "1" * 64,
    )


def test_the_three_bands_meet_without_gap() -> None:
    bands = Bands(negative_to=0.3, positive_from=0.7)

    found = [verdict(p, bands) for p in (0.0, 0.3, 0.31, 0.69, 0.7, 1.0)]

    assert found == [LABELS.negative] * 2 + [UNSURE] * 2 + [LABELS.positive] * 2


@pytest.mark.parametrize(("low", "high"), [(0.7, 0.3), (-0.1, 0.5), (0.5, 1.1)])
def test_bands_out_of_order_are_refused(low: float, high: float) -> None:
    with pytest.raises(ValueError, match="negative_to"):
        Bands(low, high)


def test_the_label_turns_at_the_threshold() -> None:
    assert label(0.5, 0.5) == LABELS.positive
    assert label(0.4999, 0.5) == LABELS.negative


def test_a_pointer_reads_back() -> None:
    pointer = first_pointer(variant("1"), by="tester", reason="first", at=NOW)

    assert ServingPointer.from_json(pointer.to_json()) == pointer


def test_promotion_names_who_served_before() -> None:
    pointer = first_pointer(variant("1"), by="tester", reason="first", at=NOW)

    moved = pointer.promote(variant("2", CHALLENGER, 0.1), by="t", reason="better", at=NOW)

    assert (moved.champion.version, moved.champion.weight) == ("2", 1.0)
    assert [old.version for old in moved.previous] == ["1"]


def test_promoting_the_serving_version_again_changes_nothing() -> None:
    pointer = first_pointer(variant("1"), by="tester", reason="first", at=NOW)

    assert pointer.promote(variant("1"), by="t", reason="again", at=NOW) is pointer


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b'{"schema": 99}', b'{"schema": 1}'])
def test_what_is_no_pointer_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"pointer|schema"):
        ServingPointer.from_json(data)


def test_a_pointer_without_a_champion_is_refused() -> None:
    with pytest.raises(ValueError, match="champion"):
        ServingPointer((variant("1", CHALLENGER),), (), NOW, "t", "r")


def deployment(arn: str = "arn:first") -> Deployment:
    return Deployment(arn, Strategy.CANARY, NOW)


def canary(weight: float = 0.1, arn: str = "arn:first") -> ServingPointer:
    """Version 2 beside version 1."""
    alone = first_pointer(variant("1"), by="tester", reason="first", at=NOW)
    return alone.shift(variant("2"), weight, deployment(arn), by=arn, reason="try")


def test_a_shift_puts_the_challenger_beside_the_champion() -> None:
    pointer = canary(0.1)

    assert [(one.version, one.role, one.weight) for one in pointer.variants] == [
        ("1", CHAMPION, 0.9),
        ("2", CHALLENGER, 0.1),
    ]
    assert ServingPointer.from_json(pointer.to_json()) == pointer


def test_the_same_shift_again_changes_nothing_and_keeps_its_time() -> None:
    pointer = canary()
    later = replace(deployment(), began_at=NOW + timedelta(hours=1))

    assert pointer.shift(variant("2"), 0.1, later, by="arn:first", reason="try") is pointer


@pytest.mark.parametrize("weight", [0.0, 1.0, -0.1, 1.5])
def test_a_weight_that_is_no_share_is_refused(weight: float) -> None:
    with pytest.raises(ValueError, match="not between 0 and 1"):
        canary(weight)


def test_the_champion_cannot_challenge_itself() -> None:
    with pytest.raises(ValueError, match="is the champion"):
        canary().shift(variant("1"), 0.1, deployment(), by="t", reason="r")


def test_a_promoted_challenger_leaves_the_champion_behind_whole() -> None:
    moved = canary().promote(variant("2"), by="t", reason="good", at=NOW)

    assert [(one.version, one.weight) for one in moved.variants] == [("2", 1.0)]
    assert [(one.version, one.weight) for one in moved.previous] == [("1", 1.0)]
    assert moved.deployment is None


def test_promoting_the_champion_beside_a_challenger_keeps_who_was_before() -> None:
    second = canary().promote(variant("2"), by="t", reason="good", at=NOW)
    tried = second.shift(variant("3"), 0.5, deployment(), by="t", reason="try")

    kept = tried.promote(variant("2"), by="t", reason="stay", at=NOW)

    assert [one.version for one in kept.variants] == ["2"]
    assert [one.version for one in kept.previous] == ["1"]


def test_a_rollback_forgets_the_version_it_left() -> None:
    second = canary().promote(variant("2"), by="t", reason="good", at=NOW)

    back = second.back_to_previous(by="t", reason="bad", at=NOW)

    assert [one.version for one in back.variants] == ["1"]
    with pytest.raises(ValueError, match="no version served before"):
        back.back_to_previous(by="t", reason="nervous", at=NOW)


def test_a_canary_does_not_make_the_champion_any_younger() -> None:
    later = NOW + timedelta(hours=1)
    tried = first_pointer(variant("1"), by="t", reason="r", at=NOW).shift(
        variant("2"), 0.1, replace(deployment(), began_at=later), by="t", reason="try"
    )

    assert (tried.updated_at, tried.champion_since) == (later, NOW)
    assert tried.without_challenger(by="t", reason="r", at=later).champion_since == NOW
    assert tried.promote(variant("2"), by="t", reason="r", at=later).champion_since == later


def test_a_pointer_from_before_there_were_canaries_reads_back() -> None:
    values = json.loads(canary().without_challenger(by="t", reason="r", at=NOW).to_json())
    del values["deployment"], values["promoted_at"]

    pointer = ServingPointer.from_json(json.dumps(values).encode())

    assert (pointer.deployment, pointer.champion_since) == (None, NOW)


MOVES = st.lists(st.tuples(st.sampled_from("spwb"), st.integers(1, 4)), max_size=12)


@given(moves=MOVES)
def test_whatever_happens_one_champion_serves_and_the_deployment_is_the_challengers(
    moves: list[tuple[str, int]],
) -> None:
    pointer = first_pointer(variant("1"), by="t", reason="r", at=NOW)
    for step, (move, number) in enumerate(moves):
        asked = variant(str(number))
        with suppress(ValueError):
            if move == "s":
                pointer = pointer.shift(asked, 0.3, deployment(f"arn:{step}"), by="t", reason="r")
            elif move == "p":
                pointer = pointer.promote(asked, by="t", reason="r", at=NOW)
            elif move == "w":
                pointer = pointer.without_challenger(by="t", reason="r", at=NOW)
            else:
                pointer = pointer.back_to_previous(by="t", reason="r", at=NOW)

        assert sum(one.role == CHAMPION for one in pointer.variants) == 1
        assert sum(one.weight for one in pointer.variants) == pytest.approx(1.0)
        assert (pointer.challenger is None) == (pointer.deployment is None)
        assert len({one.version for one in pointer.variants}) == len(pointer.variants)
        assert all((one.role, one.weight) == (CHAMPION, 1.0) for one in pointer.previous)
        assert ServingPointer.from_json(pointer.to_json()) == pointer


@given(caller=st.text())
def test_a_caller_keeps_its_variant_while_the_deployment_lasts(caller: str) -> None:
    chosen = choose_variant(canary(), caller)

    assert choose_variant(ServingPointer.from_json(canary().to_json()), caller) == chosen


def test_callers_are_shared_out_by_weight() -> None:
    share = sum(choose_variant(canary(), f"c{n}").version == "2" for n in range(10_000)) / 10_000

    assert share == pytest.approx(0.1, abs=0.01)


def test_the_next_deployment_deals_anew() -> None:
    def tried(arn: str) -> set[str]:
        callers = (f"c{n}" for n in range(2_000))
        return {one for one in callers if choose_variant(canary(arn=arn), one).version == "2"}

    first, second = tried("arn:first"), tried("arn:second")

    assert len(first & second) < 0.3 * len(first)


SPEC = ModelSpec(
    model_name="m",
    mode="trained",
    threshold=0.5,
    bands=Bands(0.3, 0.7),
    temperature=1.2,
    dataset_version="d" * 16,
    training_job_name="job",
    mlflow_run_id=None,
    tflite=TfliteFile("a" * 64, "float32"),
    metrics={"test_accuracy": 0.99},
    provenance=Provenance("abc123", "f" * 64, "arn:job", "arn:execution"),
)


def test_a_spec_reads_back_and_fits_this_build() -> None:
    assert ModelSpec.from_json(SPEC.to_json()) == SPEC
    assert SPEC.mismatches() == []


def test_a_spec_from_before_provenance_was_written_has_an_empty_one() -> None:
    values = json.loads(SPEC.to_json())
    del values["provenance"]

    assert ModelSpec.from_json(json.dumps(values).encode()).provenance == Provenance()


def test_a_spec_of_another_preprocessing_says_what_differs() -> None:
    other = replace(SPEC, preprocessing_version=99, positive_label="dog")

    assert len(other.mismatches()) == 2


@pytest.mark.parametrize(
    "change",
    [
        {"schema": 2},
        {"mode": "guessed"},
        {"bands": {}},
        {"tflite": None},
        {"provenance": {"code": "abc"}},
        {"provenance": {"code_revision": 7}},
        {"provenance": None},
    ],
)
def test_a_damaged_spec_is_refused(change: dict[str, object]) -> None:
    values = {**json.loads(SPEC.to_json()), **change}

    with pytest.raises(ValueError, match=r"schema|mode|model\.json|provenance"):
        ModelSpec.from_json(json.dumps(values).encode())
