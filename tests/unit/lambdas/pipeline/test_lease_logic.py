from collections.abc import Callable
from datetime import datetime

import pytest

from lambdas.pipeline.logic.lease import acquire
from tests.unit.lambdas.pipeline.factories import NOON


class Lease:
    """A lease in memory. `meanwhile` happens between looking at it and taking it over."""

    def __init__(
        self, holder: str | None = None, meanwhile: Callable[["Lease"], None] | None = None
    ) -> None:
        self.holder = holder
        self.because: tuple[str, datetime] | None = None
        self._meanwhile = meanwhile

    def lease_holder(self) -> str | None:
        seen = self.holder
        if self._meanwhile:
            self._meanwhile(self)
            self._meanwhile = None
        return seen

    def take_lease(self, holder: str, reason: str, at: datetime, *, over: str | None) -> bool:
        if self.holder in {None, holder, over}:
            self.holder = holder
            self.because = (reason, at)
            return True
        return False


class Statuses(dict[str, str]):
    def status(self, execution_arn: str) -> str | None:
        return self.get(execution_arn)


def test_a_free_lease_is_taken() -> None:
    lease = Lease()

    result = acquire(lease, Statuses(), "mine", "why", NOON)

    assert result.acquired
    assert lease.holder == "mine"
    assert lease.because == ("why", NOON)


def test_the_holder_may_ask_again() -> None:
    lease = Lease("mine")

    result = acquire(lease, Statuses(mine="RUNNING"), "mine", "why", NOON)

    assert result.acquired
    assert result.taken_from is None


def test_a_running_holder_keeps_the_lease() -> None:
    lease = Lease("other")

    result = acquire(lease, Statuses(other="RUNNING"), "mine", "why", NOON)

    assert not result.acquired
    assert result.holder == "other"
    assert lease.holder == "other"


@pytest.mark.parametrize("status", ["SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"])
def test_the_lease_of_an_ended_execution_is_taken_over(status: str) -> None:
    lease = Lease("other")

    result = acquire(lease, Statuses(other=status), "mine", "why", NOON)

    assert result.acquired
    assert result.taken_from == "other"
    assert lease.holder == "mine"


def test_the_lease_of_an_execution_nobody_knows_is_taken_over() -> None:
    lease = Lease("forgotten")

    assert acquire(lease, Statuses(), "mine", "why", NOON).acquired


def test_of_two_that_take_over_a_stale_lease_at_once_the_second_finds_the_first_running() -> None:
    def first_comes(lease: Lease) -> None:
        lease.holder = "first"

    lease = Lease("dead", meanwhile=first_comes)

    result = acquire(lease, Statuses(dead="FAILED", first="RUNNING"), "second", "why", NOON)

    assert not result.acquired
    assert result.holder == "first"
    assert lease.holder == "first"


def test_a_lease_given_back_while_we_looked_is_taken() -> None:
    def given_back(lease: Lease) -> None:
        lease.holder = None

    lease = Lease("other", meanwhile=given_back)

    result = acquire(lease, Statuses(other="SUCCEEDED"), "mine", "why", NOON)

    assert result.acquired
    assert lease.holder == "mine"
