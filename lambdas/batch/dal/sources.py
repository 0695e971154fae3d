"""Where a batch's photos are: the keys below a prefix, or a manifest's lines."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import unquote_plus

from botocore.exceptions import ClientError

from areyouacat.batches import S3_SCHEME, Batch, Location
from areyouacat.errors import EmptyBatchError, InvalidBatchError
from areyouacat.settings import BATCH, IMAGES
from lambdas.batch.logic.planning import Source
from lambdas.batch.logic.scoring import Unread
from lambdas.shared.aws import error_code

_ABSENT: Final = frozenset({"404", "NoSuchKey", "NoSuchBucket", "NotFound"})
_FORBIDDEN: Final = frozenset({"403", "AccessDenied", "Forbidden"})
_ARCHIVED: Final = frozenset({"InvalidObjectState"})
_CHUNK_BYTES: Final = 256 * 1024


def source_of(s3: Any, batch: Batch) -> Source:
    """What names the photos of a batch.

    Raises:
        EmptyBatchError, InvalidBatchError: there is no such manifest, or it may not be read.
    """
    if not batch.manifest:
        return Prefix(s3, batch.where)
    answer = _opened(s3, batch.where, Range="bytes=0-0")
    if answer["Body"].read() != b"[":
        return Lines(s3, batch.where)
    return ManifestFile(s3, batch.where)


class Prefix:
    """All objects whose keys begin alike, but for the marks of empty folders."""

    def __init__(self, s3: Any, where: Location) -> None:
        """`s3` is a boto3 client."""
        self._s3 = s3
        self._where = where

    def photos(self, position: str) -> Iterator[tuple[Location, str]]:
        """In the order of their keys; the position is a key."""
        pages = self._s3.get_paginator("list_objects_v2").paginate(
            Bucket=self._where.bucket,
            Prefix=self._where.key,
            **({"StartAfter": position} if position else {}),
        )
        try:
            for page in pages:
                for found in page.get("Contents", ()):
                    key = str(found["Key"])
                    if not key.endswith("/"):
                        yield Location(self._where.bucket, key), key
        except ClientError as error:
            raise _explained(error, self._where) from error


class Lines:
    """A manifest with one photo per line: an address, a key of its bucket, or S3 Inventory's CSV.

    Not compressed. Read on from where it was left, so that it may have any number of lines.
    """

    def __init__(self, s3: Any, where: Location) -> None:
        """`s3` is a boto3 client."""
        self._s3 = s3
        self._where = where

    def photos(self, position: str) -> Iterator[tuple[Location, str]]:
        """In the order of the lines; the position counts bytes."""
        offset = int(position or 0)
        try:
            answer = _opened(self._s3, self._where, Range=f"bytes={offset}-")
        except ClientError as error:
            if error_code(error) in {"416", "InvalidRange"}:  # it ends where the last line ended
                return
            raise
        for line in answer["Body"].iter_lines(chunk_size=_CHUNK_BYTES, keepends=True):
            offset += len(line)
            text = line.decode(errors="replace").strip("\r\n")
            if text:
                yield self._location(text), str(offset)

    def _location(self, text: str) -> Location:
        if text.startswith('"'):
            bucket, key, *_ = [*next(csv.reader([text])), ""]
            return Location(bucket, unquote_plus(key))
        if text.startswith(S3_SCHEME):
            return Location.of(text)
        return Location(self._where.bucket, text)


class ManifestFile:
    """SageMaker's `ManifestFile`: a JSON array of a prefix and what follows it for each photo.

    Source: `S3DataSource`, SageMaker API reference.
    """

    def __init__(self, s3: Any, where: Location) -> None:
        """`s3` is a boto3 client."""
        self._s3 = s3
        self._where = where

    def photos(self, position: str) -> Iterator[tuple[Location, str]]:
        """In the order of the array; the position counts photos."""
        answer = _opened(self._s3, self._where)
        if answer["ContentLength"] > BATCH.listed_manifest_bytes:
            raise InvalidBatchError(
                f"{self._where} has {answer['ContentLength']:,} bytes. A manifest that is a JSON "
                f"array may have {BATCH.listed_manifest_bytes:,}; write one address per line."
            )
        try:
            first, *names = json.loads(answer["Body"].read())
            prefix = Location.of(first["prefix"])
        except (ValueError, TypeError, KeyError) as error:
            raise InvalidBatchError(
                f'{self._where} is no manifest: [{{"prefix": "s3://bucket/folder/"}}, "photo.jpg", '
                "...] or one address per line"
            ) from error
        for number, name in enumerate(names[int(position or 0) :], int(position or 0) + 1):
            yield Location(prefix.bucket, f"{prefix.key}{name}"), str(number)


class Photos:
    """Reads photos wherever they are."""

    def __init__(self, s3: Any) -> None:
        """`s3` is a boto3 client."""
        self._s3 = s3

    def read(self, where: Location) -> bytes | Unread:
        """A photo's bytes, or why it has none to give; what may pass is raised.

        Too many bytes are not even fetched.
        """
        try:
            answer = self._s3.get_object(Bucket=where.bucket, Key=where.key)
        except ClientError as error:
            code = error_code(error)
            if code in _ABSENT:
                return Unread("not_found", "There is no such object (any more).")
            if code in _FORBIDDEN:
                return Unread("forbidden", "The role of score-chunk may not read it.")
            if code in _ARCHIVED:
                return Unread("archived", "It lies in an archive. Restore it first.")
            raise
        size = int(answer["ContentLength"])
        if size > IMAGES.max_bytes:
            answer["Body"].close()
            return Unread(
                "payload_too_large",
                f"The photo has {size:,} bytes; at most {IMAGES.max_bytes:,} are accepted.",
            )
        data: bytes = answer["Body"].read()
        return data


def _opened(s3: Any, where: Location, **more: str) -> Any:
    try:
        return s3.get_object(Bucket=where.bucket, Key=where.key, **more)
    except ClientError as error:
        raise _explained(error, where) from error


def _explained(error: ClientError, where: Location) -> Exception:
    """The error in words that help, where there are some."""
    code = error_code(error)
    if code in _ABSENT:
        return EmptyBatchError(f"There is no {where}.")
    if code in _FORBIDDEN:
        return InvalidBatchError(
            f"The role of plan-batch may not read {where}. Name its bucket when you deploy: "
            f"-c batch_sources={where.bucket}"
        )
    return error
