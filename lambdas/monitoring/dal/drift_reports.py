"""Drift reports and reference samples in the lake."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any, Final

from botocore.exceptions import ClientError

from areyouacat.lake import DRIFT_REPORTS_PREFIX, drift_report_prefix
from areyouacat.model_spec import REFERENCE_FILE
from areyouacat.serving_pointer import Variant
from lambdas.shared.aws import error_code

_NOT_FOUND: Final = frozenset({"404", "NoSuchKey", "NotFound"})
_AFTER_A_PREFIX: Final = "\x7f"
"""Sorts behind all keys of a report and before those of the next."""


class DriftReports:
    """The reports of one lake, behind an S3 client."""

    def __init__(self, s3: Any, bucket: str) -> None:
        """`s3` is a boto3 client."""
        self._s3 = s3
        self._bucket = bucket

    def keys_since(self, window_end: datetime) -> Iterator[str]:
        """Keys of all reports whose window ends later; names sort by time, so no other is read."""
        pages = self._s3.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket,
            Prefix=DRIFT_REPORTS_PREFIX,
            StartAfter=f"{drift_report_prefix(window_end)}{_AFTER_A_PREFIX}",
        )
        for page in pages:
            yield from (entry["Key"] for entry in page.get("Contents", ()))

    def reference_of(self, variant: Variant) -> str | None:
        """The S3 URI of the sample beside a variant's `model.json`, or None."""
        key = str(PurePosixPath(variant.model_json_key).with_name(REFERENCE_FILE))
        try:
            self._s3.head_object(Bucket=self._bucket, Key=key)
        except ClientError as error:
            if error_code(error) in _NOT_FOUND:
                return None
            raise
        return self.uri(key)

    def write(self, key: str, data: bytes) -> str:
        """Store CSV under a key; its S3 URI."""
        self._s3.put_object(Bucket=self._bucket, Key=key, Body=data, ContentType="text/csv")
        return self.uri(key)

    def uri(self, key: str) -> str:
        """The S3 URI of a key, or of a prefix."""
        return f"s3://{self._bucket}/{key}"
