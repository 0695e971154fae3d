from __future__ import annotations

import threading

import pytest

from areyouacat.batches import Location
from areyouacat.errors import CorruptModelError
from lambdas.batch.logic.scoring import MODEL_FAILED, ModelCopies, Unread, rows
from lambdas.serving.logic.loaded_model import LoadedModel
from tests.unit.lambdas.serving.conftest import jpeg, tiny_files, variant_of


def model(copies: int) -> ModelCopies:
    files = tiny_files()
    return ModelCopies(variant_of("3", files), files, copies)


def test_rows_come_in_the_order_of_the_photos_whoever_computes_them() -> None:
    locations = [Location("lake", f"{number:03d}") for number in range(60)]

    one = list(rows(locations, lambda at: jpeg(int(at.key) * 4), model(1)))
    four = list(rows(locations, lambda at: jpeg(int(at.key) * 4), model(4)))

    assert [row.key for row in four] == [location.key for location in locations]
    assert one == four


def test_no_copy_serves_two_threads_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    busy: set[int] = set()
    lock, clashes = threading.Lock(), []
    score = LoadedModel.score

    def watched(self: LoadedModel, model_input: object) -> object:
        with lock:
            clashes.append(id(self) in busy)
            busy.add(id(self))
        try:
            return score(self, model_input)  # type: ignore[arg-type]
        finally:
            with lock:
                busy.discard(id(self))

    monkeypatch.setattr(LoadedModel, "score", watched)

    list(rows([Location("lake", "a")] * 40, lambda _: jpeg(250), model(3)))

    assert not any(clashes)


def test_a_model_that_fails_on_one_photo_fails_on_that_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    score = LoadedModel.score
    calls = iter(range(10))

    def sometimes(self: LoadedModel, model_input: object) -> object:
        if next(calls) == 1:
            raise CorruptModelError("the model answered with no number: nan")
        return score(self, model_input)  # type: ignore[arg-type]

    monkeypatch.setattr(LoadedModel, "score", sometimes)

    found = list(rows([Location("lake", "a")] * 3, lambda _: jpeg(250), model(1)))

    assert [row.error for row in found] == [None, MODEL_FAILED, None]


def test_a_photo_that_could_not_be_read_keeps_its_reason() -> None:
    (row,) = rows([Location("lake", "a")], lambda _: Unread("archived", "Restore it."), model(1))

    assert (row.error, row.message, row.photo) == ("archived", "Restore it.", None)
