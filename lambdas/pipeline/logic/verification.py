"""A challenger whose deployment has ended without a word leaves the traffic."""

from datetime import datetime
from typing import Final

from lambdas.pipeline.logic.pointer_lock import PointerStore, is_running
from lambdas.pipeline.logic.ports import ExecutionStatuses

BY: Final = "verify-registry"


def drop_abandoned(
    store: PointerStore, executions: ExecutionStatuses, *, at: datetime, write: bool = True
) -> str | None:
    """The execution that left its challenger behind, if one did; None if all is well.

    `write`: take the challenger out of the traffic.

    Raises:
        StalePointerError: somebody else moved the pointer; call again to decide on the new one.
    """
    stored = store.read()
    deployment = stored.pointer.deployment if stored else None
    if stored is None or deployment is None or is_running(deployment, executions):
        return None
    if write:
        reason = f"its deployment ended before it was decided: {deployment.execution_arn}"
        store.write(stored.pointer.without_challenger(by=BY, reason=reason, at=at), stored)
    return deployment.execution_arn
