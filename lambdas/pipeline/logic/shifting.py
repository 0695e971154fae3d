"""ShiftTraffic: the challenger meets its share of the callers."""

from dataclasses import dataclass
from datetime import datetime

from areyouacat.errors import AlreadyServingError, ModelNotFoundError
from areyouacat.serving_pointer import Deployment, Strategy, Variant
from lambdas.pipeline.logic.pointer_lock import PointerStore, require_free
from lambdas.pipeline.logic.ports import ExecutionStatuses


@dataclass(frozen=True, slots=True)
class Shift:
    """Who has the traffic now, and since when; `changed` is False if it was so already."""

    changed: bool
    champion_version: str
    challenger_version: str
    began_at: datetime


def shift(
    store: PointerStore,
    executions: ExecutionStatuses,
    variant: Variant,
    weight: float,
    strategy: Strategy,
    *,
    by: str,
    reason: str,
    at: datetime,
) -> Shift:
    """Give `variant` the share `weight`, (0, 1), of the callers beside the champion.

    The same execution again changes nothing and tells the time of the first. The challenger of a
    deployment that ended without taking it out gives way.

    Raises:
        DeploymentInProgressError, AbTestInProgressError: another challenger has its share.
        AlreadyServingError: the deployment that this one waited for has promoted `variant`.
        StalePointerError: somebody else moved the pointer; call again to decide on the new one.
        ModelNotFoundError: nothing serves, so there is no traffic to share.
    """
    stored = store.read()
    if stored is None:
        raise ModelNotFoundError("Nothing serves yet: deploy with the strategy all_at_once.")
    require_free(stored.pointer.deployment, by, executions)
    if stored.pointer.champion.version == variant.version:
        raise AlreadyServingError(f"Version {variant.version} serves already.")
    pointer = stored.pointer.shift(
        variant, weight, Deployment(by, strategy, at), by=by, reason=reason
    )
    changed = pointer is not stored.pointer
    if changed:
        store.write(pointer, stored)
    deployment = pointer.deployment
    began_at = deployment.began_at if deployment else at
    return Shift(changed, pointer.champion.version, variant.version, began_at)
