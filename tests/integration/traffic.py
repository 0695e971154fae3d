"""Callers of many sessions, who ask again and again while a deployment is under way."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self

import requests

from tests.integration.instance import Instance

SESSIONS = 240
SESSION_HEADER = "x-session-id"
# Between two requests of a thread: more would tell no more, and take the cores from other tests.
PAUSE_SECONDS = 0.05


@dataclass(frozen=True)
class Asked:
    """One request: `caller` as the predict function names it to `choose_variant`."""

    caller: str
    status: int
    version: str
    role: str
    prediction_id: str
    label: str


class Traffic:
    """Several threads that send photos, each request of another session; ends with the block."""

    def __init__(
        self,
        cloud: Instance,
        photos: Sequence[bytes],
        *,
        threads: int = 2,
        after: Callable[[Asked], None] = lambda _: None,
    ) -> None:
        """`after`: called with every answer, in the thread that got it."""
        self.asked: list[Asked] = []
        self._found = cloud.endpoints
        self._photos = photos
        self._after = after
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._ask, args=(number, threads)) for number in range(threads)
        ]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def of(self, version: str) -> list[Asked]:
        """What a version has answered so far."""
        return [one for one in list(self.asked) if one.version == version]

    def _ask(self, number: int, step: int) -> None:
        found = self._found
        with requests.Session() as http:
            http.trust_env = False  # the machine may name certificates of its own
            http.verify = found["ca_bundle"]
            http.headers.update({"x-api-key": found["api_key"], "content-type": "image/jpeg"})
            while not self._stop.wait(PAUSE_SECONDS):
                session = f"session-{number % SESSIONS}"
                answer = http.post(
                    f"{found['api_url']}predict",
                    data=self._photos[number % len(self._photos)],
                    headers={SESSION_HEADER: session},
                    timeout=60,
                )
                body = answer.json()
                model = body.get("model", {})
                one = Asked(
                    caller=f"{found['api_key']}|{session}",
                    status=answer.status_code,
                    version=model.get("version", ""),
                    role=model.get("role", ""),
                    prediction_id=body.get("prediction_id", ""),
                    label=body.get("label", ""),
                )
                self.asked.append(one)
                self._after(one)
                number += step
