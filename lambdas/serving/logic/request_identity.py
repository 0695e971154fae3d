"""What makes two requests the same: the prediction's id follows from it."""

from __future__ import annotations

import hashlib
import re
import uuid
from dataclasses import dataclass

from areyouacat.contract import IDEMPOTENCY_KEY_PATTERN
from areyouacat.errors import IdempotencyKeyReusedError, InvalidRequestError, UploadUsedError
from areyouacat.predictions import Prediction

_NAMESPACE = uuid.UUID("8f0fd6a3-6a0f-4c0c-9d7a-3e5f2f1b6c11")
_IDEMPOTENCY_KEY = re.compile(IDEMPOTENCY_KEY_PATTERN)


@dataclass(frozen=True, slots=True)
class RequestIdentity:
    """`prediction_id` is the same for a request that is repeated.

    `idempotency`: digest of who asked and the Idempotency-Key, or `None` without one. `by_upload`:
    the id follows from the upload, which is good for one prediction whoever asks.
    """

    prediction_id: str
    idempotency: str | None
    by_upload: bool

    def settle(self, stored: Prediction, photo: str | None) -> Prediction:
        """The prediction that is stored under this id, if it answers this request.

        `photo`: SHA-256 of this request's photo, if it could be read.

        Raises:
            UploadUsedError: another request has used the upload.
            IdempotencyKeyReusedError: it answers another photo.
        """
        if self.by_upload:
            if self.idempotency is None or self.idempotency != stored.idempotency:
                raise UploadUsedError(
                    "This upload has been used. Ask POST /uploads for another one."
                )
        elif stored.photo != photo:
            raise IdempotencyKeyReusedError(
                "This Idempotency-Key came with another photo. Use a new key for every photo."
            )
        return stored


def request_identity(
    api_key: str, idempotency_key: str | None, upload_key: str | None
) -> RequestIdentity:
    """Who asks what. Ids cannot be guessed by those who do not know the API key.

    Raises:
        InvalidRequestError: the Idempotency-Key is empty, too long or not printable.
    """
    digest = None
    if idempotency_key is not None:
        if not _IDEMPOTENCY_KEY.fullmatch(idempotency_key):
            raise InvalidRequestError("Idempotency-Key: 1 to 255 printable characters, no spaces.")
        digest = hashlib.sha256(f"{api_key}|{idempotency_key}".encode()).hexdigest()
    if upload_key is not None:
        return RequestIdentity(str(uuid.uuid5(_NAMESPACE, upload_key)), digest, by_upload=True)
    if digest is not None:
        return RequestIdentity(str(uuid.uuid5(_NAMESPACE, digest)), digest, by_upload=False)
    return RequestIdentity(str(uuid.uuid4()), None, by_upload=False)
