"""The lake as the training job sees it: objects by key."""

from collections.abc import Iterator
from typing import Any, Protocol

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError


class ObjectMissingError(Exception):
    """No object has this key."""


class LakeStore(Protocol):
    """Objects by key. Calls may come from several threads."""

    def list_keys(self, prefix: str) -> Iterator[str]:
        """All keys under a prefix, sorted."""
        ...

    def read(self, key: str) -> bytes:
        """An object's bytes. Raises ObjectMissingError."""
        ...

    def write(self, key: str, data: bytes) -> None:
        """Put an object; the same key again replaces it."""
        ...


class S3Lake:
    """The lake in its bucket."""

    def __init__(self, bucket: str, s3: Any = None) -> None:
        """`s3`: a boto3 client; else one with the job's role and region as boto3 finds them."""
        self._bucket = bucket
        self._s3: Any = s3 or boto3.client(
            "s3",
            config=Config(retries={"mode": "standard", "max_attempts": 5}, max_pool_connections=16),
        )

    def list_keys(self, prefix: str) -> Iterator[str]:
        """All keys under a prefix, sorted (S3 lists in this order)."""
        pages = self._s3.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=prefix
        )
        for page in pages:
            for entry in page.get("Contents", []):
                yield entry["Key"]

    def read(self, key: str) -> bytes:
        """An object's bytes. Raises ObjectMissingError."""
        try:
            body: bytes = self._s3.get_object(Bucket=self._bucket, Key=key)["Body"].read()
        except ClientError as error:
            if error.response["Error"]["Code"] in {"NoSuchKey", "404"}:
                raise ObjectMissingError(key) from error
            raise
        return body

    def write(self, key: str, data: bytes) -> None:
        """Put an object."""
        self._s3.put_object(Bucket=self._bucket, Key=key, Body=data)
