"""What holds some photos in the lake, in whichever version: found before anything is touched."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from itertools import compress, groupby
from pathlib import PurePosixPath
from typing import Final

from areyouacat import lake
from areyouacat.lake import HeldLabel, IndexRow, LabelRecord
from training_job.erasing import Photos, listed_photos, names_any, stored_photos
from training_job.versioned_lake import ObjectVersion, VersionedLake

FEATURES_PREFIX: Final = "features/"

SHEET: Final = "worst_mistakes.jpg"
SHEET_PHOTOS: Final = "worst_mistakes.json"
"""Beside the sheet: JSON that names the photos it shows by their hashes."""

_READERS = 8

Record = IndexRow | LabelRecord | HeldLabel

Versions = tuple[ObjectVersion, ...]


@dataclass(frozen=True, slots=True)
class RecordShard:
    """A shard of records that names some of the photos; its versions that do."""

    record: type[Record]
    photos: Photos
    records: int
    versions: Versions


@dataclass(frozen=True, slots=True)
class FeatureShard:
    """A feature shard that holds some of the photos, or, damaged, nobody knows which.

    `stem`: the key of both files without their ending. `versions`: of both.
    """

    stem: str
    photos: Photos
    versions: Versions


@dataclass(frozen=True, slots=True)
class Sheet:
    """An MLflow run's picture sheet that shows a photo, and the list beside it."""

    folder: str
    versions: Versions


@dataclass(frozen=True, slots=True)
class UnlistedSheet:
    """A picture sheet without a list: it cannot say whom it shows."""

    folder: str


@dataclass(frozen=True, slots=True)
class UnreadableShard:
    """A damaged index or label shard: it cannot say whom it names."""

    key: str
    reason: str


Finding = RecordShard | FeatureShard | Sheet | UnlistedSheet | UnreadableShard


@dataclass(slots=True)
class Plan:
    """Everything that holds the photos.

    `entombed`: those with a tombstone already. `closed`: those whose key already gives the empty
    object. `originals`: what else their keys hold.
    """

    photos: Photos
    entombed: Photos
    closed: Photos
    originals: list[ObjectVersion]
    findings: list[Finding] = field(default_factory=list)

    @property
    def unsettled(self) -> list[str]:
        """Photos whose key has more or other than the empty object, sorted."""
        return sorted((self.photos - self.closed) | self._stored)

    @property
    def unknown(self) -> list[str]:
        """Photos that neither the lake nor a tombstone knows, sorted."""
        known = self.entombed | self.closed | self._stored
        for finding in self.findings:
            if isinstance(finding, RecordShard | FeatureShard):
                known |= finding.photos
        return sorted(self.photos - known)

    @property
    def _stored(self) -> Photos:
        return frozenset(PurePosixPath(found.key).name for found in self.originals)


def erased_photos(versioned: VersionedLake) -> Photos:
    """All photos that a tombstone names, whoever left it.

    Raises:
        ValueError: a tombstone names no photo.
    """
    photos = set()
    for version in versioned.versions(lake.TOMBSTONES_PREFIX):
        if not version.is_current:
            continue
        photo = version.key.removeprefix(lake.TOMBSTONES_PREFIX)
        if not re.fullmatch(r"[0-9a-f]{64}", photo):
            raise ValueError(
                f"The tombstone {version.key} names no photo. Put "
                f"{lake.tombstone_key('<SHA-256 of the photo>')} in its place."
            )
        photos.add(photo)
    return frozenset(photos)


def is_erased_mark(version: ObjectVersion) -> bool:
    """Whether it is the empty object that stands at an erased photo's key."""
    return version.is_current and version.size == len(lake.ERASED_PHOTO)


def make_plan(versioned: VersionedLake, photos: Iterable[str]) -> Plan:
    """Look through the whole lake for some photos (64 hex digits each)."""
    wanted = frozenset(photos)
    in_order = sorted(wanted)
    with ThreadPoolExecutor(_READERS) as pool:
        entombed = list(pool.map(versioned.has, map(lake.tombstone_key, in_order)))
        stored = list(pool.map(versioned.versions_of, map(lake.photo_key, in_order)))
        plan = Plan(
            wanted,
            entombed=frozenset(compress(in_order, entombed)),
            closed=frozenset(compress(in_order, (any(map(is_erased_mark, v)) for v in stored))),
            originals=[v for versions in stored for v in versions if not is_erased_mark(v)],
        )
        for prefix, group, search in (
            (lake.INDEX_PREFIX, str, partial(_in_records, record=IndexRow)),
            (lake.LABELS_PREFIX, str, partial(_in_records, record=LabelRecord)),
            (lake.HELD_PREFIX, str, partial(_in_records, record=HeldLabel)),
            (FEATURES_PREFIX, _stem, _in_features),
            (lake.MLFLOW_PREFIX, _folder, _in_sheet),
        ):
            look = partial(search, versioned, photos=wanted)
            for found in pool.map(look, _grouped(versioned.versions(prefix), group)):
                plan.findings += found
    return plan


def _grouped(
    versions: Iterable[ObjectVersion], name: Callable[[str], str]
) -> Iterator[list[ObjectVersion]]:
    """Versions come in the order of keys, so those of one name follow each other."""
    for _, found in groupby(versions, key=lambda version: name(version.key)):
        yield list(found)


def _stem(key: str) -> str:
    return key.rpartition(".")[0]


def _folder(key: str) -> str:
    """The folder of a sheet and its list; anything else is a group of its own."""
    folder, _, name = key.rpartition("/")
    return folder if name in {SHEET, SHEET_PHOTOS} else key


def _in_records(
    versioned: VersionedLake,
    versions: list[ObjectVersion],
    photos: Photos,
    record: type[Record],
) -> list[Finding]:
    key = versions[0].key
    named: list[str] = []
    guilty: list[ObjectVersion] = []
    for version in versions:
        try:
            rows = lake.load_shard(versioned.read(version), record)  # type: ignore[type-var]
            found = [row.photo for row in rows if row.photo in photos]
        except (ValueError, TypeError, EOFError, OSError, zlib.error) as error:
            return [UnreadableShard(key, str(error))]
        if found:
            guilty.append(version)
            named = named or found
    return [RecordShard(record, frozenset(named), len(named), tuple(guilty))] if guilty else []


def _in_features(
    versioned: VersionedLake, versions: list[ObjectVersion], photos: Photos
) -> list[Finding]:
    """The list says what the shard holds; where it is missing or damaged, the vectors do."""
    stem = _stem(versions[0].key)
    versions = [found for found in versions if found.key in {f"{stem}.npz", f"{stem}.txt"}]
    if not versions:
        return []
    held: set[str] | None = None
    for version in versions:
        if version.key.endswith(".txt"):
            listed = listed_photos(versioned.read(version), PurePosixPath(stem).name)
            held = held if listed is None else (held or set()) | set(listed)
    if held is None:
        for version in versions:
            if version.key.endswith(".npz"):
                try:
                    held = (held or set()) | set(stored_photos(versioned.read(version)))
                except ValueError:
                    held = None
                    break
    if held is None:
        return [FeatureShard(stem, frozenset(), tuple(versions))]
    named = photos & held
    return [FeatureShard(stem, named, tuple(versions))] if named else []


def _in_sheet(
    versioned: VersionedLake, versions: list[ObjectVersion], photos: Photos
) -> list[Finding]:
    folder, _, name = versions[0].key.rpartition("/")
    if name not in {SHEET, SHEET_PHOTOS}:
        return []
    lists = [version for version in versions if version.key.endswith(SHEET_PHOTOS)]
    if not lists:
        return [UnlistedSheet(folder)]
    if any(names_any(versioned.read(version), photos) for version in lists):
        return [Sheet(folder, tuple(versions))]
    return []
