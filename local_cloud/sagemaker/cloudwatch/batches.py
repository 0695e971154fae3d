"""Items that come one by one and leave in batches, in a thread of their own."""

import logging
import queue
import threading
import time
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Generic, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

_logger = logging.getLogger(__name__)
_FLUSH_SECONDS = 1.0

Item = TypeVar("Item")


class Batches(Generic[Item]):
    """Context manager: leaving it sends the rest. `put` may be called from any thread.

    `send` gets what came within a second, in parts of at most `most` items and `most_bytes` bytes
    as `size` counts them; one item larger than that is a part. A batch that AWS refuses is dropped
    and told in this program's log, where `what` names the items.
    """

    def __init__(
        self,
        send: Callable[[list[Item]], object],
        *,
        size: Callable[[Item], int],
        most: int,
        most_bytes: int,
        what: str,
    ) -> None:
        self._send = send
        self._size = size
        self._most = most
        self._most_bytes = most_bytes
        self._what = what
        self._pending: queue.SimpleQueue[Item | None] = queue.SimpleQueue()
        self._sender = threading.Thread(target=self._send_all, daemon=True)

    def __enter__(self) -> "Batches[Item]":
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

    def put(self, item: Item) -> None:
        """Send an item, soon."""
        self._pending.put(item)

    def _send_all(self) -> None:
        for batch in self._batches():
            try:
                self._send(batch)
            except (ClientError, BotoCoreError) as error:
                _logger.warning("%s were not taken: %s", self._what, error)

    def _batches(self) -> Iterator[list[Item]]:
        batch: list[Item] = []
        total, due = 0, 0.0
        while True:
            try:
                item = self._pending.get(
                    timeout=max(0.0, due - time.monotonic()) if batch else None
                )
            except queue.Empty:
                yield batch
                batch, total = [], 0
                continue
            if item is None:
                break
            if not batch:
                due = time.monotonic() + _FLUSH_SECONDS
            size = self._size(item)
            if len(batch) >= self._most or (batch and total + size > self._most_bytes):
                yield batch
                batch, total = [], 0
            batch.append(item)
            total += size
        if batch:
            yield batch
