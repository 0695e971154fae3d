"""What an evaluation reads of the lake (archive, manifest) and what it leaves there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError

from areyouacat.dataset import ManifestEntry, read_manifest
from areyouacat.errors import CorruptModelError, DatasetError
from areyouacat.lake import dataset_prefix
from lambdas.shared.aws import error_code

_MISSING = frozenset({"404", "NoSuchKey"})
_CHUNK_BYTES = 256 * 1024
MAX_ARCHIVE_BYTES = 250 * 1024 * 1024


class EvaluationStore:
    """One lake, as an evaluation sees it."""

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

    def manifest(self, version: str) -> Iterator[ManifestEntry]:
        """The photos of a data set version, one by one: a manifest may be large.

        Raises:
            DatasetError: no such version, or its manifest cannot be read; when it is reached.
        """
        key = f"{dataset_prefix(version)}manifest.jsonl"
        answer = self._get(key)
        if answer is None:
            raise DatasetError(f"the lake has no {key}; start the train workflow again")
        try:
            yield from read_manifest(answer["Body"].iter_lines(chunk_size=_CHUNK_BYTES))
        except (ValueError, TypeError) as error:
            raise DatasetError(f"{key} is no manifest: {error}") from error

    def write(self, key: str, text: str, content_type: str) -> None:
        """Stores what was found, in the place of what an earlier try may have left."""
        self._s3.put_object(
            Bucket=self._bucket, Key=key, Body=text.encode(), ContentType=content_type
        )

    def _get(self, key: str) -> Any:
        try:
            return self._s3.get_object(Bucket=self._bucket, Key=key)
        except ClientError as error:
            if error_code(error) in _MISSING:
                return None
            raise
