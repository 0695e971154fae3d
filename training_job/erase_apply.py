"""Erasing what a plan found; every step can be repeated."""

from __future__ import annotations

import json
from collections import Counter
from datetime import datetime
from pathlib import PurePosixPath

from areyouacat import lake
from areyouacat.lake import IndexRow
from training_job.erase_plan import (
    SHEET,
    FeatureShard,
    Plan,
    RecordShard,
    Sheet,
    is_erased_mark,
)
from training_job.erasing import FeatureRemainder, Photos, features_without, records_without
from training_job.versioned_lake import ObjectVersion, VersionedLake

_GZIP = "application/gzip"
_BINARY = "application/octet-stream"
_TEXT = "text/plain"


def apply_plan(versioned: VersionedLake, plan: Plan, at: datetime) -> Counter[str]:
    """Entomb the photos, then remove whatever holds them; counts by what was done.

    Raises:
        VersionsNotDeletedError: S3 refused; the rest is as if the run had been cut short.
    """
    removed: Counter[str] = Counter()
    tombstone = json.dumps({"erased_at": lake.utc_text(at)}).encode()
    for photo in sorted(plan.photos - plan.entombed):
        removed["tombstones written"] += versioned.write_once(lake.tombstone_key(photo), tombstone)
    for photo in plan.unsettled:
        removed["versions of photos"] += _erase_original(versioned, photo, photo in plan.closed)
    removed["keys of photos closed for good"] += len(plan.photos - plan.closed)
    for finding in plan.findings:
        if isinstance(finding, RecordShard):
            _erase_records(versioned, finding, plan.photos)
            kind = "index rows" if finding.record is IndexRow else "label records"
            removed[kind] += finding.records
        elif isinstance(finding, FeatureShard):
            _erase_features(versioned, finding, plan.photos)
            removed["feature vectors"] += len(finding.photos)
            removed["damaged feature shards (training computes them anew)"] += not finding.photos
        elif isinstance(finding, Sheet):
            _erase_sheet(versioned, finding)
            removed["picture sheets of worst mistakes"] += 1
    return +removed


def _erase_original(versioned: VersionedLake, photo: str, is_closed: bool) -> int:
    """Leave nothing but the empty object at the photo's key; how many versions went.

    It comes before the rest goes, so that there is no moment at which the same bytes could be
    stored again. What goes is looked up after it: a request may have stored them since the plan.
    """
    key = lake.photo_key(photo)
    if not is_closed:
        versioned.write(key, lake.ERASED_PHOTO, _BINARY)
    others = [version for version in versioned.versions_of(key) if not is_erased_mark(version)]
    versioned.delete(others)
    return len(others)


def _erase_records(versioned: VersionedLake, shard: RecordShard, photos: Photos) -> None:
    current = _current(shard.versions)
    if current:
        remainder = records_without(  # type: ignore[type-var]
            versioned.read(current), shard.record, photos
        )
        if remainder:
            day = PurePosixPath(current.key).parent.name
            name = lake.index_shard_key if shard.record is IndexRow else lake.label_shard_key
            versioned.write(name(day, remainder), remainder, _GZIP)
    versioned.delete(shard.versions)


def _erase_features(versioned: VersionedLake, shard: FeatureShard, photos: Photos) -> None:
    """The list goes before the vectors: without it a shard is not there."""
    lists = [version for version in shard.versions if version.key.endswith(".txt")]
    vectors = [version for version in shard.versions if version.key.endswith(".npz")]
    current = _current(vectors)
    if shard.photos and current and _current(lists):
        try:
            remainder = features_without(versioned.read(current), photos)
        except ValueError:  # damaged: training computes its photos anew
            remainder = FeatureRemainder()
        if remainder.stem:
            stem = shard.stem.rpartition("/")[0] + "/" + remainder.stem
            versioned.write(f"{stem}.npz", remainder.vectors, _BINARY)
            versioned.write(f"{stem}.txt", remainder.listing, _TEXT)
    versioned.delete(lists)
    versioned.delete(vectors)


def _erase_sheet(versioned: VersionedLake, sheet: Sheet) -> None:
    """The list goes last: a run that is cut short must find the sheet by it again."""
    versioned.delete(found for found in sheet.versions if found.key.endswith(SHEET))
    versioned.delete(found for found in sheet.versions if not found.key.endswith(SHEET))


def _current(versions: tuple[ObjectVersion, ...] | list[ObjectVersion]) -> ObjectVersion | None:
    return next((version for version in versions if version.is_current), None)
