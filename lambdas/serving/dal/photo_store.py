"""The lake's photos: written once under their own hash, read side by side."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from typing import Any

from botocore.exceptions import ClientError

from areyouacat.dataset import ManifestEntry
from areyouacat.lake import ERASED_PHOTO, ORIGIN_REQUEST, ORIGIN_TAG, photo_key
from lambdas.serving.logic.ahead import ahead
from lambdas.shared.aws import error_code

_ALREADY_THERE = frozenset({"412", "PreconditionFailed"})
_BEING_WRITTEN = frozenset({"409", "ConditionalRequestConflict"})
_MISSING = frozenset({"404", "NoSuchKey"})
_PUT_ATTEMPTS = 5
READERS = 16  # threads; S3 answers in tens of milliseconds, a photo is scored in about ten
_AHEAD = 32  # photos held in memory at once, at most 20 MB each


class PhotoStore:
    """Photos of one lake, by the SHA-256 of their bytes."""

    def __init__(self, s3: Any, bucket: str) -> None:
        """`s3` is a boto3 client; `bucket` is the lake."""
        self._s3 = s3
        self._bucket = bucket

    def put(self, photo: str, data: bytes, image_format: str) -> None:
        """Stores a photo's bytes as they came; what is at its key already is left alone.

        Be it the same photo, or the mark that it was erased. `image_format` is Pillow's name, such
        as `JPEG`.
        """
        upload = {
            "Bucket": self._bucket,
            "Key": photo_key(photo),
            "Body": data,
            "ContentType": f"image/{image_format.lower()}",
            "Tagging": f"{ORIGIN_TAG}={ORIGIN_REQUEST}",
        }
        for attempts_left in reversed(range(_PUT_ATTEMPTS)):
            try:
                self._s3.put_object(**upload, IfNoneMatch="*")
            except ClientError as error:
                if error_code(error) in _ALREADY_THERE:
                    return
                # Another writer is at it: of the same bytes, but it may yet fail.
                if error_code(error) not in _BEING_WRITTEN or not attempts_left:
                    raise
            else:
                return

    def get(self, photo: str) -> bytes | None:
        """A photo's bytes, or `None` where it was erased."""
        try:
            answer = self._s3.get_object(Bucket=self._bucket, Key=photo_key(photo))
        except ClientError as error:
            if error_code(error) in _MISSING:
                return None
            raise
        data: bytes = answer["Body"].read()
        return data if data != ERASED_PHOTO else None

    def get_many(self, photos: Sequence[str]) -> Iterator[tuple[str, bytes | None]]:
        """Photos in the order given, each with its bytes or `None`; a few are read ahead."""
        read = ahead(self.get, photos, threads=READERS, window=_AHEAD)
        yield from zip(photos, read, strict=True)

    def with_bytes(
        self, entries: Sequence[ManifestEntry]
    ) -> Generator[tuple[ManifestEntry, bytes | None], None, None]:
        """Photos of a data set in the order given; `get_many` of their hashes."""
        read = self.get_many([entry.photo for entry in entries])
        for entry, (_, data) in zip(entries, read, strict=True):
            yield entry, data
