"""The lake's side of a backup: listing, fetching and putting objects, current versions alone."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from botocore.exceptions import ClientError

from areyouacat import lake
from training_job.backups.folder import BackupFolder, StoredObject

_CHUNK_BYTES: Final = 1 << 20
_GONE: Final = frozenset({"NoSuchKey", "404"})
_TAKEN: Final = frozenset({409, 412})
_NOT_KEPT: Final = lake.UPLOADS_PREFIX  # read within minutes, forgotten within a day


@dataclass(frozen=True, slots=True)
class ListedObject:
    """What a listing says of an object. `etag`: quotes removed. `size`: in bytes."""

    key: str
    etag: str
    size: int


class LakeCopier:
    """One lake, through an S3 client that threads may share."""

    def __init__(self, s3: Any, bucket: str) -> None:
        """`s3` is a boto3 client; `bucket` is the lake."""
        self._s3, self._bucket = s3, bucket

    def list(self, prefix: str = "") -> Iterator[ListedObject]:
        """Every object that a backup keeps, in the order of keys."""
        pages = self._s3.get_paginator("list_objects_v2")
        for page in pages.paginate(Bucket=self._bucket, Prefix=prefix):
            for found in page.get("Contents", ()):
                if not found["Key"].startswith(_NOT_KEPT):
                    yield ListedObject(found["Key"], _bare(found["ETag"]), found["Size"])

    def fetch(self, key: str, folder: BackupFolder) -> StoredObject | None:
        """Copy an object into the folder; None if it has gone."""
        try:
            answer = self._s3.get_object(Bucket=self._bucket, Key=key)
        except ClientError as error:
            if error.response["Error"]["Code"] in _GONE:
                return None
            raise
        content = folder.keep(answer["Body"].iter_chunks(_CHUNK_BYTES))
        return StoredObject(
            key=key,
            etag=_bare(answer["ETag"]),
            content=content,
            content_type=answer.get("ContentType", ""),
            tags={},
            modified=answer["LastModified"].isoformat(),
        )

    def tags(self, key: str) -> dict[str, str]:
        """An object's tags; none if it has gone. Only photos have any: how they came.

        A label changes the tag of a photo and nothing else of it, so it is asked for every time.
        """
        if not key.startswith(lake.PHOTOS_PREFIX):
            return {}
        try:
            answer = self._s3.get_object_tagging(Bucket=self._bucket, Key=key)
        except ClientError as error:
            if error.response["Error"]["Code"] in _GONE:
                return {}
            raise
        return {tag["Key"]: tag["Value"] for tag in answer["TagSet"]}

    def holds(self, stored: StoredObject, listed: ListedObject) -> bool:
        """Whether the lake's object has the bytes and tags of the stored one.

        An ETag says so if both were written in the same way; else the bytes themselves do.
        """
        if listed.size != stored.content.size or self.tags(stored.key) != stored.tags:
            return False
        if listed.etag == stored.etag:
            return True
        digest = hashlib.sha256()
        answer = self._s3.get_object(Bucket=self._bucket, Key=stored.key)
        for chunk in answer["Body"].iter_chunks(_CHUNK_BYTES):
            digest.update(chunk)
        return digest.hexdigest() == stored.content.sha256

    def put(self, stored: StoredObject, folder: BackupFolder, instead_of: str | None) -> bool:
        """Put an object back with type and tags; whether nobody else wrote its key meanwhile.

        `instead_of`: the ETag of what is to be replaced; None: nothing stands there.
        """
        condition = {"IfNoneMatch": "*"} if instead_of is None else {"IfMatch": f'"{instead_of}"'}
        more = {"ContentType": stored.content_type} if stored.content_type else {}
        if stored.tags:
            more["Tagging"] = urlencode(stored.tags)
        try:
            with folder.file(stored.content).open("rb") as body:
                self._s3.put_object(
                    Bucket=self._bucket, Key=stored.key, Body=body, **condition, **more
                )
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] not in _TAKEN:
                raise
            return False
        return True


def _bare(etag: str) -> str:
    return etag.strip('"')
