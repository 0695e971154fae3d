"""Zip files and digests that depend on content alone: equal content gives equal bytes."""

import hashlib
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Final

_EPOCH: Final = (1980, 1, 1, 0, 0, 0)  # the earliest date a zip can hold


def digest(*parts: str | bytes) -> str:
    """32 hex digits over the parts, each with its length, so that no two lists look alike."""
    found = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        found.update(f"{len(data)}:".encode())
        found.update(data)
    return found.hexdigest()[:32]


def add(archive: Path, files: Iterable[tuple[str, Path]]) -> None:
    """Append files to a zip (made if it is not there), with one date and one mode for all."""
    with zipfile.ZipFile(archive, "a") as zip_file:
        for name, path in files:
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.external_attr = 0o755 << 16  # whoever unpacks it may read as another user
            entry.compress_type = zipfile.ZIP_DEFLATED
            zip_file.writestr(entry, path.read_bytes(), compresslevel=6)
