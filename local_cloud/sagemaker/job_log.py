"""A job's log: a file, and live in CloudWatch Logs where AWS has it.

Log group /aws/sagemaker/TrainingJobs, stream `<job>/algo-1-<epoch seconds>`.
"""

import logging
import queue
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from local_cloud.sagemaker import aws
from local_cloud.sagemaker.config import SageMakerConfig
from local_cloud.sagemaker.opt_ml import HOST

LOG_GROUP = "/aws/sagemaker/TrainingJobs"
_logger = logging.getLogger(__name__)
_FLUSH_SECONDS = 1.0
# A batch of PutLogEvents holds 10,000 events and 1 MiB; lines are up to 64 KiB.
_BATCH_EVENTS = 500
_BATCH_BYTES = 900_000
_EVENT_OVERHEAD = 26
_CREATED_BEFORE = "ResourceAlreadyExistsException"

Event = tuple[float, str]


class CloudWatchStream:
    """One log stream. Uses the role, or the service where the role has no rights on logs."""

    def __init__(self, config: SageMakerConfig, name: str, credentials: Mapping[str, str]) -> None:
        self._config = config
        self._name = name
        self._candidates = [credentials, config.service_credentials]
        self._client: Any = None

    def put(self, events: list[Event]) -> None:
        """Write one batch; ClientError or BotoCoreError if that fails."""
        if self._client is None:
            self._client = self._open()
        self._client.put_log_events(
            logGroupName=LOG_GROUP,
            logStreamName=self._name,
            # An empty message is refused.
            logEvents=[
                {"timestamp": int(at * 1000), "message": line or " "} for at, line in events
            ],
        )

    def _open(self) -> Any:
        *others, last = [candidate for candidate in self._candidates if candidate]
        for credentials in others:
            try:
                return self._created(credentials)
            except ClientError:
                continue
        return self._created(last)

    def _created(self, credentials: Mapping[str, str]) -> Any:
        client = aws.client("logs", self._config, credentials)
        _unless_there(client.create_log_group, logGroupName=LOG_GROUP)
        _unless_there(client.create_log_stream, logGroupName=LOG_GROUP, logStreamName=self._name)
        return client


def _unless_there(create: Any, **names: str) -> None:
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
        self._stream = stream
        self._pending: queue.SimpleQueue[Event | None] = queue.SimpleQueue()
        self._sender = threading.Thread(target=self._send_all, daemon=True)

    def __enter__(self) -> "JobLog":
        self._sender.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._pending.put(None)
        self._sender.join()
        self._file.close()

    def write(self, line: str) -> float:
        """Log a line; returns its time in epoch seconds."""
        at = time.time()
        self._pending.put((at, line))
        try:
            self._file.write(f"{line}\n".encode(errors="replace"))
        except OSError as error:
            if not self._refused:
                _logger.warning("the file of a job's log does not take all lines: %s", error)
            self._refused = True
        return at

    def _send_all(self) -> None:
        for batch in self._batches():
            if self._stream is None:
                continue
            try:
                self._stream.put(batch)
            except (ClientError, BotoCoreError) as error:
                _logger.warning("CloudWatch Logs refused lines of a job's log: %s", error)

    def _batches(self) -> Iterator[list[Event]]:
        """What is written within a second, in parts that PutLogEvents takes."""
        batch: list[Event] = []
        size, due = 0, 0.0
        while True:
            try:
                event = self._pending.get(
                    timeout=max(0.0, due - time.monotonic()) if batch else None
                )
            except queue.Empty:
                yield batch
                batch, size = [], 0
                continue
            if event is None:
                break
            if not batch:
                due = time.monotonic() + _FLUSH_SECONDS
            length = len(event[1].encode()) + _EVENT_OVERHEAD
            if len(batch) >= _BATCH_EVENTS or (batch and size + length > _BATCH_BYTES):
                yield batch
                batch, size = [], 0
            batch.append(event)
            size += length
        if batch:
            yield batch


def stream_name(job_name: str) -> str:
    """A new log stream's name."""
    return f"{job_name}/{HOST}-{int(time.time())}"
