"""The lake as seeding sees it: what is known, and three ways to write."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from botocore.exceptions import ClientError

from areyouacat import lake
from areyouacat.lake import SEED_SOURCE, IndexRow, LabelRecord

_READERS = 8
_SHARDS_AT_ONCE = 64  # so that few are in memory
_PUTS = 3
_TAKEN, _CONTENDED = 412, 409
"""What S3 answers if the key holds something, and if another writer is at it right now."""


@dataclass
class KnownPhotos:
    """Photos in the index, and what seeding last said about each; hashes as 32 raw bytes.

    `erased`: photos that a tombstone keeps out.
    """

    photos: set[bytes] = field(default_factory=set)
    erased: set[bytes] = field(default_factory=set)
    labels: dict[bytes, str] = field(default_factory=dict)

    def __contains__(self, photo: bytes) -> bool:
        """Whether the index names the photo."""
        return photo in self.photos

    def add(self, photo: bytes) -> bool:
        """Count the photo as indexed; `False` if it was already."""
        if photo in self.photos:
            return False
        self.photos.add(photo)
        return True


class Lake:
    """Reads and writes one lake through an S3 client that may be shared by threads."""

    def __init__(self, s3: Any, bucket: str) -> None:
        """`s3` is a boto3 client; `bucket` is the lake."""
        self._s3, self._bucket = s3, bucket

    def known_photos(self) -> KnownPhotos:
        """Read all index and label shards; the photos themselves are not touched.

        Labels of other sources are passed over: seeding again must not argue with what people
        said since.
        """
        known = KnownPhotos()
        known.erased.update(
            bytes.fromhex(key.removeprefix(lake.TOMBSTONES_PREFIX))
            for key in self._keys(lake.TOMBSTONES_PREFIX)
        )
        for shard in self._shards(lake.INDEX_PREFIX):
            known.photos.update(
                bytes.fromhex(row.photo) for row in lake.load_shard(shard, IndexRow)
            )
        latest: dict[bytes, str] = {}
        for shard in self._shards(lake.LABELS_PREFIX):
            for record in lake.load_shard(shard, LabelRecord):
                photo = bytes.fromhex(record.photo)
                if record.source == SEED_SOURCE and record.labelled_at >= latest.get(photo, ""):
                    latest[photo] = record.labelled_at
                    known.labels[photo] = record.label
        return known

    def put_photo(self, photo: str, data: bytes) -> bool:
        """Store a photo's bytes unless they are there; `False` if it was erased and stays out."""
        place = {"Bucket": self._bucket, "Key": lake.photo_key(photo)}
        for tries_left in reversed(range(_PUTS)):
            try:
                self._s3.put_object(**place, Body=data, IfNoneMatch="*")
            except ClientError as error:
                status = error.response["ResponseMetadata"]["HTTPStatusCode"]
                if status == _TAKEN:
                    return self._keep(place)
                if status != _CONTENDED or not tries_left:
                    raise
            else:
                break
        return True

    def _keep(self, place: Mapping[str, str]) -> bool:
        """A photo that came with a request expires by its tag; from now on it is the operator's."""
        if self._s3.head_object(**place)["ContentLength"] == len(lake.ERASED_PHOTO):
            return False
        self._s3.delete_object_tagging(**place)
        return True

    def put_index_shard(self, day: str, rows: Sequence[IndexRow]) -> None:
        """Store index rows as one shard; `day` as yyyy-mm-dd."""
        shard = lake.dump_shard(rows)
        self._put_shard(lake.index_shard_key(day, shard), shard)

    def put_label_shard(self, day: str, labels: Sequence[LabelRecord]) -> None:
        """Store label records as one shard; `day` as yyyy-mm-dd."""
        shard = lake.dump_shard(labels)
        self._put_shard(lake.label_shard_key(day, shard), shard)

    def _put_shard(self, key: str, shard: bytes) -> None:
        self._s3.put_object(
            Bucket=self._bucket, Key=key, Body=shard, ContentType="application/gzip"
        )

    def _keys(self, prefix: str) -> Iterator[str]:
        pages = self._s3.get_paginator("list_objects_v2")
        for page in pages.paginate(Bucket=self._bucket, Prefix=prefix):
            yield from (found["Key"] for found in page.get("Contents", ()))

    def _shards(self, prefix: str) -> Iterator[bytes]:
        keys = self._keys(prefix)
        with ThreadPoolExecutor(_READERS) as pool:
            while some := list(islice(keys, _SHARDS_AT_ONCE)):
                yield from pool.map(self._read, some)

    def _read(self, key: str) -> bytes:
        body: bytes = self._s3.get_object(Bucket=self._bucket, Key=key)["Body"].read()
        return body
