"""What happened in executions, read from the newest event back, and nothing of it twice."""

from __future__ import annotations

from typing import Any, Final

from areyouacat.execution_history import Event
from ui import aws

_EVENTS_A_PAGE: Final = 1_000


class Events:
    """The histories of executions. Calls raise `aws.AwsError`; several threads may make them."""

    def __init__(self, stepfunctions: Any) -> None:
        """`stepfunctions`: a boto3 client."""
        self._stepfunctions = stepfunctions
        self._known: dict[str, tuple[Event, ...]] = {}
        self._ended: set[str] = set()

    def of(self, arn: str, *, running: bool) -> tuple[Event, ...]:
        """All events so far, the oldest first; of one that has ended, asked for once.

        A history has 25,000 events at most, so 25 answers at most hold it.
        """
        known = self._known.get(arn, ())
        if arn in self._ended:
            return known
        known += self._newer(arn, int(known[-1]["id"]) if known else 0)
        self._known[arn] = known
        if not running:
            self._ended.add(arn)
        return known

    def _newer(self, arn: str, last: int) -> tuple[Event, ...]:
        found: list[Event] = []
        more: dict[str, str] = {}
        while True:
            with aws.in_words():
                page = self._stepfunctions.get_execution_history(
                    executionArn=arn, maxResults=_EVENTS_A_PAGE, reverseOrder=True, **more
                )
            fresh = [event for event in page["events"] if int(event["id"]) > last]
            found += fresh
            if len(fresh) < len(page["events"]) or not page.get("nextToken"):
                return tuple(reversed(found))
            more = {"nextToken": page["nextToken"]}
