"""A place for one large photo."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Protocol

from areyouacat.lake import UPLOADS_PREFIX, utc_text
from areyouacat.settings import IMAGES, SERVING
from lambdas.api.logic.answers import UploadAnswer


class Issuer(Protocol):
    """What signs uploads."""

    def presign(self, key: str, content_type: str) -> tuple[str, dict[str, str]]:
        """Address and form fields of one upload."""


def create_upload(issuer: Issuer, content_type: str, at: datetime) -> UploadAnswer:
    """An upload under a key that nobody can guess; nothing is stored yet."""
    key = f"{UPLOADS_PREFIX}{uuid.uuid4()}"
    url, fields = issuer.presign(key, content_type)
    return UploadAnswer(
        upload_key=key,
        url=url,
        fields=fields,
        max_bytes=IMAGES.max_bytes,
        expires_at=utc_text(at + timedelta(seconds=SERVING.upload_url_seconds)),
    )
