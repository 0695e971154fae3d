"""Photos that were sent to the API: kept when they are labelled, erased when their sender asks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from areyouacat.lake import (
    ERASED_PHOTO,
    ORIGIN_FEEDBACK,
    ORIGIN_REQUEST,
    ORIGIN_TAG,
    photo_key,
    tombstone_key,
    utc_text,
)
from lambdas.api.logic.stored_predictions import PhotoState
from lambdas.shared.aws import error_code

_ALREADY_THERE = frozenset({"412", "PreconditionFailed", "409", "ConditionalRequestConflict"})
_MISSING = frozenset({"404", "NoSuchKey"})


class PhotoStore:
    """Photos of one lake, by the SHA-256 of their bytes."""

    def __init__(self, s3: Any, bucket: str) -> None:
        """`s3` is a boto3 client; `bucket` is the lake."""
        self._s3 = s3
        self._bucket = bucket

    def keep(self, photo: str) -> None:
        """Takes a sent photo out of retention; one that is gone or seeded is left alone."""
        if self._origin(photo) == ORIGIN_REQUEST:
            self._s3.put_object_tagging(
                **self._at(photo),
                Tagging={"TagSet": [{"Key": ORIGIN_TAG, "Value": ORIGIN_FEEDBACK}]},
            )

    def state(self, photo: str) -> PhotoState:
        """What stands at a photo's key at this moment."""
        try:
            size = self._s3.head_object(**self._at(photo))["ContentLength"]
        except ClientError as error:
            if error_code(error) in _MISSING:
                return PhotoState.ABSENT
            raise
        if size == len(ERASED_PHOTO):
            return PhotoState.ERASED
        sent = self._origin(photo) in {ORIGIN_REQUEST, ORIGIN_FEEDBACK}
        return PhotoState.SENT if sent else PhotoState.OPERATORS

    def bury(self, photo: str, at: datetime) -> None:
        """Leaves a tombstone, once: from then on no data set takes the photo in."""
        try:
            self._s3.put_object(
                Bucket=self._bucket,
                Key=tombstone_key(photo),
                Body=json.dumps({"erased_at": utc_text(at)}).encode(),
                ContentType="application/json",
                IfNoneMatch="*",
            )
        except ClientError as error:
            if error_code(error) not in _ALREADY_THERE:
                raise

    def empty(self, photo: str) -> None:
        """Puts the mark of an erased photo at its key, without tags: it never expires."""
        self._s3.put_object(**self._at(photo), Body=ERASED_PHOTO)

    def forget_versions(self, photo: str) -> None:
        """Deletes for good whatever stood at the photo's key before what stands there now."""
        for version in self._older_versions(photo):
            self._s3.delete_object(**self._at(photo), VersionId=version)

    def _older_versions(self, photo: str) -> Iterator[str]:
        key = photo_key(photo)
        pages = self._s3.get_paginator("list_object_versions")
        for page in pages.paginate(Bucket=self._bucket, Prefix=key):
            for found in page.get("Versions", []) + page.get("DeleteMarkers", []):
                if found["Key"] == key and not found["IsLatest"]:
                    yield found["VersionId"]

    def _origin(self, photo: str) -> str | None:
        try:
            answer = self._s3.get_object_tagging(**self._at(photo))
        except ClientError as error:
            if error_code(error) in _MISSING:
                return None
            raise
        return next((tag["Value"] for tag in answer["TagSet"] if tag["Key"] == ORIGIN_TAG), None)

    def _at(self, photo: str) -> dict[str, str]:
        return {"Bucket": self._bucket, "Key": photo_key(photo)}
