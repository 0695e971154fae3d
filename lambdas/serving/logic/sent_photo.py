"""A photo as it is sent: in a request's body, or by an upload that the request names."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PhotoRequest:
    """Where the photo is: `data` holds its bytes, or `upload_key` names them; never both."""

    data: bytes | None
    upload_key: str | None


@dataclass(frozen=True, slots=True)
class Upload:
    """An upload's bytes, and the one version of it that they are."""

    key: str
    version_id: str
    data: bytes
