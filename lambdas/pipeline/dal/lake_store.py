"""The lake's objects, one S3 client behind them."""

import itertools
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from botocore.exceptions import ClientError

from lambdas.shared.aws import error_code

_NOT_FOUND: Final = frozenset({"NoSuchKey", "404", "NotFound"})
_SCHEME: Final = "s3://"

PART_BYTES: Final = 8 * 1024 * 1024
"""Size of an upload's part: S3 takes parts of 5 MB and more, 10,000 of them."""


class LakeStore:
    """Lists, reads and writes objects of one bucket."""

    def __init__(self, s3: Any, bucket: str) -> None:
        """`s3` is a boto3 client; `bucket` the lake."""
        self._s3 = s3
        self._bucket = bucket

    def uri(self, key: str) -> str:
        """The `s3://` address of a key."""
        return f"{_SCHEME}{self._bucket}/{key}"

    def key(self, uri: str) -> str:
        """The key of an `s3://` address in this lake.

        Raises:
            ValueError: the address lies elsewhere.
        """
        root = self.uri("")
        if not uri.startswith(root):
            raise ValueError(f"{uri} is not in the lake {root}")
        return uri.removeprefix(root)

    def keys(self, prefix: str) -> Iterator[str]:
        """All keys under `prefix`, in order."""
        pages = self._s3.get_paginator("list_objects_v2")
        for page in pages.paginate(Bucket=self._bucket, Prefix=prefix):
            for entry in page.get("Contents", []):
                yield str(entry["Key"])

    def folders(self, prefix: str) -> list[str]:
        """Names of the folders right under `prefix`, without slashes, in order."""
        pages = self._s3.get_paginator("list_objects_v2")
        return [
            str(entry["Prefix"]).removeprefix(prefix).rstrip("/")
            for page in pages.paginate(Bucket=self._bucket, Prefix=prefix, Delimiter="/")
            for entry in page.get("CommonPrefixes", [])
        ]

    def read(self, key: str) -> bytes | None:
        """An object's bytes, or None if there is no such key."""
        try:
            answer = self._s3.get_object(Bucket=self._bucket, Key=key)
        except ClientError as error:
            if error_code(error) in _NOT_FOUND:
                return None
            raise
        return bytes(answer["Body"].read())

    def size(self, key: str) -> int | None:
        """An object's size in bytes without reading it, or None if there is no such key."""
        try:
            answer = self._s3.head_object(Bucket=self._bucket, Key=key)
        except ClientError as error:
            if error_code(error) in _NOT_FOUND:
                return None
            raise
        return int(answer["ContentLength"])

    def write(self, key: str, data: bytes, content_type: str) -> None:
        """Store an object."""
        self._s3.put_object(Bucket=self._bucket, Key=key, Body=data, ContentType=content_type)

    def write_stream(self, key: str, chunks: Iterable[bytes], content_type: str) -> None:
        """Store an object that need not fit in memory; whole or not at all.

        One part is in memory at a time. What fits in one is written as a plain object.
        """
        parts = _parts(chunks)
        first = next(parts, b"")
        if len(first) < PART_BYTES:
            self.write(key, first, content_type)
            return
        place = {"Bucket": self._bucket, "Key": key}
        upload = self._s3.create_multipart_upload(**place, ContentType=content_type)
        place["UploadId"] = upload["UploadId"]
        try:
            stored = [
                {"PartNumber": number, "ETag": self._put_part(place, number, part)}
                for number, part in enumerate(itertools.chain([first], parts), start=1)
            ]
            self._s3.complete_multipart_upload(**place, MultipartUpload={"Parts": stored})
        except BaseException:
            self._s3.abort_multipart_upload(**place)
            raise

    def _put_part(self, place: Mapping[str, str], number: int, part: bytes) -> str:
        answer = self._s3.upload_part(**place, PartNumber=number, Body=part)
        return str(answer["ETag"])


def _parts(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes in pieces of `PART_BYTES`, the last one shorter or absent."""
    waiting = bytearray()
    for chunk in chunks:
        waiting += chunk
        while len(waiting) >= PART_BYTES:
            yield bytes(waiting[:PART_BYTES])
            del waiting[:PART_BYTES]
    if waiting:
        yield bytes(waiting)
