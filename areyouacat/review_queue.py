"""Photos that wait for a person's word: which they are, and what a decision writes."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from areyouacat import lake
from areyouacat.lake import HeldLabel, LabelRecord
from areyouacat.predictions import Prediction, index_row

REVIEW_SOURCE: Final = "review"


class Store(Protocol):
    """The lake's objects by key."""

    def list_keys(self, prefix: str) -> Iterator[str]:
        """All keys under a prefix, sorted."""
        ...

    def read(self, key: str) -> bytes:
        """An object's bytes."""
        ...

    def write(self, key: str, data: bytes) -> None:
        """Put an object; the same key again replaces it."""
        ...


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person has said about held labels. `who`: that person."""

    approved: tuple[HeldLabel, ...]
    rejected: tuple[HeldLabel, ...]
    who: str
    at: datetime


class ReviewQueueError(Exception):
    """The queue cannot be read; the message says what to mend."""


class ReviewQueue:
    """What waits in one lake."""

    def __init__(self, store: Store) -> None:
        """Reads and writes through `store`."""
        self._store = store

    def waiting(self) -> list[HeldLabel]:
        """The latest held label of each photo that nobody has decided on, by time.

        Raises:
            ReviewQueueError: a shard is damaged.
        """
        held: dict[str, HeldLabel] = {}
        for one in self._records(lake.HELD_PREFIX, HeldLabel):
            known = held.get(one.photo)
            if known is None or known.labelled_at <= one.labelled_at:
                held[one.photo] = one
        gone = self._named(lake.TOMBSTONES_PREFIX)
        rejected = {
            photo: self._rejected_at(photo)
            for photo in self._named(lake.REJECTED_PREFIX) & set(held)
        }
        decided: dict[str, LabelRecord] = {}
        for record in self._records(lake.LABELS_PREFIX, LabelRecord):
            if record.photo in held:
                before = decided.get(record.photo)
                if before is None or before.labelled_at <= record.labelled_at:
                    decided[record.photo] = record
        waiting = [
            one
            for one in held.values()
            if one.photo not in gone
            and rejected.get(one.photo, "") < one.labelled_at
            and not _settles(decided.get(one.photo), one)
        ]
        return sorted(waiting, key=lambda one: (one.labelled_at, one.photo))

    def undecided(self, photos: Iterable[str]) -> set[str]:
        """Those that have no label, are not erased and were not rejected by a person."""
        left = set(photos) - self._named(lake.TOMBSTONES_PREFIX) - self._named(lake.REJECTED_PREFIX)
        for record in self._records(lake.LABELS_PREFIX, LabelRecord) if left else ():
            left.discard(record.photo)
        return left

    def decide(self, decision: Decision) -> tuple[str, ...]:
        """Approved labels teach from the next data set on; rejected ones are not shown again.

        Gives the keys that it wrote: without them it is as if nobody had decided.
        """
        moment = lake.utc_text(decision.at)
        written = []
        if decision.approved:
            shard = lake.dump_shard(
                LabelRecord(one.photo, one.label, REVIEW_SOURCE, decision.who, moment)
                for one in decision.approved
            )
            written.append(lake.label_shard_key(f"{decision.at:%Y-%m-%d}", shard))
            self._store.write(written[-1], shard)
        mark = json.dumps({"rejected_at": moment, "who": decision.who}).encode()
        for one in decision.rejected:
            written.append(lake.rejected_key(one.photo))
            self._store.write(written[-1], mark)
        return tuple(written)

    def take_in(self, prediction: Prediction) -> None:
        """Index the photo of a prediction that nobody labelled, so that a label of it teaches."""
        shard = lake.dump_shard([index_row(prediction)])
        day = f"{prediction.predicted_at:%Y-%m-%d}"
        self._store.write(lake.index_shard_key(day, shard), shard)

    def photo(self, held: HeldLabel) -> bytes:
        """The photo itself; raises what the store does if it is gone."""
        return self._store.read(lake.photo_key(held.photo))

    def _records(self, prefix: str, record: type[lake.R]) -> Iterable[lake.R]:
        for key in self._store.list_keys(prefix):
            try:
                yield from lake.load_shard(self._store.read(key), record)
            except (ValueError, TypeError, EOFError, gzip.BadGzipFile, zlib.error) as error:
                raise ReviewQueueError(
                    f"{key} cannot be read ({error}). Restore its previous version, or delete it."
                ) from error

    def _named(self, prefix: str) -> set[str]:
        return {key.removeprefix(prefix) for key in self._store.list_keys(prefix)}

    def _rejected_at(self, photo: str) -> str:
        mark: Mapping[str, str] = json.loads(self._store.read(lake.rejected_key(photo)))
        return mark["rejected_at"]


def _settles(decided: LabelRecord | None, held: HeldLabel) -> bool:
    """Whether the lake's label says the same, or a person has decided since."""
    if decided is None:
        return False
    later = decided.source == REVIEW_SOURCE and decided.labelled_at >= held.labelled_at
    return decided.label == held.label or later


def chosen(waiting: Iterable[HeldLabel], names: Iterable[str]) -> tuple[HeldLabel, ...]:
    """Those whose hash begins with one of the names; `all` names every one.

    Raises:
        ReviewQueueError: a name fits none.
    """
    waiting = list(waiting)
    found: dict[str, HeldLabel] = {}
    for name in names:
        fitting = [one for one in waiting if name == "all" or one.photo.startswith(name)]
        if not fitting and name != "all":
            raise ReviewQueueError(f"no held label waits whose photo begins with {name!r}")
        found |= {one.photo: one for one in fitting}
    return tuple(found.values())
