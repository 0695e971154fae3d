"""A data set version: its photos, its manifest, its summary."""

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from areyouacat.columns import Categories, Photos, Positions, find, photo_array, photo_names
from areyouacat.drift import Histogram
from areyouacat.drift_features import INPUT_FEATURES
from areyouacat.model_spec import Mode
from areyouacat.settings import DRIFT, DRIFT_REPORT, LABELS
from areyouacat.splits import Split

REFERENCE_INPUTS_FILE: Final = "reference_inputs.csv"
"""How some of a data set version's photos are; see `Dataset.reference_inputs`."""

REFERENCE_SPLITS: Final[tuple[Split, ...]] = ("train", "validation")
"""Where a model's reference sample is from: test and recent judge models, and nothing else."""

LISTED: Final = 10
"""How many photos a message or a summary names."""

_CHUNK_PHOTOS: Final = 4096


@dataclass(frozen=True, slots=True)
class ManifestEntry:
    """One photo of a data set version. `group`: the founder of its look-alikes.

    `source`: where the photo came from; `labelled_by`: `lake.LabelRecord.source`.
    `slices`: what is special about it, `slices.slices_of`.
    """

    photo: str
    label: str
    split: Split
    source: str
    labelled_by: str
    group: str
    slices: tuple[str, ...] = ()


def read_manifest(lines: Iterable[bytes]) -> Iterator[ManifestEntry]:
    """The entries of `manifest.jsonl`, one by one.

    Raises:
        ValueError, TypeError: a line is not an entry; when it is reached.
    """
    for line in lines:
        values = json.loads(line)
        if not isinstance(values, dict):
            raise ValueError(f"{values!r} is not an entry of a manifest")
        yield ManifestEntry(**{**values, "slices": tuple(values.get("slices", ()))})


def read_reference_inputs(data: bytes) -> dict[str, tuple[float, ...]]:
    """Photo -> `drift_features.INPUT_FEATURES`, as `Dataset.reference_inputs` wrote them.

    Raises:
        ValueError: a line is something else.
    """
    header, *lines = data.decode().splitlines() or [""]
    if tuple(header.split(",")) != ("photo", *INPUT_FEATURES):
        raise ValueError(f"{REFERENCE_INPUTS_FILE} begins with {header!r}")
    found = {}
    for line in lines:
        photo, *values = line.split(",")
        if len(values) != len(INPUT_FEATURES):
            raise ValueError(f"{REFERENCE_INPUTS_FILE} holds {line!r}")
        found[photo] = tuple(map(float, values))
    return found


@dataclass(frozen=True, slots=True, eq=False)
class Dataset:
    """A data set version in columns, sorted by photo: the same lake gives the same version.

    `inputs`: as in `IndexTable`. `founders`: positions of the founders of the photos' groups.
    `overruled`: photos with an earlier label that said otherwise. `erased`: photos that a tombstone
    keeps out, of the lake.
    """

    photos: Photos
    labels: Categories
    splits: Categories
    sources: Categories
    labelled_by: Categories
    slices: Categories
    inputs: NDArray[np.float32]
    founders: Positions
    overruled: NDArray[np.bool_]
    mode: Mode
    erased: int

    def __len__(self) -> int:
        return len(self.photos)

    def manifest(self) -> Iterator[bytes]:
        """`manifest.jsonl` in chunks of whole lines: one entry a line, sorted by photo."""
        beside = [
            [json.dumps(value) for value in column.values]
            for column in (self.labels, self.labelled_by, self.slices, self.sources, self.splits)
        ]
        for start in range(0, len(self), _CHUNK_PHOTOS):
            part = slice(start, start + _CHUNK_PHOTOS)
            label, labelled_by, slices, source, split = (
                [words[code] for code in column.codes[part].tolist()]
                for words, column in zip(
                    beside,
                    (self.labels, self.labelled_by, self.slices, self.sources, self.splits),
                    strict=True,
                )
            )
            yield "".join(
                f'{{"group": "{g}", "label": {la}, "labelled_by": {by}, "photo": "{p}", '
                f'"slices": {sl}, "source": {so}, "split": {sp}}}\n'
                for g, la, by, p, sl, so, sp in zip(
                    photo_names(self.photos[self.founders[part]]),
                    label,
                    labelled_by,
                    photo_names(self.photos[part]),
                    slices,
                    source,
                    split,
                    strict=True,
                )
            ).encode()

    def reference_inputs(self, most: int = DRIFT_REPORT.sample_photos) -> bytes:
        """CSV of `photo` and `INPUT_FEATURES`, of at most so many photos of `REFERENCE_SPLITS`.

        Those of the lowest hashes: they are as good as drawn by lot, and hardly change as the lake
        grows. Splits are chosen by other hashes.
        """
        codes = [self.splits.values.index(split) for split in REFERENCE_SPLITS]
        chosen = np.flatnonzero(np.isin(self.splits.codes, codes))[:most]
        lines = [",".join(("photo", *INPUT_FEATURES))]
        for photo, inputs in zip(
            photo_names(self.photos[chosen]), self.inputs[chosen].tolist(), strict=True
        ):
            lines.append(",".join([photo, *(f"{value:.7g}" for value in inputs)]))
        return ("\n".join(lines) + "\n").encode()

    def missing(self, known: Iterable[bytes]) -> Positions:
        """Positions of the photos that are in none of the `known` runs of 32-byte hashes."""
        absent = np.ones(len(self), bool)
        for hashes in known:
            places, found = find(photo_array(hashes), self.photos)
            absent[places[found]] = False
        return np.flatnonzero(absent)

    def counts(self) -> dict[str, dict[str, int]]:
        """Photos per split and label: {split: {label: n}}, absent where zero."""
        counts: dict[str, dict[str, int]] = {}
        for code, split in sorted(enumerate(self.splits.values), key=lambda pair: pair[1]):
            inside = self.labels.take(np.flatnonzero(self.splits.codes == code)).counts()
            if inside:
                counts[split] = inside
        return counts

    def summary(self) -> dict[str, Any]:
        """`summary.json`: what a person wants to know before the photos."""
        digest = hashlib.sha256()
        for chunk in self.manifest():
            digest.update(chunk)
        return {
            "version": digest.hexdigest()[:16],
            "manifest_sha256": digest.hexdigest(),
            "mode": self.mode,
            "photos": len(self),
            "counts": self.counts(),
            "labelled_by": self.labelled_by.counts(),
            "sources": self.sources.counts(),
            "slices": self._slice_counts(),
            "inputs": {
                name: asdict(Histogram.of(self.inputs[:, column], DRIFT.bins))
                for column, name in enumerate(INPUT_FEATURES)
            },
            "near_duplicates": int(np.count_nonzero(self.founders != np.arange(len(self)))),
            "look_alikes": self._look_alikes(),
            "overruled_labels": {
                "photos": int(np.count_nonzero(self.overruled)),
                "examples": photo_names(self.photos[self.overruled][:LISTED]),
            },
            "erased": self.erased,
        }

    def _slice_counts(self) -> dict[str, int]:
        counts: dict[str, int] = {}
        for slices, number in self.slices.counts().items():
            for name in slices:
                counts[name] = counts.get(name, 0) + number
        return dict(sorted(counts.items()))

    def _look_alikes(self) -> dict[str, Any]:
        """Groups of look-alikes, and pairs whose labels differ: a person may want to look."""
        sizes = np.bincount(self.founders, minlength=len(self))
        positive = self.labels.codes == self.labels.values.index(LABELS.positive)
        positives = np.bincount(self.founders[positive], minlength=len(self))
        divided = np.flatnonzero((positives > 0) & (positives < sizes))
        return {
            "groups": int(np.count_nonzero(sizes > 1)),
            "photos": int(sizes[sizes > 1].sum()),
            "largest_group": int(sizes.max()),
            "with_both_labels": len(divided),
            "examples": [self._pair(founder, positive) for founder in divided[:LISTED]],
        }

    def _pair(self, founder: int, positive: NDArray[np.bool_]) -> list[str]:
        members = self.founders == founder
        pair = [int(np.argmax(members & positive)), int(np.argmax(members & ~positive))]
        return photo_names(self.photos[pair])
