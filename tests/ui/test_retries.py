from __future__ import annotations

import pytest

from ui.api_errors import ApiError
from ui.retries import RETRY_RULES, RetryRules, wait_before_retry

RULES = RetryRules(
    attempts=6, first_wait=1.0, longest_wait=5.0, longest_retry_after=15.0, shortest_attempt=0.5
)


def failed(retry_after_seconds: float | None = None, *, transient: bool = True) -> ApiError:
    return ApiError("Words.", transient=transient, retry_after_seconds=retry_after_seconds)


def test_waits_double_up_to_the_longest() -> None:
    waits = [wait_before_retry(failed(), n, 100, RULES, lambda: 0.0) for n in range(1, 6)]

    assert waits == [1, 2, 4, 5, 5]


def test_jitter_takes_up_to_half_of_a_wait() -> None:
    assert wait_before_retry(failed(), 3, 100, RULES, lambda: 1.0) == 2


def test_the_last_attempt_is_the_last() -> None:
    assert wait_before_retry(failed(), RULES.attempts, 100, RULES) is None


def test_what_will_not_pass_is_not_tried_again() -> None:
    assert wait_before_retry(failed(transient=False), 1, 100, RULES) is None


@pytest.mark.parametrize(("asked", "waited"), [(0, 1), (7, 7), (15, 15), (15.1, None)])
def test_what_the_api_asks_for_is_honoured_up_to_a_bound(
    asked: float, waited: float | None
) -> None:
    assert wait_before_retry(failed(asked), 1, 100, RULES, lambda: 0.0) == waited


@pytest.mark.parametrize(("left", "waited"), [(1.5, 1), (1.4, None), (-3, None)])
def test_no_attempt_begins_that_the_deadline_leaves_no_time_for(
    left: float, waited: float | None
) -> None:
    assert wait_before_retry(failed(), 1, left, RULES, lambda: 0.0) == waited


def test_the_usual_jitter_stays_within_its_bounds() -> None:
    waits = [wait_before_retry(failed(), 1, 100) or 0 for _ in range(200)]

    assert RETRY_RULES.first_wait / 2 <= min(waits) < max(waits) <= RETRY_RULES.first_wait
