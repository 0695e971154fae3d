"""Photos on their way in: objects under `uploads/`, each good for one prediction."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from areyouacat.errors import PayloadTooLargeError, UnsupportedFormatError
from areyouacat.settings import IMAGES
from lambdas.serving.logic.sent_photo import Upload
from lambdas.shared.aws import error_code
from lambdas.shared.observability import logger

_MISSING = frozenset({"404", "NoSuchKey"})


class UploadStore:
    """Reads uploads of one lake, and forgets those that have been used."""

    def __init__(self, s3: Any, bucket: str) -> None:
        """`s3` is a boto3 client; `bucket` is the lake."""
        self._s3 = s3
        self._bucket = bucket

    def read(self, key: str) -> Upload | None:
        """An upload, or `None` where there is none (any more).

        Raises:
            PayloadTooLargeError: too many bytes; they are not read.
            UnsupportedFormatError: it was declared as something else; it is not read.
        """
        try:
            answer = self._s3.get_object(Bucket=self._bucket, Key=key)
        except ClientError as error:
            if error_code(error) in _MISSING:
                return None
            raise
        with answer["Body"] as body:
            if answer["ContentLength"] > IMAGES.max_bytes:
                raise PayloadTooLargeError(
                    f"The upload has {answer['ContentLength']:,} bytes; "
                    f"at most {IMAGES.max_bytes:,} are accepted."
                )
            if answer["ContentType"] not in IMAGES.media_types:
                raise UnsupportedFormatError(
                    f"The upload was declared as another type than {', '.join(IMAGES.media_types)}."
                )
            return Upload(key, answer["VersionId"], body.read())

    def forget(self, upload: Upload) -> None:
        """Deletes an upload for good. One that stays expires, and cannot be used again."""
        try:
            self._s3.delete_object(Bucket=self._bucket, Key=upload.key, VersionId=upload.version_id)
        except (ClientError, BotoCoreError) as error:
            logger.warning("an upload was left to expire", reason=type(error).__name__)
