"""How the load benchmark tells that a prediction was lost, or stored twice."""

from collections import Counter

import pytest

from benchmarks.api_load import lost_and_doubled


@pytest.mark.parametrize(
    ("answered", "stored", "found"),
    [
        (["a", "b"], {"a": 1, "b": 1}, (0, 0)),
        (["a", "b"], {"a": 1}, (1, 0)),
        (["a"], {"a": 1, "b": 1}, (0, 1)),  # never answered
        (["a", "a"], {"a": 1}, (1, 0)),  # two requests, one item
        (["a"], {"b": 1}, (1, 1)),
        ([], {}, (0, 0)),
    ],
)
def test_every_answer_must_be_exactly_one_item(
    answered: list[str], stored: dict[str, int], found: tuple[int, int]
) -> None:
    assert lost_and_doubled(answered, Counter(stored)) == found
