"""Vectors in one array: what is there, what is missing, and that nothing is there twice."""

import numpy as np
import pytest

from training_job.vector_table import VectorTable

DIM = 4


def vectors(*values: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float16]]:
    return np.stack([np.full(DIM, value, np.float16) for value in values])


@pytest.fixture
def table() -> VectorTable:
    made = VectorTable(["a", "b", "c", "d"], DIM)
    made.fill(["d", "a", "b", "z"], vectors(4, 1, 2, 9))
    return made


def test_a_photo_is_there_from_when_its_row_is_filled(table: VectorTable) -> None:
    assert list(table) == ["a", "b", "d"]
    assert len(table) == 3
    assert table["d"].tolist() == [4] * DIM
    assert table.missing() == ["c"]
    assert "c" not in table
    assert table.get("c") is None


def test_what_was_not_asked_for_is_passed_over(table: VectorTable) -> None:
    assert "z" not in table
    assert not table.wants_any(["z"])
    assert table.wants_any(["z", "c"])


def test_a_later_vector_of_a_photo_replaces_the_earlier(table: VectorTable) -> None:
    table.fill(["a"], vectors(7))

    assert table["a"].tolist() == [7] * DIM
    assert len(table) == 3


def test_photos_whose_rows_follow_one_another_are_not_copied(table: VectorTable) -> None:
    stacked = table.stacked(["a", "b"])

    assert np.shares_memory(stacked, table["a"])
    assert stacked[:, 0].tolist() == [1, 2]
    with pytest.raises(ValueError, match="read-only"):
        stacked[0] = 0


@pytest.mark.parametrize("photos", [["a", "d"], ["b", "a"]], ids=["a gap", "another order"])
def test_photos_in_any_order_are_stacked_in_that_order(
    table: VectorTable, photos: list[str]
) -> None:
    stacked = table.stacked(photos)

    assert stacked.tolist() == [table[photo].tolist() for photo in photos]
    assert not np.shares_memory(stacked, table["a"])


def test_no_photos_are_no_rows_of_the_same_width(table: VectorTable) -> None:
    assert table.stacked([]).shape == (0, DIM)


@pytest.mark.parametrize("photo", ["c", "z"], ids=["not filled", "not asked for"])
def test_a_photo_that_is_not_there_cannot_be_had(table: VectorTable, photo: str) -> None:
    with pytest.raises(KeyError, match=photo):
        table[photo]
    with pytest.raises(KeyError, match=photo):
        table.stacked(["a", photo])
    assert table.get("a") is not None
