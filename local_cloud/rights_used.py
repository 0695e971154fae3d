"""Which of its rights each caller has used since the local cloud was started."""

from __future__ import annotations

from collections.abc import Iterator


class RightsUsed:
    """Grants that let a request through: by whom, the action, the resource as the policy has it.

    As many as the policies have at most, however many requests come.
    """

    def __init__(self) -> None:
        """Nothing was used yet."""
        self._used: set[tuple[str, str, str]] = set()

    def note(self, principal: str, action: str, resource: str) -> None:
        """A request of `principal` (a session's ARN) was allowed by the grant on `resource`."""
        self._used.add((principal, action, resource))

    def listed(self) -> list[dict[str, str]]:
        """All of them, as JSON has them."""
        return list(self._rows())

    def _rows(self) -> Iterator[dict[str, str]]:
        for principal, action, resource in sorted(self._used.copy()):
            yield {"principal": principal, "action": action, "resource": resource}
