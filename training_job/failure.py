"""The reason that a failed job leaves behind, also where there is hardly room to leave it."""

import errno
import logging
import shutil
from collections.abc import Iterator

from training_job.sagemaker_env import Paths, write_failure

_LOG = logging.getLogger(__name__)
_NO_SPACE = "No space left on device"
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_MORE_ROOM = (
    "The job's volume is full: give it more room (VolumeSizeInGB; in the local cloud, the disk "
    "that holds its state) and train again"
)


def failure_reason(error: BaseException) -> str:
    """The error's class and message, and the remedy where the disk is full.

    Libraries report a full disk through errors of their own, so what lies behind them counts too.
    """
    reason = f"{type(error).__name__}: {error}"
    full = next((found for found in _chain(error) if _is_disk_full(found)), None)
    if full is None:
        return reason
    named = reason if _NO_SPACE in reason else f"{reason} ({_NO_SPACE}: {full})"
    return f"{named}. {_MORE_ROOM}"


def leave_reason(paths: Paths, reason: str) -> None:
    """Write the failure file; never raises: what cannot be written is in the log.

    On a full disk the model's folder makes room: nothing of a failed job's model is kept anyway.
    """
    try:
        write_failure(paths, reason)
    except OSError:
        shutil.rmtree(paths.model, ignore_errors=True)
        try:
            write_failure(paths, reason)
        except OSError as refused:
            _LOG.error("the reason could not be left in %s: %s", paths.failure, refused)


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: list[BaseException] = []
    found: BaseException | None = error
    while found is not None and found not in seen:
        yield found
        seen.append(found)
        found = found.__cause__ or found.__context__


def _is_disk_full(error: BaseException) -> bool:
    return (isinstance(error, OSError) and error.errno in _FULL) or _NO_SPACE in str(error)
