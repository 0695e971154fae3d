"""The data lake as the pages reach it: objects by key."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final

from botocore.exceptions import ClientError

from areyouacat import lake
from ui import aws
from ui.configuration import Configuration

NO_LAKE: Final = "The data lake's name is not known. Run `make up` again, then reload this page."
GONE: Final = "It is not in the data lake any more."
_MISSING: Final = ("NoSuchKey", "404")


class GoneError(aws.AwsError):
    """No object has this key."""


class Lake:
    """The lake's bucket. All calls raise `aws.AwsError`; they may come from several threads."""

    def __init__(self, configuration: Configuration, s3: Any = None) -> None:
        """`s3`: a boto3 client; by default the one of `configuration`."""
        if configuration.lake_bucket is None:
            raise aws.AwsError(NO_LAKE)
        self._bucket = configuration.lake_bucket
        self._s3 = s3 or aws.client(configuration, "s3")

    def list_keys(self, prefix: str) -> Iterator[str]:
        """All keys under a prefix, sorted."""
        return (key for key, _ in self.list_objects(prefix))

    def list_objects(self, prefix: str) -> Iterator[tuple[str, datetime]]:
        """All keys under a prefix, sorted, and when each was written last."""
        with aws.in_words():
            pages = self._s3.get_paginator("list_objects_v2").paginate(
                Bucket=self._bucket, Prefix=prefix
            )
            for page in pages:
                for entry in page.get("Contents", ()):
                    yield str(entry["Key"]), entry["LastModified"].astimezone(UTC)

    def read(self, key: str) -> bytes:
        """An object's bytes; raises `GoneError` where there is none."""
        with aws.in_words():
            try:
                found = self._s3.get_object(Bucket=self._bucket, Key=key)
            except ClientError as error:
                if error.response["Error"]["Code"] in _MISSING:
                    raise GoneError(GONE) from error
                raise
            body: bytes = found["Body"].read()
        return body

    def write(self, key: str, data: bytes) -> None:
        """Put an object; the same key again replaces it."""
        with aws.in_words():
            self._s3.put_object(Bucket=self._bucket, Key=key, Body=data)

    def delete(self, key: str) -> None:
        """Delete an object; one that is not there is deleted already."""
        with aws.in_words():
            self._s3.delete_object(Bucket=self._bucket, Key=key)

    def keep(self, photo: str) -> bool:
        """Take a photo that was sent out of retention; whether that changed anything."""
        return self._retag(photo, lake.ORIGIN_REQUEST, lake.ORIGIN_FEEDBACK)

    def let_expire(self, photo: str) -> bool:
        """The opposite of `keep`."""
        return self._retag(photo, lake.ORIGIN_FEEDBACK, lake.ORIGIN_REQUEST)

    def _retag(self, photo: str, old: str, new: str) -> bool:
        at = {"Bucket": self._bucket, "Key": lake.photo_key(photo)}
        with aws.in_words():
            tags = self._s3.get_object_tagging(**at)["TagSet"]
            if {"Key": lake.ORIGIN_TAG, "Value": old} not in tags:
                return False
            tag = {"Key": lake.ORIGIN_TAG, "Value": new}
            self._s3.put_object_tagging(**at, Tagging={"TagSet": [tag]})
        return True
