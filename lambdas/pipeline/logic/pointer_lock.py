"""One deployment at a time: whose challenger stands in the pointer, and is it still at work?"""

from typing import Protocol

from areyouacat.errors import AbTestInProgressError, DeploymentInProgressError
from areyouacat.lease import is_stale
from areyouacat.serving_pointer import Deployment, ServingPointer, Strategy
from lambdas.pipeline.logic.ports import ExecutionStatuses
from lambdas.shared.serving_pointer_store import StoredPointer


class PointerStore(Protocol):
    """Where the serving pointer is kept."""

    def read(self) -> StoredPointer | None:
        """The stored pointer, or None."""

    def write(self, pointer: ServingPointer, replacing: StoredPointer | None) -> StoredPointer:
        """Replace what was read; StalePointerError if it changed meanwhile."""


def require_free(deployment: Deployment | None, by: str, executions: ExecutionStatuses) -> None:
    """Lets the execution `by` move the pointer; a deployment that has ended holds nothing.

    Raises:
        DeploymentInProgressError: another one that still runs has a challenger in the pointer.
        AbTestInProgressError: the same, and it is an A/B test.
    """
    if deployment is None or deployment.execution_arn == by:
        return
    if not is_running(deployment, executions):
        return
    if deployment.strategy is Strategy.AB_TEST:
        raise AbTestInProgressError(
            f"An A/B test has the traffic since {deployment.began_at:%Y-%m-%d %H:%M} UTC: "
            f"{deployment.execution_arn}. Let it end, or end it with make rollback; then deploy "
            "again."
        )
    raise DeploymentInProgressError(
        f"Another deployment is under way since {deployment.began_at:%Y-%m-%d %H:%M:%S} UTC: "
        f"{deployment.execution_arn}. Let it end, or end it with make rollback."
    )


def is_running(deployment: Deployment, executions: ExecutionStatuses) -> bool:
    """Whether the deployment's execution will go on by itself."""
    return not is_stale(executions.status(deployment.execution_arn))
