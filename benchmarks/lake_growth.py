"""A larger lake for little money: every photo stored again and again as another photo.

A copy is a whole photo to the system: other bytes (a JPEG comment), hence another hash; its own
index row, label and feature vectors, written in the product's own formats. It decodes to the same
pixels, so the original's vectors are truly its own. Only where the product keeps a view for some
splits, and the copy has come into one of them without its original, does it get the plain vector
for it. Its perceptual hash is drawn at random, or all copies would be look-alikes of one photo.
"""

import hashlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, Final

from areyouacat import lake
from areyouacat.lake import ORIGINAL_VIEW, SEED_SOURCE, IndexRow, LabelRecord
from areyouacat.settings import BACKBONE
from benchmarks.figures import BenchmarkError, Say
from benchmarks.local_cloud import CONNECTIONS, LocalCloud
from benchmarks.photos import LabelledPhoto
from training_job.feature_cache import FeatureCache
from training_job.lake_store import S3Lake
from training_job.seed import SHARD_ROWS
from training_job.seed_lake import Lake
from training_job.settings import FEATURES
from training_job.views import AUGMENTATIONS

SOURCE: Final = "copies"
TOLD_EVERY: Final = 10_000  # photos between two lines of progress
_JPEG_START: Final = b"\xff\xd8"
_COMMENT: Final = b"\xff\xfe"


@dataclass(frozen=True, slots=True)
class Copy:
    """A photo that stands for another one. `original`, `photo`: hashes."""

    of: LabelledPhoto
    number: int
    original: str
    photo: str
    size: int

    @property
    def data(self) -> bytes:
        """Its bytes, made when they are wanted: all at once would fill the memory."""
        return with_comment(self.of.data, f"copy {self.number}")


def grow(cloud: LocalCloud, photos: Sequence[LabelledPhoto], copies: int, say: Say) -> int:
    """Store so many copies of each photo whose features are in the lake; gives their number."""
    made = [copy for number in range(copies) for copy in _copies(photos, number)]
    s3 = cloud.client("s3")
    target = Lake(s3, cloud.lake)
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        stored = pool.map(lambda copy: target.put_photo(copy.photo, copy.data), made)
        for count, _ in enumerate(stored, start=1):
            if count % TOLD_EVERY == 0 or count == len(made):
                say(f"    {count:,} of {len(made):,} photos")
    _write_features(cloud, made)
    rows = _rows(s3, cloud.lake)
    day = next(iter(rows.values())).ingested_at[:10]
    for part in _parts(made, SHARD_ROWS):
        target.put_index_shard(day, [_row(copy, rows[copy.original]) for copy in part])
        target.put_label_shard(day, [_label(copy, rows[copy.original]) for copy in part])
    return len(made)


def with_comment(jpeg: bytes, text: str) -> bytes:
    """The same picture in other bytes."""
    if not jpeg.startswith(_JPEG_START):
        raise BenchmarkError("only JPEG photos can be copied")
    body = text.encode()
    segment = _COMMENT + (len(body) + 2).to_bytes(2, "big") + body
    return _JPEG_START + segment + jpeg[len(_JPEG_START) :]


def _copies(photos: Sequence[LabelledPhoto], number: int) -> Iterator[Copy]:
    for photo in photos:
        data = with_comment(photo.data, f"copy {number}")
        original = lake.sha256_hex(photo.data)
        yield Copy(photo, number, original, lake.sha256_hex(data), len(data))


def _write_features(cloud: LocalCloud, made: Sequence[Copy]) -> None:
    originals = {copy.original for copy in made}
    with cloud.as_client():
        target = S3Lake(cloud.lake)
    plain = FeatureCache(target, BACKBONE).load(originals)
    for view in (ORIGINAL_VIEW, *AUGMENTATIONS):
        cache = FeatureCache(target, BACKBONE, view)
        stored = cache.load(originals)
        if not stored:
            continue  # the product does not use this view
        for part in _parts(made, FEATURES.photos_per_shard):
            found = (
                (copy.photo, stored.get(copy.original, plain.get(copy.original))) for copy in part
            )
            vectors = {photo: vector for photo, vector in found if vector is not None}
            cache.store(vectors)


def _rows(s3: Any, bucket: str) -> dict[str, IndexRow]:
    rows: dict[str, IndexRow] = {}
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=lake.INDEX_PREFIX)
    for page in pages:
        for found in page.get("Contents", ()):
            shard = s3.get_object(Bucket=bucket, Key=found["Key"])["Body"].read()
            rows |= {row.photo: row for row in lake.load_shard(shard, IndexRow)}
    return rows


def _row(copy: Copy, original: IndexRow) -> IndexRow:
    look = hashlib.sha256(b"look:" + copy.photo.encode()).hexdigest()[:16]
    return replace(
        original,
        photo=copy.photo,
        size_bytes=copy.size,
        perceptual_hash=look,
        source=SOURCE,
    )


def _label(copy: Copy, original: IndexRow) -> LabelRecord:
    return LabelRecord(copy.photo, copy.of.label, SEED_SOURCE, SOURCE, original.ingested_at)


def _parts(made: Sequence[Copy], size: int) -> Iterator[Sequence[Copy]]:
    for start in range(0, len(made), size):
        yield made[start : start + size]
