"""Many callers with keys and addresses of their own, as an API meets them."""

import hashlib
import itertools
import threading
import time
import uuid
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

import requests

from benchmarks.drill.world import Labelled
from benchmarks.figures import BenchmarkError
from benchmarks.local_cloud import LocalCloud

_THREADS: Final = 4
_REQUESTS_PER_SECOND: Final = 40  # of all callers together; the API lets 50 through
_TIMEOUT_SECONDS: Final = 60.0
_OK: Final = 200


@dataclass(frozen=True, slots=True)
class Caller:
    """One who asks. The address is one of those that are reserved for documentation."""

    api_key: str
    session: str
    address: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered; `right`: whether that is what the photo shows."""

    right: bool
    label: str
    probability: float
    version: str
    role: str


class Callers:
    """Sends photos side by side, each by the next caller; counts what fails.

    No caller says more in an hour than one may: keys and addresses are as many as that takes.
    """

    def __init__(self, cloud: LocalCloud, *, keys: int, addresses: int) -> None:
        """Registers keys with the API's usage plan."""
        endpoints = cloud.endpoints()
        self._url = str(endpoints["api_url"])
        self._ca_bundle = str(endpoints["ca_bundle"])
        api_keys = [_new_key(cloud, number) for number in range(keys)]
        self._callers = itertools.cycle(
            Caller(api_keys[number % keys], f"caller-{number}", f"203.0.113.{number + 1}")
            for number in range(addresses)
        )
        self._local = threading.local()
        self._lock = threading.Lock()
        self._next_at = time.monotonic()
        self.requests = 0
        self.failures: list[str] = []

    def ask(self, photos: Iterable[Labelled], *, labelled: bool) -> list[Answer]:
        """Send photos, and what they show if `labelled`; the answers of those that succeeded."""
        with self._lock:
            asked = [(photo, next(self._callers)) for photo in photos]
        with ThreadPoolExecutor(_THREADS) as pool:
            answers = pool.map(lambda each: self._one(*each, labelled=labelled), asked)
            return [answer for answer in answers if answer is not None]

    def _one(self, photo: Labelled, caller: Caller, *, labelled: bool) -> Answer | None:
        said = self._send(
            "predict",
            caller,
            data=photo.photo,
            headers={"content-type": "image/jpeg", "Idempotency-Key": str(uuid.uuid4())},
        )
        if said is None:
            return None
        if labelled:
            feedback = {"prediction_id": said["prediction_id"], "label": photo.label}
            self._send("feedback", caller, json=feedback)
        return Answer(
            said["label"] == photo.label,
            said["label"],
            said["probability"],
            said["model"]["version"],
            said["model"]["role"],
        )

    def _send(self, route: str, caller: Caller, **content: Any) -> dict[str, Any] | None:
        headers = {
            "x-api-key": caller.api_key,
            "X-Session-Id": caller.session,
            "X-Forwarded-For": caller.address,
            **content.pop("headers", {}),
        }
        self._wait_turn()
        try:
            answer = self._session().post(
                f"{self._url}{route}", headers=headers, timeout=_TIMEOUT_SECONDS, **content
            )
            failure = None if answer.status_code == _OK else f"{answer.status_code} {answer.text}"
        except requests.RequestException as error:
            failure = repr(error)
        with self._lock:
            self.requests += 1
            if failure:
                self.failures.append(f"{route}: {failure[:200]}")
        if failure:
            return None
        said: dict[str, Any] = answer.json()
        return said

    def _wait_turn(self) -> None:
        with self._lock:
            at = max(self._next_at, time.monotonic())
            self._next_at = at + 1 / _REQUESTS_PER_SECOND
        time.sleep(max(0.0, at - time.monotonic()))

    def _session(self) -> requests.Session:
        if not hasattr(self._local, "session"):
            self._local.session = requests.Session()
            # Else a variable of the environment would decide whom to trust.
            self._local.session.trust_env = False
            self._local.session.verify = self._ca_bundle
        session: requests.Session = self._local.session
        return session


def _new_key(cloud: LocalCloud, number: int) -> str:
    gateway = cloud.client("apigateway")
    plans = gateway.get_usage_plans()["items"]
    if len(plans) != 1:
        raise BenchmarkError(f"one usage plan was expected, there are {len(plans)}")
    key = gateway.create_api_key(name=f"drill-{number}", enabled=True)
    gateway.create_usage_plan_key(usagePlanId=plans[0]["id"], keyId=key["id"], keyType="API_KEY")
    return str(key["value"])


def shuffled(photos: Sequence[Labelled]) -> list[Labelled]:
    """In an order that says nothing of labels, the same each time."""
    return sorted(photos, key=lambda one: hashlib.sha256(one.photo[::-1]).digest())
