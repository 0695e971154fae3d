"""Photos to try for those who have none at hand: the operator's own, never a caller's."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final, Protocol

from areyouacat.lake import LABELS_PREFIX, SEED_SOURCE, LabelRecord, load_shard, photo_key
from areyouacat.settings import LABELS
from ui import aws
from ui.lake import GoneError
from ui.previews import Previews

COUNT: Final = 6
_SHARDS: Final = 4
"""Label shards that are read at most: a large lake has many, and a few photos are enough."""


class Objects(Protocol):
    """What it needs of `ui.lake.Lake`."""

    def list_keys(self, prefix: str) -> Iterator[str]:
        """All keys under a prefix, sorted."""

    def read(self, key: str) -> bytes:
        """An object's bytes; raises `GoneError` where there is none."""


class Samples:
    """A few seeded photos. Calls raise `aws.AwsError`."""

    def __init__(self, lake: Objects) -> None:
        """Nothing is read before the first call."""
        self._lake = lake
        self._names: tuple[str, ...] | None = None
        self.previews = Previews(self.photo)

    def names(self) -> tuple[str, ...]:
        """At most `COUNT` photos, of each label half, mixed; those that are gone left out."""
        if self._names is None:
            by_label = self._by_label()
            candidates = [
                name
                for pair in zip(*(_padded(by_label[label]) for label in _LABELS), strict=True)
                for name in pair
                if name
            ]
            self._names = tuple(islice(filter(self._can_be_shown, candidates), COUNT))
        return self._names

    def photo(self, name: str) -> bytes:
        """A photo's bytes by its name."""
        return self._lake.read(photo_key(name))

    def _by_label(self) -> dict[str, list[str]]:
        found: dict[str, set[str]] = {label: set() for label in _LABELS}
        for key in islice(self._lake.list_keys(LABELS_PREFIX), _SHARDS):
            try:
                for record in load_shard(self._lake.read(key), LabelRecord):
                    if record.source == SEED_SOURCE and record.label in found:
                        found[record.label].add(record.photo)
            except (ValueError, OSError, EOFError) as error:
                raise aws.AwsError("The labels in the data lake cannot be read.") from error
            if all(len(names) >= COUNT for names in found.values()):
                break
        return {label: sorted(names) for label, names in found.items()}

    def _can_be_shown(self, name: str) -> bool:
        try:
            return self.previews.get(name) is not None
        except GoneError:
            return False


_LABELS: Final = (LABELS.positive, LABELS.negative)


def _padded(names: Iterable[str]) -> list[str | None]:
    """Exactly twice as many as are shown, so that a few may be gone."""
    found: list[str | None] = list(islice(names, 2 * COUNT))
    return found + [None] * (2 * COUNT - len(found))
