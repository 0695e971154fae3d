"""Taking and returning the training lease: at most one training at a time."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from areyouacat.lease import is_stale
from lambdas.pipeline.logic.ports import ExecutionStatuses

_ATTEMPTS: Final = 3
"""Every further attempt means that the lease changed hands while we looked."""


class LeaseTable(Protocol):
    """Where the lease is kept."""

    def lease_holder(self) -> str | None:
        """Who holds the lease."""

    def take_lease(self, holder: str, reason: str, at: datetime, *, over: str | None) -> bool:
        """Take it if free, one's own, or `over`'s."""


@dataclass(frozen=True, slots=True)
class LeaseResult:
    """Who holds the lease now. `taken_from`: the dead holder it was taken over from."""

    acquired: bool
    holder: str
    taken_from: str | None = None


def acquire(
    table: LeaseTable, executions: ExecutionStatuses, holder: str, reason: str, now: datetime
) -> LeaseResult:
    """Take the lease for the execution `holder` unless another one that still runs has it.

    The holder itself may ask again. A lease whose holder has ended is taken over; of several
    that try so at once, one succeeds and the others find a running holder.
    """
    other: str | None = None
    for _ in range(_ATTEMPTS):
        if table.take_lease(holder, reason, now, over=other):
            return LeaseResult(acquired=True, holder=holder, taken_from=other)
        current = table.lease_holder()
        if current is None:
            other = None
            continue
        if not is_stale(executions.status(current)):
            return LeaseResult(acquired=False, holder=current)
        other = current
    return LeaseResult(acquired=False, holder=other or "unknown")
