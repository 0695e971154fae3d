"""The local cloud's API as its users reach it: over HTTPS, with a key."""

import json
import uuid
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final, Self

import psutil
from urllib3 import encode_multipart_formdata

from benchmarks.figures import BenchmarkError
from benchmarks.http_load import Connection, Reply, Request, load
from benchmarks.local_cloud import LocalCloud

RAISED_TO: Final = "100000"  # requests a second, and at once
KEY_HEADER: Final = "x-api-key"
_STORED: Final = frozenset({HTTPStatus.OK, HTTPStatus.CREATED, HTTPStatus.NO_CONTENT})


@dataclass(frozen=True, slots=True)
class LocalApi:
    """Where the API is, and the key; `cloud` answers what only its operator may know."""

    cloud: LocalCloud
    url: str
    key: str
    ca_bundle: str
    function: str

    @classmethod
    def of(cls, cloud: LocalCloud) -> Self:
        """The API of a local cloud that is up."""
        found = cloud.endpoints()
        return cls(
            cloud, found["api_url"], found["api_key"], found["ca_bundle"], found["predict_function"]
        )

    def connect(self) -> Connection:
        """A connection of its own."""
        return Connection(self.url, self.ca_bundle)

    def predict(self, photo: bytes) -> Request:
        """`POST /predict` of a JPEG, under an Idempotency-Key of its own."""
        headers = {"Content-Type": "image/jpeg", "Idempotency-Key": str(uuid.uuid4())}
        return Request("POST", "predict", photo, {KEY_HEADER: self.key, **headers})

    def uploaded(self, connection: Connection, data: bytes) -> Request:
        """Uploads a file that claims to be a JPEG; gives the `POST /predict` that names it."""
        headers = {KEY_HEADER: self.key, "Content-Type": "application/json"}
        wish = json.dumps({"content_type": "image/jpeg"}).encode()
        granted = connection.send(Request("POST", "uploads", wish, headers))
        refuse_failures([granted] if granted.status != HTTPStatus.OK else [])
        form = json.loads(granted.body)
        body, content_type = encode_multipart_formdata(
            {**form["fields"], "file": ("photo.jpg", data)}
        )
        with Connection(form["url"], self.ca_bundle) as storage:
            stored = storage.send(Request("POST", "", body, {"Content-Type": content_type}))
        refuse_failures([stored] if stored.status not in _STORED else [])
        named = json.dumps({"upload_key": form["upload_key"]}).encode()
        return Request("POST", "predict", named, headers)

    def raise_throttles(self) -> None:
        """Let the key and the stage through as fast as it goes: what is measured is the rest."""
        self._raise_stages()
        self._throttle_plans(RAISED_TO, RAISED_TO)

    def throttle(self, rate: float, burst: int) -> None:
        """Let each key through so many times a second, and so often at once."""
        self._throttle_plans(f"{rate:g}", str(burst))

    def _throttle_plans(self, rate: str, burst: str) -> None:
        gateway = self.cloud.client("apigateway")
        for plan in gateway.get_usage_plans()["items"]:
            limits = [
                _replaced("/throttle/rateLimit", rate),
                _replaced("/throttle/burstLimit", burst),
            ]
            gateway.update_usage_plan(usagePlanId=plan["id"], patchOperations=limits)

    def _raise_stages(self) -> None:
        gateway = self.cloud.client("apigateway")
        stages: dict[str, set[str]] = {}
        for plan in gateway.get_usage_plans()["items"]:
            for stage in plan.get("apiStages", ()):
                stages.setdefault(stage["apiId"], set()).add(stage["stage"])
        for api, names in stages.items():
            for name in names:
                gateway.update_stage(
                    restApiId=api,
                    stageName=name,
                    patchOperations=[
                        _replaced("/*/*/throttling/rateLimit", RAISED_TO),
                        _replaced("/*/*/throttling/burstLimit", RAISED_TO),
                    ],
                )

    def workers(self) -> list[psutil.Process]:
        """The processes that run the function `predict`. Raises BenchmarkError if none does."""
        found = []
        for process in psutil.Process(self.cloud.gateway_pid).children(recursive=True):
            with suppress(psutil.NoSuchProcess):  # it has just ended
                if f"-{self.function}-" in " ".join(process.cmdline()):
                    found.append(process)
        if not found:
            raise BenchmarkError(f"no process runs {self.function}: it has not been asked yet")
        return found

    def worker_megabytes(self) -> list[float]:
        """Resident memory of each process that runs the function `predict`, largest first."""
        found = []
        for process in self.workers():
            with suppress(psutil.NoSuchProcess):  # it has just ended
                found.append(process.memory_info().rss / 2**20)
        return sorted(found, reverse=True)

    def warm_up(self, photo: bytes, clients: int) -> None:
        """Ask until this many requests at a time are answered without a cold start."""
        for _ in range(2):
            warmed = load(self.connect, [self.predict(photo)] * (4 * clients), clients)
            refuse_failures(warmed.failures())


def refuse_failures(failures: list[Reply]) -> None:
    """Raises BenchmarkError if there is a failure: nothing can be measured then."""
    if failures:
        raise BenchmarkError(
            f"{len(failures)} requests failed, the first with {failures[0].status}: "
            f"{failures[0].body[:500].decode(errors='replace')}"
        )


def _replaced(path: str, value: str) -> dict[str, str]:
    return {"op": "replace", "path": path, "value": value}
