"""The serving pointer in the lake: read cheaply, written only over the version that was read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from areyouacat.errors import StalePointerError
from areyouacat.lake import SERVING_POINTER_KEY
from areyouacat.serving_pointer import ServingPointer
from lambdas.shared.aws import error_code

_NOT_MODIFIED = frozenset({"304", "NotModified"})
_NOT_FOUND = frozenset({"404", "NoSuchKey", "NotFound"})
# Two conditional writers at once: one is told that the other is ahead, or that both still race.
_LOST_THE_RACE = frozenset({"412", "PreconditionFailed", "409", "ConditionalRequestConflict"})


@dataclass(frozen=True)
class StoredPointer:
    """A pointer and the entity tag under which S3 holds it."""

    pointer: ServingPointer
    etag: str


class ServingPointerStore:
    """Reads and writes `serving/live.json` of one lake."""

    def __init__(self, s3: Any, bucket: str) -> None:
        """`s3` is a boto3 client; `bucket` is the lake."""
        self._s3 = s3
        self._bucket = bucket

    def read(self, known: StoredPointer | None = None) -> StoredPointer | None:
        """The stored pointer; `None` while no model serves.

        With `known`, an unchanged pointer costs a 304 and the answer is `known` itself.
        """
        condition = {"IfNoneMatch": known.etag} if known else {}
        try:
            answer = self._s3.get_object(Bucket=self._bucket, Key=SERVING_POINTER_KEY, **condition)
        except ClientError as error:
            if error_code(error) in _NOT_MODIFIED:
                return known
            if error_code(error) in _NOT_FOUND:
                return None
            raise
        return StoredPointer(ServingPointer.from_json(answer["Body"].read()), answer["ETag"])

    def write(self, pointer: ServingPointer, replacing: StoredPointer | None) -> StoredPointer:
        """Stores `pointer` in the place of `replacing` (`None`: where there was no pointer yet).

        Raises:
            StalePointerError: somebody else wrote in between; read again and decide again.
        """
        condition = {"IfMatch": replacing.etag} if replacing else {"IfNoneMatch": "*"}
        try:
            answer = self._s3.put_object(
                Bucket=self._bucket,
                Key=SERVING_POINTER_KEY,
                Body=pointer.to_json(),
                ContentType="application/json",
                **condition,
            )
        except ClientError as error:
            # If-Match on a pointer that is gone is answered with 404.
            if error_code(error) in _LOST_THE_RACE | _NOT_FOUND:
                raise StalePointerError(
                    "the serving pointer changed since it was read; run the deployment again"
                ) from error
            raise
        return StoredPointer(pointer, answer["ETag"])
