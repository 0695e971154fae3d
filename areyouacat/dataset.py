"""From index rows and labels to a data set version. Reads no photo."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from areyouacat.errors import ConflictingLabelsError, EmptyLakeError, MissingLabelError
from areyouacat.lake import FEEDBACK_SOURCE, IndexRow, LabelRecord
from areyouacat.model_spec import Mode
from areyouacat.settings import DATASET, LABELS, DatasetRules
from areyouacat.splits import Split, assign_split, near_duplicate_groups

_LISTED: Final = 10


@dataclass(frozen=True, slots=True)
class ManifestEntry:
    """One photo of a data set version. `group`: the founder of its look-alikes.

    `source`: where the photo came from; `labelled_by`: `lake.LabelRecord.source`.
    """

    photo: str
    label: str
    split: Split
    source: str
    labelled_by: str
    group: str


@dataclass(frozen=True, slots=True)
class Dataset:
    """A data set version: the same lake gives the same version."""

    entries: tuple[ManifestEntry, ...]
    mode: Mode

    def manifest(self) -> bytes:
        """`manifest.jsonl`: one entry a line, sorted by photo."""
        return "".join(
            json.dumps(asdict(entry), sort_keys=True) + "\n" for entry in self.entries
        ).encode()

    def counts(self) -> dict[str, dict[str, int]]:
        """Photos per split and label: {split: {label: n}}, absent where zero."""
        found = Counter((entry.split, entry.label) for entry in self.entries)
        counts: dict[str, dict[str, int]] = {}
        for (split, label), number in sorted(found.items()):
            counts.setdefault(split, {})[label] = number
        return counts

    def summary(self) -> dict[str, Any]:
        """`summary.json`: what a person wants to know before the photos."""
        manifest = self.manifest()
        digest = hashlib.sha256(manifest).hexdigest()
        return {
            "version": digest[:16],
            "manifest_sha256": digest,
            "mode": self.mode,
            "photos": len(self.entries),
            "counts": self.counts(),
            "labelled_by": dict(sorted(Counter(e.labelled_by for e in self.entries).items())),
            "sources": dict(sorted(Counter(e.source for e in self.entries).items())),
            "near_duplicates": sum(entry.group != entry.photo for entry in self.entries),
        }


def read_manifest(data: bytes) -> list[ManifestEntry]:
    """The entries of `manifest.jsonl`.

    Raises:
        ValueError, TypeError: a line is not an entry.
    """
    return [ManifestEntry(**json.loads(line)) for line in data.splitlines()]


def build_dataset(
    index: Iterable[IndexRow], labels: Iterable[LabelRecord], rules: DatasetRules = DATASET
) -> Dataset:
    """Make a data set of everything that is both indexed and labelled.

    A photo's latest label wins. A photo indexed twice counts once, by its first row.

    Raises:
        EmptyLakeError: nothing is labelled.
        MissingLabelError: one of the labels has no photo.
        ConflictingLabelsError: a photo's latest labels contradict each other.
    """
    rows = _first_rows(index)
    latest = _latest_labels(labels)
    labelled = [row for row in rows if row.photo in latest]
    if not labelled:
        raise EmptyLakeError(
            "The lake holds no labelled photo. Put some in: make seed DATASET=<folder>."
        )

    groups = near_duplicate_groups({row.photo: row.perceptual_hash for row in labelled})
    from_feedback = {row.photo for row in labelled if row.source == FEEDBACK_SOURCE}
    entries = tuple(
        sorted(
            (
                _entry(row, latest[row.photo], groups[row.photo], from_feedback, rules)
                for row in labelled
            ),
            key=lambda entry: entry.photo,
        )
    )
    return Dataset(entries=entries, mode=_mode(entries, rules))


def _first_rows(index: Iterable[IndexRow]) -> list[IndexRow]:
    first: dict[str, IndexRow] = {}
    for row in index:
        known = first.get(row.photo)
        if known is None or row.ingested_at < known.ingested_at:
            first[row.photo] = row
    return sorted(first.values(), key=lambda row: (row.ingested_at, row.photo))


def _latest_labels(labels: Iterable[LabelRecord]) -> dict[str, LabelRecord]:
    latest: dict[str, LabelRecord] = {}
    conflicts: dict[str, str] = {}
    for record in labels:
        if record.label not in LABELS.all:
            raise ConflictingLabelsError(
                f"Photo {record.photo} carries the label {record.label!r}; "
                f"settings know {', '.join(LABELS.all)}."
            )
        known = latest.get(record.photo)
        if known is None or record.labelled_at > known.labelled_at:
            latest[record.photo] = record
            conflicts.pop(record.photo, None)
        elif record.labelled_at == known.labelled_at and record.label != known.label:
            conflicts[record.photo] = record.labelled_at
    if conflicts:
        listed = ", ".join(sorted(conflicts)[:_LISTED])
        raise ConflictingLabelsError(
            f"{len(conflicts)} photos carry both labels with one date: {listed}. "
            "Seed each of them once more under the right label; the latest label wins."
        )
    return latest


def _entry(
    row: IndexRow, label: LabelRecord, founder: str, from_feedback: set[str], rules: DatasetRules
) -> ManifestEntry:
    return ManifestEntry(
        photo=row.photo,
        label=label.label,
        split=assign_split(founder, from_feedback=founder in from_feedback, rules=rules),
        source=row.source,
        labelled_by=label.source,
        group=founder,
    )


def _mode(entries: Sequence[ManifestEntry], rules: DatasetRules) -> Mode:
    per_label = Counter(entry.label for entry in entries)
    missing = [label for label in LABELS.all if not per_label[label]]
    if missing:
        raise MissingLabelError(
            f"No photo is labelled {missing[0]!r}. Seed at least one; "
            f"{rules.bootstrap_below} of each label train a head of their own."
        )
    fewest = min(per_label[label] for label in LABELS.all)
    return "bootstrap" if fewest < rules.bootstrap_below else "trained"
