"""What of a backup goes into a lake and its tables, and what stays out. Pure.

What was forgotten on purpose stays forgotten: photos that the lake has buried since, their
predictions, and what has expired meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from areyouacat import lake
from areyouacat.predictions import CONTROL_TTL_ATTRIBUTE, TTL_ATTRIBUTE
from areyouacat.settings import SERVING
from training_job.backups.folder import StoredObject
from training_job.backups.lake import ListedObject
from training_job.backups.tables import Item

_TTLS: Final = {"predictions": TTL_ATTRIBUTE, "control": CONTROL_TTL_ATTRIBUTE}

Photos = frozenset[str]
"""Photos by the SHA-256 of their bytes."""


@dataclass(frozen=True, slots=True)
class Write:
    """An object to put. `replaces`: the ETag of what stands at its key, None if nothing does."""

    stored: StoredObject
    replaces: str | None


@dataclass(frozen=True, slots=True)
class Plan:
    """Objects by what becomes of them; the pointer, if it is to be written, comes last.

    `there`: that the lake has as they are. `foreign`: keys where it has something else, or that
    the backup does not know. `erased`: photos that it has buried since.
    """

    writes: tuple[Write, ...]
    there: int
    expired: int
    foreign: tuple[str, ...]
    erased: Photos


def make_plan(
    backup: Mapping[str, StoredObject],
    target: Mapping[str, ListedObject],
    same: AbstractSet[str],
    now: datetime,
) -> Plan:
    """Compare a backup with a lake, by key. `same`: keys of which both hold the same."""
    erased = buried(target) - buried(backup)
    out = {lake.photo_key(photo) for photo in erased}
    expired = {key for key, stored in backup.items() if _has_expired(stored, now)} - same - out
    missing = sorted(
        backup.keys() - same - out - expired, key=lambda key: (key == lake.SERVING_POINTER_KEY, key)
    )
    return Plan(
        writes=tuple(
            Write(backup[key], target[key].etag if key in target else None) for key in missing
        ),
        there=len(same - out),
        expired=len(expired),
        foreign=tuple(sorted(target.keys() - same)),
        erased=erased,
    )


def buried(keys: Iterable[str]) -> Photos:
    """The photos that have a tombstone among these keys."""
    return frozenset(
        key.removeprefix(lake.TOMBSTONES_PREFIX)
        for key in keys
        if key.startswith(lake.TOMBSTONES_PREFIX)
    )


def to_keep(items: Iterable[Item], table: str, erased: Photos, now: datetime) -> Iterator[Item]:
    """The items of a table that have not expired and are about no erased photo."""
    ttl = _TTLS[table]
    for item in items:
        is_over = ttl in item and float(item[ttl]["N"]) <= now.timestamp()
        if not is_over and item.get("photo", {}).get("S") not in erased:
            yield item


def _has_expired(stored: StoredObject, now: datetime) -> bool:
    """Whether the lake's own rule would have deleted it: a photo that nobody labelled."""
    if stored.tags.get(lake.ORIGIN_TAG) != lake.ORIGIN_REQUEST:
        return False
    return datetime.fromisoformat(stored.modified) + timedelta(days=SERVING.photo_ttl_days) <= now
