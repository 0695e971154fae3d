"""The serving pointer: which model versions answer, and with what weight.

`serving/live.json` is the one truth of what serves. It is replaced whole, with `If-Match`.
"""

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any, Final, Self

from areyouacat.lake import parse_utc, utc_text

CHAMPION: Final = "champion"
CHALLENGER: Final = "challenger"
_SCHEMA: Final = 1


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
class ServingPointer:
    """Who serves now, who served before, and who moved it."""

    variants: tuple[Variant, ...]
    previous: tuple[Variant, ...]
    updated_at: datetime
    updated_by: str
    reason: str

    def __post_init__(self) -> None:
        if sum(variant.role == CHAMPION for variant in self.variants) != 1:
            raise ValueError("a serving pointer names exactly one champion")
        if abs(sum(variant.weight for variant in self.variants) - 1.0) > 1e-6:
            raise ValueError("the weights of a serving pointer add up to 1")

    @property
    def champion(self) -> Variant:
        """The variant that answers for any other that fails."""
        return next(variant for variant in self.variants if variant.role == CHAMPION)

    def promote(self, variant: Variant, *, by: str, reason: str, at: datetime) -> "ServingPointer":
        """The pointer after `variant` took all traffic; `previous` names today's variants.

        Promoting the version that already serves alone gives this pointer unchanged.
        """
        promoted = replace(variant, role=CHAMPION, weight=1.0)
        if self.variants == (promoted,):
            return self
        return ServingPointer((promoted,), self.variants, at, by, reason)

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
            )
        except (KeyError, TypeError, AttributeError, json.JSONDecodeError) as error:
            raise ValueError(f"not a serving pointer: {error!r}") from error


def first_pointer(variant: Variant, *, by: str, reason: str, at: datetime) -> ServingPointer:
    """The pointer when nothing served before."""
    return ServingPointer((replace(variant, role=CHAMPION, weight=1.0),), (), at, by, reason)


def choose_variant(pointer: ServingPointer, caller: str) -> Variant:
    """The variant of a caller: the same caller keeps it while the pointer stands.

    `caller` is any text that names the caller (API key, session); it is only hashed.
    """
    digest = hashlib.sha256(caller.encode()).digest()
    position = int.from_bytes(digest[:8], "big") / 2**64
    reached = 0.0
    for variant in pointer.variants:
        reached += variant.weight
        if position < reached:
            return variant
    return pointer.champion
