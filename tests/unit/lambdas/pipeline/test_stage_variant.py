"""StageVariant: what may be asked for, and what is filled in."""

from typing import Any

import pytest
from pydantic import ValidationError

from areyouacat.errors import ModelNotFoundError
from areyouacat.lake import SERVING_POINTER_KEY
from areyouacat.serving_pointer import Strategy
from areyouacat.settings import AB_TEST, CANARY, MAX_BAKE_SECONDS
from lambdas.pipeline.handlers import stage_variant
from lambdas.pipeline.logic.staging import Plan, Wanted, plan
from tests.unit.lambdas.pipeline.moto_cloud import Cloud
from tests.unit.lambdas.pipeline.pointers import alone, lake_with, variant

BAKE, CHECK = 1800, 60
NOTHING_WANTED = Wanted(Strategy.CANARY, None, None, None)


@pytest.fixture
def lake(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> Cloud:
    """Versions 1 and 2 are in it, version 1 serves."""
    monkeypatch.setenv("BAKE_SECONDS", str(BAKE))
    monkeypatch.setenv("CHECK_SECONDS", str(CHECK))
    for key, content in lake_with("1", "2").objects.items():
        cloud.s3.put_object(Bucket="lake", Key=key, Body=content)
    cloud.s3.put_object(Bucket="lake", Key=SERVING_POINTER_KEY, Body=alone().to_json())
    return cloud


def planned(wanted: Wanted, version: str = "2", *, serving: bool = True) -> Plan:
    pointer = alone() if serving else None
    return plan(
        variant(version), pointer, wanted, canary_bake_seconds=BAKE, canary_check_seconds=CHECK
    )


@pytest.mark.usefixtures("lake")
@pytest.mark.parametrize("version", ["2", 2])
def test_a_version_alone_is_enough_to_ask_for(context: Any, version: object) -> None:
    answer = stage_variant.handler({"version": version}, context)

    assert answer["variant"]["version"] == "2"
    assert (answer["strategy"], answer["canary_weight"]) == ("canary", CANARY.weight)
    assert (answer["bake_seconds"], answer["check_seconds"]) == (BAKE, CHECK)
    assert (answer["source"], bool(answer["reason"])) == ("manual", True)


@pytest.mark.usefixtures("lake")
def test_what_was_asked_for_is_what_is_planned(context: Any) -> None:
    asked = {
        "version": "2",
        "strategy": "ab_test",
        "canary_weight": 0.5,
        "bake_seconds": 600,
        "check_seconds": 7,
        "reason": "two losses",
        "source": "train",
    }

    answer = stage_variant.handler(asked, context)

    assert {name: answer[name] for name in asked if name != "version"} == {
        name: value for name, value in asked.items() if name != "version"
    }


@pytest.mark.usefixtures("lake")
def test_an_unknown_version_names_those_in_the_lake(context: Any) -> None:
    with pytest.raises(ModelNotFoundError, match=r"There are: 1, 2\."):
        stage_variant.handler({"version": "7"}, context)


@pytest.mark.usefixtures("lake")
@pytest.mark.parametrize(
    ("field", "value"),
    [("version", value) for value in ("", "0", "latest", "../1", "1/", None, -1)]
    + [("canary_weight", value) for value in (0, 1, -0.1, "half")]
    + [("bake_seconds", value) for value in (-1, MAX_BAKE_SECONDS + 1, 0.5)]
    + [("check_seconds", 0), ("strategy", "blue_green")],
)
def test_what_makes_no_sense_is_refused_by_its_name(
    context: Any, field: str, value: object
) -> None:
    with pytest.raises(ValidationError, match=field):
        stage_variant.handler({"version": "2", field: value}, context)


@pytest.mark.parametrize("strategy", list(Strategy))
@pytest.mark.parametrize(("version", "serving"), [("2", False), ("1", True)])
def test_without_another_champion_all_traffic_goes_at_once(
    strategy: Strategy, version: str, serving: bool
) -> None:
    wanted = Wanted(strategy, None, None, None)

    assert planned(wanted, version, serving=serving).strategy is Strategy.ALL_AT_ONCE


def test_an_ab_test_has_settings_of_its_own() -> None:
    found = planned(Wanted(Strategy.AB_TEST, None, None, None))

    assert found.canary_weight == AB_TEST.weight
    assert (found.bake_seconds, found.check_seconds) == (
        AB_TEST.bake_seconds,
        AB_TEST.check_seconds,
    )


def test_nothing_wanted_is_a_canary_as_the_target_has_it() -> None:
    assert planned(NOTHING_WANTED) == Plan(Strategy.CANARY, CANARY.weight, BAKE, CHECK)


def test_the_longest_deployment_does_not_outgrow_an_executions_history() -> None:
    found = planned(Wanted(Strategy.AB_TEST, None, MAX_BAKE_SECONDS, 1))

    assert found.bake_seconds / found.check_seconds <= 2_000
