"""How a command line names a photo: by its hash, or by a file with its bytes."""

import re
from pathlib import Path

from areyouacat.lake import sha256_hex

PHOTO_HELP = "a photo's SHA-256 (64 hex digits), or a file with its bytes"


def photo_named(argument: str) -> str:
    """The photo's SHA-256, 64 hex digits in lower case.

    Raises:
        ValueError: neither a hash nor a file that can be read; the message says which.
    """
    if re.fullmatch(r"[0-9a-fA-F]{64}", argument):
        return argument.lower()
    try:
        return sha256_hex(Path(argument).read_bytes())
    except OSError as error:
        raise ValueError(
            f"'{argument}' is neither a SHA-256 (64 hex digits) nor a file that can be read "
            f"({error.strerror})."
        ) from error
