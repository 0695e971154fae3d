"""What an alarm's message says besides its meaning: where it is written what to do."""

from typing import Final

PAGE: Final = "docs/runbook.md"


def described(meaning: str, construct_id: str) -> str:
    """An alarm's description: whole sentences, then the alarm's entry in the runbook.

    An entry's heading is the id of the alarm's construct; a test holds both together.
    """
    return f"{meaning} Runbook: {PAGE}#{construct_id.lower()}"
