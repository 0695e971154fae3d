import pytest

from areyouacat.errors import RegistryError, StalePointerError
from areyouacat.serving_pointer import ServingPointer, Variant, first_pointer
from lambdas.pipeline.logic.promotion import AliasMove, Promotion, move_alias, promote
from lambdas.shared.serving_pointer_store import StoredPointer
from tests.unit.lambdas.pipeline.factories import NOON
from tests.unit.lambdas.pipeline.fakes import MemoryRegistry, Version


def variant(version: str) -> Variant:
    return Variant(
        role="challenger",
        name="are-you-a-cat",
        version=version,
        weight=0.0,
        key=f"models/{version}/model.tflite",
        sha256="a" * 64,
        model_json_key=f"models/{version}/model.json",
        model_json_sha256="b" * 64,
    )


class MemoryPointer:
    """One pointer; every write gives it another entity tag."""

    def __init__(self) -> None:
        self.stored: StoredPointer | None = None
        self.writes = 0

    def read(self) -> StoredPointer | None:
        return self.stored

    def write(self, pointer: ServingPointer, replacing: StoredPointer | None) -> StoredPointer:
        if replacing is not self.stored:
            raise StalePointerError
        self.writes += 1
        self.stored = StoredPointer(pointer, f"etag-{self.writes}")
        return self.stored


class MovedUnderneath(MemoryPointer):
    """Somebody else promotes between our read and our write."""

    def read(self) -> StoredPointer | None:
        seen = self.stored
        theirs = first_pointer(variant("9"), by="other", reason="faster", at=NOON)
        self.stored = StoredPointer(theirs, "etag-of-theirs")
        return seen


def test_the_first_version_serves_with_nothing_before_it() -> None:
    store = MemoryPointer()

    promotion = promote(store, variant("1"), by="execution", reason="first", at=NOON)

    assert promotion == Promotion(changed=True, version="1", previous_version=None)
    assert store.stored is not None
    assert store.stored.pointer.champion.weight == 1.0
    assert store.stored.pointer.updated_by == "execution"
    assert store.stored.pointer.reason == "first"


def test_the_next_version_names_the_one_before_it() -> None:
    store = MemoryPointer()
    promote(store, variant("1"), by="execution", reason="first", at=NOON)

    promotion = promote(store, variant("2"), by="execution", reason="better", at=NOON)

    assert promotion == Promotion(changed=True, version="2", previous_version="1")


def test_promoting_the_champion_again_changes_nothing_and_says_so() -> None:
    store = MemoryPointer()
    promote(store, variant("1"), by="execution", reason="first", at=NOON)
    promote(store, variant("2"), by="execution", reason="better", at=NOON)
    before = store.stored

    promotion = promote(store, variant("2"), by="execution", reason="retried", at=NOON)

    assert promotion == Promotion(changed=False, version="2", previous_version="1")
    assert store.stored is before


def test_a_pointer_moved_by_somebody_else_is_not_overwritten() -> None:
    store = MovedUnderneath()

    with pytest.raises(StalePointerError):
        promote(store, variant("2"), by="execution", reason="better", at=NOON)

    assert store.stored is not None
    assert store.stored.pointer.champion.version == "9"


@pytest.fixture
def registry() -> MemoryRegistry:
    versions = {number: Version("s3://lake/a", None, {}) for number in ("1", "2", "3")}
    return MemoryRegistry(versions, aliases={"champion": "1", "challenger": "2"})


def test_the_alias_moves_and_the_version_says_who_did_it_and_why(registry: MemoryRegistry) -> None:
    move = move_alias(registry, "2", by="execution", reason="better", at="now")

    assert move == AliasMove("2", previous_version="1")
    assert registry.aliases == {"champion": "2"}
    assert registry.versions["2"].tags == {
        "promoted_by": "execution",
        "promoted_because": "better",
        "promoted_at": "now",
    }


def test_another_challenger_keeps_its_alias(registry: MemoryRegistry) -> None:
    move_alias(registry, "3", by="execution", reason="rollback", at="now")

    assert registry.aliases == {"champion": "3", "challenger": "2"}


def test_moving_the_alias_twice_is_the_same_as_once(registry: MemoryRegistry) -> None:
    move_alias(registry, "2", by="execution", reason="better", at="now")
    again = move_alias(registry, "2", by="execution", reason="better", at="now")

    assert again == AliasMove("2", previous_version="2")
    assert registry.aliases == {"champion": "2"}


def test_a_version_the_registry_does_not_know_leaves_the_alias_alone(
    registry: MemoryRegistry,
) -> None:
    with pytest.raises(RegistryError):
        move_alias(registry, "8", by="execution", reason="typo", at="now")

    assert registry.aliases["champion"] == "1"
