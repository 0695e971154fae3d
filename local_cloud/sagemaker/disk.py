"""A full disk, in words that name the remedy."""

import errno

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_REMEDY = "The disk that holds the local cloud's state is full: make room on it, then start again"


def words(error: OSError) -> str:
    """What the system says, and what to do about it where the disk is full."""
    return f"{error}. {_REMEDY}" if error.errno in _FULL else str(error)


def full() -> str:
    """The same, where only the missing room is known."""
    return f"No space left on device. {_REMEDY}"
