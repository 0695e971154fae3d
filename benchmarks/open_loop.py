"""Open-loop load: each request leaves when it is due, whatever the answers do.

A client that waits for its answer before it asks again slows down with its server, and never sees
the queue that its callers would have stood in. Here latency counts from the time that a request
was due, and how late each one really left is kept, so that a driver that could not keep up shows.
"""

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import numpy as np

from benchmarks.http_load import Connection, Reply, Request

AT_ONCE: Final = 1_000  # requests under way; one more waits, and the lag says so
FRESH_SECONDS: Final = 20.0  # that a connection may have been idle: servers close idle ones


@dataclass(frozen=True, slots=True)
class Sent:
    """One request: when it was `due`, really left and was answered, in seconds of the load.

    `request` is kept only where it got no answer that is its own: a status of 0, or of 500 on.
    """

    due: float
    left: float
    answered: float
    reply: Reply
    request: Request | None = None

    @property
    def latency(self) -> float:
        """Seconds from the time that it was due: what its caller waited."""
        return self.answered - self.due

    @property
    def lag(self) -> float:
        """Seconds that the driver was late."""
        return self.left - self.due


def arrivals(rate: float, seconds: float, seed: int, start: float = 0.0) -> list[float]:
    """When the requests of many independent callers are due, the earliest first.

    A Poisson process of `rate` a second that happens to have exactly `rate` times `seconds` of
    them, so that what is offered is what the name says.
    """
    random = np.random.default_rng(seed)
    times: list[float] = np.sort(random.uniform(0, seconds, round(rate * seconds))).tolist()
    return [start + due for due in times]


def drive(
    connect: Callable[[], Connection], requests: Iterable[Request], due: Sequence[float]
) -> list[Sent]:
    """Sends one request at each time of `due`, ascending, and waits for all answers."""
    with _Connections(connect).lent() as connections, ThreadPoolExecutor(AT_ONCE) as pool:
        started = time.perf_counter()

        def send(when: float, request: Request) -> Sent:
            with connections.one() as connection:
                left = time.perf_counter() - started
                reply = connection.send(request)
            failed = reply.status == 0 or reply.status >= 500
            answered = time.perf_counter() - started
            return Sent(when, left, answered, reply, request if failed else None)

        under_way = []
        for when, request in zip(due, requests, strict=False):
            time.sleep(max(0.0, started + when - time.perf_counter()))
            under_way.append(pool.submit(send, when, request))
        return [future.result() for future in under_way]


class _Connections:
    """As many as are needed at once; the one used last is used again, so that few are."""

    def __init__(self, connect: Callable[[], Connection]) -> None:
        self._connect = connect
        self._lock = threading.Lock()
        self._idle: list[tuple[float, Connection]] = []

    @contextmanager
    def lent(self) -> Iterator["_Connections"]:
        try:
            yield self
        finally:
            for _, connection in self._idle:
                connection.close()

    @contextmanager
    def one(self) -> Iterator[Connection]:
        connection = self._taken()
        yield connection
        with self._lock:
            self._idle.append((time.monotonic(), connection))

    def _taken(self) -> Connection:
        with self._lock:
            since, connection = self._idle.pop() if self._idle else (0.0, None)
        if connection is None:
            return self._connect()
        if time.monotonic() - since > FRESH_SECONDS:
            connection.close()  # the next request opens it anew
        return connection
