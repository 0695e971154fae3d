import threading
from collections.abc import Iterator

import pytest

from lambdas.serving.logic.ahead import ahead


def test_results_come_in_the_items_order_whoever_is_first() -> None:
    gate = threading.Event()

    def slow_for_zero(item: int) -> int:
        if item == 0:
            assert gate.wait(timeout=10)
        if item == 3:
            gate.set()
        return item * item

    assert list(ahead(slow_for_zero, range(6), threads=4, window=4)) == [0, 1, 4, 9, 16, 25]


def test_no_more_items_are_taken_than_the_window_holds() -> None:
    taken: list[int] = []

    def items() -> Iterator[int]:
        for number in range(100):
            taken.append(number)
            yield number

    results = ahead(str, items(), threads=2, window=5)
    next(results)

    assert taken == [0, 1, 2, 3, 4]


def test_an_error_is_raised_where_its_result_would_be() -> None:
    def odd(item: int) -> int:
        if item == 2:
            raise ValueError("two")
        return item

    results = ahead(odd, range(50), threads=2, window=4)

    assert [next(results), next(results)] == [0, 1]
    with pytest.raises(ValueError, match="two"):
        next(results)


def test_nothing_runs_on_once_the_results_are_no_longer_wanted() -> None:
    before = threading.active_count()
    results = ahead(str, range(50), threads=3, window=8)
    next(results)

    results.close()

    assert threading.active_count() == before


def test_no_items_give_no_results() -> None:
    assert list(ahead(str, [], threads=2, window=2)) == []
