"""Why a container failed, where it did not say so itself."""

import signal

from local_cloud.sagemaker import disk

# A disk with less room than this has none: files take it in blocks, and directories too.
_NO_ROOM_BYTES = 64 * 1024
_AFTER_SIGNAL = 128


def reason(said: str, exit_code: int, free_bytes: int) -> str:
    """What the container said in `output/failure`; else what can be seen from outside, or ''.

    `exit_code`: 128 + n after signal n. `free_bytes`: of the job's disk, as the container left it.
    """
    if said:
        return said
    if free_bytes < _NO_ROOM_BYTES:
        return disk.full()
    if exit_code == _AFTER_SIGNAL + signal.SIGKILL:
        return "the container was killed (SIGKILL), as the system does when memory runs out"
    if exit_code - _AFTER_SIGNAL in set(signal.Signals):
        return f"the container was ended by {signal.Signals(exit_code - _AFTER_SIGNAL).name}"
    return ""
