"""How a running job is told to end early."""

import threading
import time
from enum import Enum


class StopReason(Enum):
    """Why a job must end before its container does."""

    REQUESTED = "StopTrainingJob"
    MAX_RUNTIME = "MaxRuntimeInSeconds"
    SHUTDOWN = "the local cloud stops"


class JobStopped(Exception):  # noqa: N818 (control flow, not an error)
    """Raised where a job finds that it must end."""

    def __init__(self, reason: StopReason) -> None:
        super().__init__(reason.value)
        self.reason = reason


class JobControl:
    """Shared by a job's thread and those that stop it. The first reason stays."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._reason: StopReason | None = None
        self._deadline: float | None = None
        self._woken = threading.Event()

    def limit(self, seconds: float) -> None:
        """Stop with MAX_RUNTIME when `seconds` from now have passed."""
        self._deadline = time.monotonic() + seconds

    def stop(self, reason: StopReason) -> None:
        """Ask the job to end. A shutdown replaces any other reason: it is in more of a hurry."""
        with self._lock:
            if self._reason is None or reason is StopReason.SHUTDOWN:
                self._reason = reason
        self._woken.set()

    @property
    def reason(self) -> StopReason | None:
        """Why the job must end, or None while it may go on."""
        if self._deadline is not None and time.monotonic() >= self._deadline:
            self.stop(StopReason.MAX_RUNTIME)
        return self._reason

    def check(self) -> None:
        """Raise JobStopped if the job must end."""
        reason = self.reason
        if reason:
            raise JobStopped(reason)

    def pause(self, seconds: float) -> None:
        """Wait, but no longer than until the job is asked to end."""
        self._woken.wait(seconds)
