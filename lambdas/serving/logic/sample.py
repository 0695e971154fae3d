"""Which photos a candidate is tried on, and which models are compared on."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable

from areyouacat.comparison_record import ComparedPhotos
from areyouacat.dataset import ManifestEntry
from areyouacat.model_spec import Mode
from areyouacat.settings import EVALUATION, LABELS
from areyouacat.splits import Split, position

_PURPOSE = "evaluation"


def choose_sample(entries: Iterable[ManifestEntry], mode: Mode, limit: int) -> list[ManifestEntry]:
    """At most `limit` test photos and as many `recent` ones, each in proportion to its labels.

    Chosen by hash: the same data set gives the same sample, in whatever order it comes, and a
    grown one much the same. Reads a stream; keeps no more than it could take.

    A bootstrap model is tried on photos of every split: its test split is too small, and what
    is measured on it (parity, latency) needs no unseen photos. Without any test photo some of
    validation serve for these two; the gate then says what is missing.
    """
    strata: dict[Split, _Stratum] = {"test": _Stratum(limit), "recent": _Stratum(limit)}
    instead = _Stratum(min(limit, EVALUATION.latency_photos))
    for entry in entries:
        split: Split = "test" if mode == "bootstrap" else entry.split
        if split in strata:
            strata[split].add(entry)
        elif split == "validation":
            instead.add(entry)
    test = strata["test"].chosen() or instead.chosen()
    return [*test, *strata["recent"].chosen()]


def choose_photos(
    entries: Iterable[ManifestEntry], photos: ComparedPhotos, limit: int
) -> list[ManifestEntry]:
    """At most `limit` photos of a split, or of all: of test those that a candidate is tried on."""
    stratum = _Stratum(limit)
    for entry in entries:
        if photos in ("all", entry.split):
            stratum.add(entry)
    return stratum.chosen()


class _Stratum:
    """The photos of each label that come first by hash."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._seen: Counter[str] = Counter()
        # Heaps of (-position, photo, entry): the top is what a photo nearer the front replaces.
        self._first: dict[str, list[tuple[float, str, ManifestEntry]]] = {
            label: [] for label in LABELS.all
        }

    def add(self, entry: ManifestEntry) -> None:
        heap = self._first[entry.label]
        ranked = (-position(entry.photo, _PURPOSE), entry.photo, entry)
        self._seen[entry.label] += 1
        if len(heap) < self._limit:
            heapq.heappush(heap, ranked)
        else:
            heapq.heappushpop(heap, ranked)

    def chosen(self) -> list[ManifestEntry]:
        """By label, then by photo; a label that is there at all has at least one."""
        total = self._seen.total()
        found: list[ManifestEntry] = []
        for label, heap in self._first.items():
            share = len(heap)
            if total > self._limit:
                share = max(1, self._seen[label] * self._limit // total)
            nearest = heapq.nlargest(share, heap, key=lambda ranked: ranked[:2])
            found += sorted((entry for _, _, entry in nearest), key=lambda entry: entry.photo)
        return found
