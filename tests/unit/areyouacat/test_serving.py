"""Verdicts, the serving pointer and `model.json`."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from areyouacat.model_spec import ModelSpec, Provenance, TfliteFile
from areyouacat.serving_pointer import (
    CHALLENGER,
    CHAMPION,
    ServingPointer,
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


@given(caller=st.text())
def test_a_caller_keeps_its_variant(caller: str) -> None:
    pointer = ServingPointer(
        (variant("1", weight=0.9), variant("2", CHALLENGER, 0.1)), (), NOW, "t", "r"
    )

    assert choose_variant(pointer, caller) == choose_variant(pointer, caller)


def test_callers_are_shared_out_by_weight() -> None:
    pointer = ServingPointer(
        (variant("1", weight=0.9), variant("2", CHALLENGER, 0.1)), (), NOW, "t", "r"
    )

    share = sum(choose_variant(pointer, f"c{n}").version == "2" for n in range(10_000)) / 10_000

    assert share == pytest.approx(0.1, abs=0.01)


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
