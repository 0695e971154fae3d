"""Presigned uploads: whoever holds one may store one photo, of one type, under one key."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache
from typing import Any, Literal

import boto3
from botocore.config import Config

from areyouacat.settings import IMAGES, SERVING


@cache
def presigning_client() -> Any:
    """An S3 client for presigning, which asks nobody anything.

    The usual client would sign by an old method in some regions, and name the global address, which
    answers a new bucket's uploads with a redirect. The local cloud has one address for all buckets.
    """
    create: Callable[..., Any] = boto3.client  # its stubs want every service's name spelled out
    style: Literal["path", "virtual"]
    style = "path" if os.environ.get("AWS_ENDPOINT_URL") else "virtual"
    return create("s3", config=Config(signature_version="s3v4", s3={"addressing_style": style}))


class UploadIssuer:
    """Issues uploads into one lake."""

    def __init__(self, s3: Any, bucket: str) -> None:
        """`s3` is a boto3 client; `bucket` is the lake."""
        self._s3 = s3
        self._bucket = bucket

    def presign(self, key: str, content_type: str) -> tuple[str, dict[str, str]]:
        """Address and form fields of one upload; S3 refuses another key, type or size."""
        form = self._s3.generate_presigned_post(
            self._bucket,
            key,
            Fields={"Content-Type": content_type},
            Conditions=[
                {"Content-Type": content_type},
                ["content-length-range", 1, IMAGES.max_bytes],
            ],
            ExpiresIn=SERVING.upload_url_seconds,
        )
        return str(form["url"]), dict(form["fields"])
