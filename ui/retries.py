"""When a failed call is made again: a few times, ever later, and never past its deadline.

urllib3's `Retry` cannot do this: it sees statuses, not error codes, and knows no deadline.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from ui.api_errors import ApiError


class Clock(Protocol):
    """Time, so that tests need not wait for it."""

    def now(self) -> float:
        """Seconds since some moment; never goes back."""

    def sleep(self, seconds: float) -> None:
        """Returns after so many seconds."""


class SystemClock:
    """The machine's own time."""

    def now(self) -> float:
        """See `Clock.now`."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """See `Clock.sleep`."""
        time.sleep(seconds)


@dataclass(frozen=True, slots=True)
class RetryRules:
    """How patient a client is. Seconds, but for `attempts`, the most calls for one question."""

    attempts: int = 4
    first_wait: float = 0.3  # doubled after every attempt
    longest_wait: float = 5.0
    longest_retry_after: float = 15.0  # what the API may ask for; beyond it the caller decides
    shortest_attempt: float = 0.5  # with less time left an attempt is not worth making


RETRY_RULES: Final = RetryRules()


def wait_before_retry(
    error: ApiError,
    attempt: int,
    seconds_left: float,
    rules: RetryRules = RETRY_RULES,
    jitter: Callable[[], float] = random.random,
) -> float | None:
    """How long to wait before the call is made again; `None` if it must not be.

    `attempt`: which one has failed, from 1. `jitter`: [0, 1], shortens a wait by up to a half, so
    that clients which failed together do not come back together; never below what the API asked.
    """
    if not error.transient or attempt >= rules.attempts:
        return None
    longest = min(rules.first_wait * 2 ** (attempt - 1), rules.longest_wait)
    wait = longest * (1 - jitter() / 2)
    if error.retry_after_seconds is not None:
        if error.retry_after_seconds > rules.longest_retry_after:
            return None
        wait = max(wait, error.retry_after_seconds)
    return wait if wait + rules.shortest_attempt <= seconds_left else None
