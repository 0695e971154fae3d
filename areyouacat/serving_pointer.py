"""The serving pointer: which model versions answer, and with what weight.

`serving/live.json` is the one truth of what serves. It is replaced whole, with `If-Match`. While a
deployment has a challenger in it, no other deployment may shift traffic: the pointer is the lock.
"""

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, Self

from areyouacat.lake import parse_utc, utc_text

CHAMPION: Final = "champion"
CHALLENGER: Final = "challenger"
_SCHEMA: Final = 1


class Strategy(StrEnum):
    """How a version comes to serve."""

    CANARY = "canary"
    ALL_AT_ONCE = "all_at_once"
    AB_TEST = "ab_test"


@dataclass(frozen=True, slots=True)
class Variant:
    """One model version that answers requests. `weight`: share of callers, [0, 1]."""

    role: str
    name: str
    version: str
    weight: float
    key: str
    sha256: str
    model_json_key: str
    model_json_sha256: str


@dataclass(frozen=True, slots=True)
class Deployment:
    """The execution of deploy that has a challenger in the pointer, and since when (UTC)."""

    execution_arn: str
    strategy: Strategy
    began_at: datetime


@dataclass(frozen=True, slots=True)
class ServingPointer:
    """Who serves now, who served before, and who moved it.

    `deployment`: whose challenger stands beside the champion; None without a challenger.
    `promoted_at`: when the champion became it; None in pointers that were written without it.
    """

    variants: tuple[Variant, ...]
    previous: tuple[Variant, ...]
    updated_at: datetime
    updated_by: str
    reason: str
    deployment: Deployment | None = None
    promoted_at: datetime | None = None

    def __post_init__(self) -> None:
        if sum(variant.role == CHAMPION for variant in self.variants) != 1:
            raise ValueError("a serving pointer names exactly one champion")
        if abs(sum(variant.weight for variant in self.variants) - 1.0) > 1e-6:
            raise ValueError("the weights of a serving pointer add up to 1")

    @property
    def champion(self) -> Variant:
        """The variant that answers for any other that fails."""
        return next(variant for variant in self.variants if variant.role == CHAMPION)

    @property
    def champion_since(self) -> datetime:
        """When the champion began to answer all or most callers."""
        return self.promoted_at or self.updated_at

    @property
    def challenger(self) -> Variant | None:
        """The variant that has yet to earn its traffic, if there is one."""
        return next((variant for variant in self.variants if variant.role == CHALLENGER), None)

    def shift(
        self, variant: Variant, weight: float, deployment: Deployment, *, by: str, reason: str
    ) -> "ServingPointer":
        """The pointer in which `variant` has the share `weight`, (0, 1), of the callers.

        The same execution again gives this pointer unchanged, with the time of the first.

        Raises:
            ValueError: the variant is the champion itself, or the weight is no share.
        """
        if not 0.0 < weight < 1.0:
            raise ValueError(f"a weight of {weight} is not between 0 and 1")
        if variant.version == self.champion.version:
            raise ValueError(f"version {variant.version} is the champion")
        challenger = replace(variant, role=CHALLENGER, weight=weight)
        known = self.deployment
        if (
            known is not None
            and known.execution_arn == deployment.execution_arn
            and self.challenger == challenger
        ):
            return self
        champion = replace(self.champion, weight=1.0 - weight)
        return ServingPointer(
            (champion, challenger),
            self.previous,
            deployment.began_at,
            by,
            reason,
            deployment,
            self.champion_since,
        )

    def promote(self, variant: Variant, *, by: str, reason: str, at: datetime) -> "ServingPointer":
        """The pointer after `variant` took all traffic; `previous` names the champion before.

        Promoting the version that already serves alone gives this pointer unchanged.
        """
        promoted = replace(variant, role=CHAMPION, weight=1.0)
        if self.variants == (promoted,):
            return self
        before = (replace(self.champion, weight=1.0),)
        if before == (promoted,):
            return self.without_challenger(by=by, reason=reason, at=at)
        return ServingPointer((promoted,), before, at, by, reason, promoted_at=at)

    def without_challenger(self, *, by: str, reason: str, at: datetime) -> "ServingPointer":
        """The pointer whose champion serves alone; unchanged if it does already."""
        if self.challenger is None:
            return self
        alone = (replace(self.champion, weight=1.0),)
        return ServingPointer(alone, self.previous, at, by, reason, promoted_at=self.champion_since)

    def back_to_previous(self, *, by: str, reason: str, at: datetime) -> "ServingPointer":
        """The pointer whose champion is the one before.

        It names no `previous` of its own: a rollback that is asked for once more by a nervous hand
        must not bring the bad version back.

        Raises:
            ValueError: none served before.
        """
        if not self.previous:
            raise ValueError("no version served before")
        return ServingPointer(self.previous, (), at, by, reason, promoted_at=at)

    def to_json(self) -> bytes:
        """The pointer as it is stored."""
        return json.dumps(
            {
                "schema": _SCHEMA,
                "variants": [asdict(variant) for variant in self.variants],
                "previous": [asdict(variant) for variant in self.previous],
                "updated_at": utc_text(self.updated_at),
                "updated_by": self.updated_by,
                "reason": self.reason,
                "deployment": _deployment_json(self.deployment),
                "promoted_at": utc_text(self.champion_since),
            },
            indent=2,
        ).encode()

    @classmethod
    def from_json(cls, data: bytes) -> Self:
        """Read a stored pointer.

        Raises:
            ValueError: not a pointer of this schema.
        """
        try:
            values: dict[str, Any] = json.loads(data)
            if values["schema"] != _SCHEMA:
                raise ValueError(f"schema {values['schema']} is not {_SCHEMA}")
            return cls(
                variants=tuple(Variant(**variant) for variant in values["variants"]),
                previous=tuple(Variant(**variant) for variant in values["previous"]),
                updated_at=parse_utc(values["updated_at"]),
                updated_by=values["updated_by"],
                reason=values["reason"],
                deployment=_deployment(values.get("deployment")),
                promoted_at=parse_utc(values.get("promoted_at") or values["updated_at"]),
            )
        except (KeyError, TypeError, AttributeError, json.JSONDecodeError) as error:
            raise ValueError(f"not a serving pointer: {error!r}") from error


def _deployment_json(deployment: Deployment | None) -> dict[str, str] | None:
    if deployment is None:
        return None
    return {
        "execution_arn": deployment.execution_arn,
        "strategy": deployment.strategy.value,
        "began_at": utc_text(deployment.began_at),
    }


def _deployment(values: dict[str, str] | None) -> Deployment | None:
    if values is None:
        return None
    return Deployment(
        values["execution_arn"], Strategy(values["strategy"]), parse_utc(values["began_at"])
    )


def first_pointer(variant: Variant, *, by: str, reason: str, at: datetime) -> ServingPointer:
    """The pointer when nothing served before."""
    champion = replace(variant, role=CHAMPION, weight=1.0)
    return ServingPointer((champion,), (), at, by, reason, promoted_at=at)


def choose_variant(pointer: ServingPointer, caller: str) -> Variant:
    """The variant of a caller: the same caller keeps it while the deployment lasts.

    The next deployment deals anew, so that nobody is the first to try every challenger. `caller`
    is any text that names the caller (API key, session); it is only hashed.
    """
    dealt = pointer.deployment.execution_arn if pointer.deployment else ""
    digest = hashlib.sha256(f"{dealt}|{caller}".encode()).digest()
    position = int.from_bytes(digest[:8], "big") / 2**64
    reached = 0.0
    for variant in pointer.variants:
        reached += variant.weight
        if position < reached:
            return variant
    return pointer.champion
