"""What an evaluation reads of the lake: the training job's archive and the data set's manifest."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from areyouacat.dataset import ManifestEntry, read_manifest
from areyouacat.errors import CorruptModelError, DatasetError
from areyouacat.lake import dataset_prefix
from lambdas.shared.aws import error_code

_MISSING = frozenset({"404", "NoSuchKey"})
MAX_ARCHIVE_BYTES = 250 * 1024 * 1024


class EvaluationStore:
    """Reads one lake."""

    def __init__(self, s3: Any, bucket: str) -> None:
        """`s3` is a boto3 client; `bucket` is the lake."""
        self._s3 = s3
        self._bucket = bucket

    def archive(self, uri: str) -> bytes:
        """The bytes of `model.tar.gz` at an `s3://` address inside the lake.

        Raises:
            CorruptModelError: elsewhere, missing or too large.
        """
        root = f"s3://{self._bucket}/"
        if not uri.startswith(root):
            raise CorruptModelError(f"the model archive {uri} is not in the lake {root}")
        answer = self._get(uri.removeprefix(root))
        if answer is None:
            raise CorruptModelError(f"the training job left no {uri}")
        if answer["ContentLength"] > MAX_ARCHIVE_BYTES:
            raise CorruptModelError(
                f"{uri} has {answer['ContentLength']:,} bytes, at most {MAX_ARCHIVE_BYTES:,} "
                "are accepted"
            )
        data: bytes = answer["Body"].read()
        return data

    def manifest(self, version: str) -> list[ManifestEntry]:
        """The photos of a data set version.

        Raises:
            DatasetError: no such version, or its manifest cannot be read.
        """
        key = f"{dataset_prefix(version)}manifest.jsonl"
        answer = self._get(key)
        if answer is None:
            raise DatasetError(f"the lake has no {key}; start the train workflow again")
        try:
            return read_manifest(answer["Body"].read())
        except (ValueError, TypeError) as error:
            raise DatasetError(f"{key} is no manifest: {error}") from error

    def _get(self, key: str) -> Any:
        try:
            return self._s3.get_object(Bucket=self._bucket, Key=key)
        except ClientError as error:
            if error_code(error) in _MISSING:
                return None
            raise
