"""The lake with all its history: the bucket is versioned, and erasing means every version."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

_DELETED_AT_ONCE = 1_000  # S3's own limit


class VersionsNotDeletedError(Exception):
    """S3 refused to delete some versions; the message says which and why."""


@dataclass(frozen=True, slots=True)
class ObjectVersion:
    """One version of an object. `is_current`: what a plain read of the key gives.

    `size`: in bytes; None for a delete marker.
    """

    key: str
    version_id: str
    is_current: bool
    size: int | None


class VersionedLake:
    """Reads and deletes single versions through an S3 client that threads may share."""

    def __init__(self, s3: Any, bucket: str) -> None:
        """`s3` is a boto3 client; `bucket` is the lake."""
        self._s3, self._bucket = s3, bucket

    def versions(self, prefix: str) -> Iterator[ObjectVersion]:
        """Every version under a prefix, in the order of keys; delete markers hold nothing."""
        return (found for found in self._listed(prefix) if found.size is not None)

    def versions_of(self, key: str) -> list[ObjectVersion]:
        """Every version of one object, delete markers included."""
        return [found for found in self._listed(key) if found.key == key]

    def has(self, key: str) -> bool:
        """Whether a plain read of the key gives something."""
        return any(found.is_current for found in self.versions(key) if found.key == key)

    def read(self, version: ObjectVersion) -> bytes:
        """A version's bytes."""
        body: bytes = self._s3.get_object(
            Bucket=self._bucket, Key=version.key, VersionId=version.version_id
        )["Body"].read()
        return body

    def write(self, key: str, data: bytes, content_type: str) -> None:
        """Put an object; the same key again replaces it."""
        self._s3.put_object(Bucket=self._bucket, Key=key, Body=data, ContentType=content_type)

    def write_once(self, key: str, data: bytes) -> bool:
        """Put an object unless the key is taken; whether it was free."""
        try:
            self._s3.put_object(Bucket=self._bucket, Key=key, Body=data, IfNoneMatch="*")
        except ClientError as error:
            # 409: another writer of the same key is at it right now.
            if error.response["ResponseMetadata"]["HTTPStatusCode"] not in {409, 412}:
                raise
            return False
        return True

    def delete(self, versions: Iterable[ObjectVersion]) -> None:
        """Delete these versions for good.

        Raises:
            VersionsNotDeletedError: S3 refused some.
        """
        waiting = list(versions)
        for start in range(0, len(waiting), _DELETED_AT_ONCE):
            answer = self._s3.delete_objects(
                Bucket=self._bucket,
                Delete={
                    "Objects": [
                        {"Key": version.key, "VersionId": version.version_id}
                        for version in waiting[start : start + _DELETED_AT_ONCE]
                    ],
                    "Quiet": True,
                },
            )
            if refused := answer.get("Errors"):
                first = refused[0]
                raise VersionsNotDeletedError(
                    f"S3 refused to delete {len(refused)} versions, the first of them "
                    f"{first.get('Key')}: {first.get('Code')} {first.get('Message')}"
                )

    def _listed(self, prefix: str) -> Iterator[ObjectVersion]:
        pages = self._s3.get_paginator("list_object_versions")
        for page in pages.paginate(Bucket=self._bucket, Prefix=prefix):
            for found in (*page.get("Versions", ()), *page.get("DeleteMarkers", ())):
                yield ObjectVersion(
                    key=found["Key"],
                    version_id=found["VersionId"],
                    is_current=bool(found["IsLatest"]),
                    size=found.get("Size"),
                )
