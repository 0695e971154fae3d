"""MLflow follows the pointer: aliases, and on each version what happened to it."""

import pytest

from areyouacat.errors import RegistryError
from areyouacat.lake import utc_text
from areyouacat.serving_pointer import ServingPointer
from lambdas.pipeline.logic.registry_sync import Difference, Told, differences, repair, tell
from tests.unit.lambdas.pipeline.factories import NOON
from tests.unit.lambdas.pipeline.fakes import MemoryRegistry, Version
from tests.unit.lambdas.pipeline.pointers import MINE, alone, trying, variant


@pytest.fixture
def registry() -> MemoryRegistry:
    """Version 1 is the champion, 2 was registered and waits."""
    versions = {number: Version("s3://lake/a", f"run-{number}", {}) for number in ("1", "2", "3")}
    return MemoryRegistry(versions, aliases={"champion": "1", "challenger": "2"})


def promoted() -> ServingPointer:
    return alone().promote(variant("2"), by=MINE, reason="daily", at=NOON)


PROMOTED = Told("promoted", "2", "1", "no harm was seen", {"traffic_challenger_requests": 9.0})
ROLLED_BACK = Told("rolled_back", "2", "1", "it failed", {})


def test_a_promotion_moves_the_alias_and_says_who_did_it_why_and_when(
    registry: MemoryRegistry,
) -> None:
    tell(registry, promoted(), PROMOTED)

    assert registry.aliases == {"champion": "2"}
    assert registry.versions["2"].tags == {
        "deployment_state": "promoted",
        "promoted_by": MINE,
        "promoted_because": "no harm was seen",
        "promoted_at": utc_text(NOON),
    }
    assert registry.versions["1"].tags["deployment_state"] == "retired"
    assert registry.metrics == {"run-2": {"traffic_challenger_requests": 9.0}}


def test_telling_it_twice_is_the_same_as_once(registry: MemoryRegistry) -> None:
    tell(registry, promoted(), PROMOTED)
    before = {number: dict(version.tags) for number, version in registry.versions.items()}

    assert tell(registry, promoted(), PROMOTED) == ()

    assert {number: version.tags for number, version in registry.versions.items()} == before


def test_a_challenger_in_the_pointer_has_the_alias(registry: MemoryRegistry) -> None:
    tell(registry, trying("3", by=MINE), Told("challenger", None, None, "try", {}))

    assert registry.aliases == {"champion": "1", "challenger": "3"}
    assert registry.versions["3"].tags["deployment_state"] == "challenger"
    assert registry.versions["3"].tags["challenger_by"] == MINE


def test_a_rolled_back_challenger_loses_the_alias_and_says_why(registry: MemoryRegistry) -> None:
    tell(registry, alone(), ROLLED_BACK)

    assert registry.aliases == {"champion": "1"}
    tags = registry.versions["2"].tags
    assert (tags["deployment_state"], tags["rolled_back_because"]) == ("rolled_back", "it failed")


def test_a_champion_that_was_left_stays_rolled_back(registry: MemoryRegistry) -> None:
    tell(registry, promoted(), PROMOTED)
    back = promoted().back_to_previous(by=MINE, reason="bad", at=NOON)

    tell(registry, back, Told("rolled_back", "2", "2", "bad", {}))

    assert registry.aliases == {"champion": "1"}
    assert registry.versions["2"].tags["deployment_state"] == "rolled_back"
    assert registry.versions["1"].tags["deployment_state"] == "promoted"


def test_what_was_unchanged_is_not_told_again(registry: MemoryRegistry) -> None:
    tell(registry, alone(), Told("unchanged", "1", None, "again", {}))

    assert registry.versions["1"].tags == {}


def test_a_version_that_waits_for_its_deployment_keeps_its_alias(registry: MemoryRegistry) -> None:
    assert differences(registry, alone()) == ()


def test_every_difference_is_found_without_touching_anything(registry: MemoryRegistry) -> None:
    found = differences(registry, trying("3"))

    assert found == (Difference("challenger", "2", "3"),)
    assert differences(registry, promoted()) == (
        Difference("champion", "1", "2"),
        Difference("challenger", "2", None),
    )
    assert registry.aliases == {"champion": "1", "challenger": "2"}


def test_a_repair_leaves_no_difference(registry: MemoryRegistry) -> None:
    assert len(repair(registry, promoted())) == 2

    assert registry.aliases == {"champion": "2"}
    assert registry.versions["2"].tags["promoted_because"] == "daily"
    assert registry.versions["1"].tags["deployment_state"] == "retired"
    assert repair(registry, promoted()) == ()


def test_a_registry_that_lost_its_aliases_gets_them_back(registry: MemoryRegistry) -> None:
    registry.aliases.clear()

    repair(registry, trying("3"))

    assert registry.aliases == {"champion": "1", "challenger": "3"}


def test_a_registry_that_is_away_or_does_not_know_the_version_says_so(
    registry: MemoryRegistry,
) -> None:
    with pytest.raises(RegistryError):
        repair(registry, alone("8"))
    assert registry.aliases["champion"] == "1"
    registry.away = True
    with pytest.raises(RegistryError):
        tell(registry, promoted(), PROMOTED)
