"""HTTP as a user speaks it, timed: connections that stay open, a few clients, percentiles."""

import http.client
import math
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Final, Self
from urllib.parse import urlsplit

TIMEOUT_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class Request:
    """What is sent. `path` is relative to the connection's base."""

    method: str
    path: str
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back, and how long it took; `status` 0: no HTTP answer, `body` says why."""

    status: int
    body: bytes
    seconds: float


class Connection:
    """One client's connection, kept open from request to request."""

    def __init__(self, base: str, ca_bundle: str | None = None) -> None:
        """`base`: a URL; `ca_bundle`: whom to trust if it is HTTPS."""
        parts = urlsplit(base)
        self._path = parts.path
        host, port = str(parts.hostname), parts.port
        self._http = (
            http.client.HTTPSConnection(
                host,
                port,
                timeout=TIMEOUT_SECONDS,
                context=ssl.create_default_context(cafile=ca_bundle),
            )
            if parts.scheme == "https"
            else http.client.HTTPConnection(host, port, timeout=TIMEOUT_SECONDS)
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Hangs up; the next request connects anew."""
        self._http.close()

    def send(self, request: Request) -> Reply:
        """Sends once: what fails is a reply of status 0, and the next request connects anew."""
        started = time.perf_counter()
        try:
            self._http.request(
                request.method, self._path + request.path, request.body, dict(request.headers)
            )
            answer = self._http.getresponse()
            body = answer.read()
        except (OSError, http.client.HTTPException) as error:
            self._http.close()
            return Reply(0, repr(error).encode(), time.perf_counter() - started)
        return Reply(answer.status, body, time.perf_counter() - started)


@dataclass(frozen=True, slots=True)
class Load:
    """What some clients got, in the order of the requests, and how long they were at it."""

    replies: Sequence[Reply]
    seconds: float

    @property
    def per_second(self) -> float:
        """Answers a second."""
        return len(self.replies) / self.seconds

    def milliseconds(self, share: float) -> float:
        """The percentile `share`, (0, 1], of the seconds that a request took."""
        return 1000 * percentile([reply.seconds for reply in self.replies], share)

    def failures(self) -> list[Reply]:
        """The replies that are no 200."""
        return [reply for reply in self.replies if reply.status != 200]


def load(connect: Callable[[], Connection], requests: Iterable[Request], clients: int) -> Load:
    """Sends all requests; each client sends its next one when it has its answer."""
    waiting = enumerate(requests)
    lock = threading.Lock()
    replies: dict[int, Reply] = {}

    def client(_: int) -> None:
        with connect() as connection:
            while True:
                with lock:
                    number, request = next(waiting, (-1, None))
                if request is None:
                    return
                replies[number] = connection.send(request)

    started = time.perf_counter()
    with ThreadPoolExecutor(clients) as pool:
        for _ in pool.map(client, range(clients)):
            continue
    seconds = time.perf_counter() - started
    return Load([replies[number] for number in sorted(replies)], seconds)


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that is not below `share`, (0, 1], of them (nearest rank).

    Raises:
        ValueError: no values, or no such share.
    """
    if not values or not 0 < share <= 1:
        raise ValueError(f"no percentile {share} of {len(values)} values")
    return sorted(values)[math.ceil(share * len(values)) - 1]


def poll(what: str, condition: Callable[[], Any], seconds: float) -> Any:
    """What the condition gives, as soon as it gives something.

    Raises:
        TimeoutError: it gave nothing for so many seconds.
    """
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {seconds:.0f} s for {what}")
        time.sleep(0.05)
    return found
