from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest

from areyouacat.errors import CorruptModelError, NoModelError
from areyouacat.serving_pointer import CHALLENGER, ServingPointer, Variant
from lambdas.serving.logic.loaded_model import ModelFiles
from lambdas.serving.logic.serving_models import ServingModels
from lambdas.shared.serving_pointer_store import StoredPointer
from tests.unit.lambdas.serving.conftest import pointer_of, tiny_files, variant_of

ONE, TWO = tiny_files(), tiny_files(inverted=True)
V1, V2 = variant_of("1", ONE), variant_of("2", TWO)


@dataclass
class FakeLake:
    """Pointer and models in memory; counts what is asked of it."""

    stored: StoredPointer | None = None
    files: dict[str, ModelFiles] = field(default_factory=lambda: {"1": ONE, "2": TWO})
    pointer_reads: int = 0
    downloads: list[str] = field(default_factory=list)
    out_of_order: bool = False

    def point(self, pointer: ServingPointer) -> None:
        self.stored = StoredPointer(pointer, etag=f"etag-{id(pointer)}")


@dataclass
class FakePointers:
    lake: FakeLake

    def read(self, known: StoredPointer | None = None) -> StoredPointer | None:
        self.lake.pointer_reads += 1
        if self.lake.out_of_order:
            raise ConnectionError("S3 is out of order")
        return known if known == self.lake.stored else self.lake.stored


@dataclass
class FakeModels:
    lake: FakeLake

    def read(self, variant: Variant) -> ModelFiles:
        self.lake.downloads.append(variant.version)
        if variant.version not in self.lake.files:
            raise CorruptModelError("not there")
        return self.lake.files[variant.version]


@dataclass
class Clock:
    seconds: float = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def lake() -> FakeLake:
    return FakeLake()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def models(lake: FakeLake, clock: Clock) -> ServingModels:
    return ServingModels(FakePointers(lake), FakeModels(lake), max_age_seconds=30, clock=clock)


def version_for(models: ServingModels, caller: str = "somebody") -> str:
    return models.lineup().for_caller(caller)[0].variant.version


def test_without_a_pointer_there_is_no_model(models: ServingModels) -> None:
    with pytest.raises(NoModelError):
        models.lineup()


def test_the_first_model_serves_at_once_after_its_promotion(
    models: ServingModels, lake: FakeLake
) -> None:
    with pytest.raises(NoModelError):
        models.lineup()

    lake.point(pointer_of(V1))

    assert version_for(models) == "1"


def test_the_pointer_is_asked_for_at_most_every_thirty_seconds(
    models: ServingModels, lake: FakeLake, clock: Clock
) -> None:
    lake.point(pointer_of(V1))
    for _ in range(5):
        models.lineup()
    assert lake.pointer_reads == 1

    clock.seconds += 31
    models.lineup()

    assert lake.pointer_reads == 2
    assert lake.downloads == ["1"]


def test_a_promotion_swaps_the_model_without_a_cold_start(
    models: ServingModels, lake: FakeLake, clock: Clock
) -> None:
    lake.point(pointer_of(V1))
    assert version_for(models) == "1"
    lake.point(pointer_of(V2, previous=(V1,)))
    assert version_for(models) == "1"

    clock.seconds += 31

    assert version_for(models) == "2"


def test_a_corrupt_model_is_refused_and_counted_while_the_old_one_serves(
    models: ServingModels, lake: FakeLake, clock: Clock
) -> None:
    lake.point(pointer_of(V1))
    models.lineup()
    lake.files["2"] = replace(TWO, tflite=b"spoiled")
    lake.point(pointer_of(V2, previous=(V1,)))

    clock.seconds += 31

    assert version_for(models) == "1"
    assert models.take_refusals() == 1
    assert models.take_refusals() == 0


def test_a_corrupt_model_that_is_mended_serves_after_the_next_look(
    models: ServingModels, lake: FakeLake, clock: Clock
) -> None:
    lake.point(pointer_of(V1))
    models.lineup()
    del lake.files["2"]
    lake.point(pointer_of(V2, previous=(V1,)))
    clock.seconds += 31
    models.lineup()

    lake.files["2"] = TWO
    clock.seconds += 31

    assert version_for(models) == "2"


def test_a_fresh_process_answers_with_the_previous_model_if_the_new_one_is_corrupt(
    models: ServingModels, lake: FakeLake
) -> None:
    del lake.files["2"]
    lake.point(pointer_of(V2, previous=(V1,)))

    assert version_for(models) == "1"
    assert models.take_refusals() == 1


def test_with_no_model_that_can_be_loaded_the_answer_is_no_model(
    models: ServingModels, lake: FakeLake
) -> None:
    lake.files.clear()
    lake.point(pointer_of(V2, previous=(V1,)))

    with pytest.raises(NoModelError):
        models.lineup()


def test_a_lake_out_of_order_leaves_the_loaded_model_serving(
    models: ServingModels, lake: FakeLake, clock: Clock
) -> None:
    lake.point(pointer_of(V1))
    models.lineup()

    lake.out_of_order = True
    clock.seconds += 31

    assert version_for(models) == "1"


def test_a_lake_out_of_order_at_the_first_request_is_an_error(
    models: ServingModels, lake: FakeLake
) -> None:
    lake.out_of_order = True

    with pytest.raises(ConnectionError):
        models.lineup()


def test_a_deleted_pointer_ends_serving(
    models: ServingModels, lake: FakeLake, clock: Clock
) -> None:
    lake.point(pointer_of(V1))
    models.lineup()
    lake.stored = None
    clock.seconds += 31

    with pytest.raises(NoModelError):
        models.lineup()


def test_a_change_of_weights_downloads_nothing_again(
    models: ServingModels, lake: FakeLake, clock: Clock
) -> None:
    canary = replace(V2, role=CHALLENGER, weight=0.1)
    lake.point(pointer_of(replace(V1, weight=0.9), canary))
    models.lineup()

    lake.point(pointer_of(replace(V1, weight=0.5), replace(canary, weight=0.5)))
    clock.seconds += 31
    models.lineup()

    assert sorted(lake.downloads) == ["1", "2"]


def test_callers_are_shared_out_and_each_keeps_its_variant(
    models: ServingModels, lake: FakeLake
) -> None:
    lake.point(pointer_of(replace(V1, weight=0.5), replace(V2, role=CHALLENGER, weight=0.5)))
    callers = [f"caller-{number}" for number in range(40)]

    first = [version_for(models, caller) for caller in callers]

    assert set(first) == {"1", "2"}
    assert [version_for(models, caller) for caller in callers] == first


def test_the_champion_stands_behind_every_other_variant(
    models: ServingModels, lake: FakeLake
) -> None:
    lake.point(pointer_of(replace(V1, weight=0.0), replace(V2, role=CHALLENGER, weight=1.0)))

    candidates = models.lineup().for_caller("somebody")

    assert [candidate.variant.version for candidate in candidates] == ["2", "1"]


def test_a_challenger_that_cannot_be_loaded_is_answered_for_by_the_champion(
    models: ServingModels, lake: FakeLake
) -> None:
    del lake.files["2"]
    lake.point(pointer_of(replace(V1, weight=0.0), replace(V2, role=CHALLENGER, weight=1.0)))

    lineup = models.lineup()

    assert [candidate.variant.version for candidate in lineup.for_caller("x")] == ["1"]
    assert lineup.refused_to("x") is not None
