"""A job's log: a file, and live in CloudWatch Logs where AWS has it.

Stream `<job>/algo-1-<epoch seconds>`, in the log group of the job's kind.
"""

import logging
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from botocore.exceptions import ClientError

from local_cloud.sagemaker.cloudwatch.batches import Batches
from local_cloud.sagemaker.cloudwatch.rights import RoleOrService
from local_cloud.sagemaker.config import SageMakerConfig
from local_cloud.sagemaker.transfers.opt_ml import HOST

_logger = logging.getLogger(__name__)
# A batch of PutLogEvents holds 10,000 events and 1 MiB; lines are up to 64 KiB.
_BATCH_EVENTS = 500
_BATCH_BYTES = 900_000
_EVENT_OVERHEAD = 26
_CREATED_BEFORE = "ResourceAlreadyExistsException"

Event = tuple[float, str]


class CloudWatchStream:
    """One log stream. Uses the role, or the service where the role has no rights on logs."""

    def __init__(
        self, config: SageMakerConfig, name: str, credentials: Mapping[str, str], group: str
    ) -> None:
        self._names = {"logGroupName": group, "logStreamName": name}
        self._logs = RoleOrService("logs", config, credentials, self._create)

    def put(self, events: list[Event]) -> None:
        """Write one batch; ClientError or BotoCoreError if that fails."""
        # An empty message is refused.
        sent = [{"timestamp": int(at * 1000), "message": line or " "} for at, line in events]
        self._logs.call(lambda logs: logs.put_log_events(**self._names, logEvents=sent))

    def _create(self, logs: Any) -> None:
        _unless_there(logs.create_log_group, logGroupName=self._names["logGroupName"])
        _unless_there(logs.create_log_stream, **self._names)


def _unless_there(create: Callable[..., object], **names: str) -> None:
    try:
        create(**names)
    except ClientError as error:
        if error.response["Error"]["Code"] != _CREATED_BEFORE:
            raise


class JobLog:
    """Context manager: leaving it flushes. `write` may be called from any thread.

    A job never fails because of its log: what CloudWatch does not take is in the file, and what a
    full disk does not take is in CloudWatch.
    """

    def __init__(self, path: Path, stream: CloudWatchStream | None) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Without a buffer: what a full disk refuses must not come up again when the file is closed.
        self._file = path.open("ab", buffering=0)
        self._refused = False
        self._events: Batches[Event] = Batches(
            stream.put if stream else lambda _: None,
            size=lambda event: len(event[1].encode(errors="replace")) + _EVENT_OVERHEAD,
            most=_BATCH_EVENTS,
            most_bytes=_BATCH_BYTES,
            what="lines of a job's log",
        )

    def __enter__(self) -> "JobLog":
        self._events.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._events.__exit__(kind, error, trace)
        self._file.close()

    def write(self, line: str) -> float:
        """Log a line; returns its time in epoch seconds."""
        at = time.time()
        self._events.put((at, line))
        try:
            self._file.write(f"{line}\n".encode(errors="replace"))
        except OSError as error:
            if not self._refused:
                _logger.warning("the file of a job's log does not take all lines: %s", error)
            self._refused = True
        return at


def stream_name(job_name: str) -> str:
    """A new log stream's name."""
    return f"{job_name}/{HOST}-{int(time.time())}"
