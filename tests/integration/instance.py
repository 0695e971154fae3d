"""A local cloud of the tests' own: free ports, own state folder, beside a running one."""

import contextlib
import json
import os
import socket
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import boto3

ROOT: Final = Path(__file__).resolve().parents[2]
APP_PYTHON: Final = os.environ.get("APP_PYTHON") or str(ROOT / ".venvs" / "app" / "bin" / "python")
UP_SECONDS: Final = 900
EXHAUSTIVE: Final = os.environ.get("EXHAUSTIVE") == "1"
"""Whether the long checks try everything there is, in the place of a part that fits an hour."""


def free_port() -> int:
    """A port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def eventually(what: str, condition: Callable[[], Any], seconds: float = 300.0) -> Any:
    """What the condition gives, as soon as it gives something."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(0.5)
    raise AssertionError(f"waited {seconds:.0f} s for {what}")


@dataclass(frozen=True)
class Answer:
    """An HTTP answer: its status and its JSON body."""

    status: int
    body: dict[str, Any]


class Instance:
    """One local cloud, driven through its commands as a user would."""

    def __init__(self, state: Path) -> None:
        self.state = state
        tools = f"{Path(APP_PYTHON).parent}:{ROOT / '.venvs' / 'cdk' / 'node_modules' / '.bin'}"
        self.environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith("AWS_")},
            "PATH": f"{tools}:{os.environ['PATH']}",
            "LOCAL_STATE_DIR": str(state),
            "LOCAL_CLOUD_ENVS": str(ROOT / ".venvs" / "sagemaker"),
            "BUNDLE_CACHE": str(ROOT / ".local" / "bundles"),
            "GATEWAY_PORT": str(free_port()),
            "MLFLOW_PORT": str(free_port()),
            "UI_PORT": str(free_port()),
        }
        self._guardian = subprocess.Popen(
            [APP_PYTHON, "-m", "tests.integration.guardian"],
            stdin=subprocess.PIPE,
            cwd=ROOT,
            env=self.environment,
        )

    def run(self, *arguments: str, seconds: int = UP_SECONDS) -> subprocess.CompletedProcess[str]:
        """Run a module of the app environment; its output is captured, both streams in one."""
        return self._execute([APP_PYTHON, "-m", *arguments], seconds)

    def _execute(
        self, command: list[str], seconds: int = UP_SECONDS
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            cwd=ROOT,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=seconds,
            check=False,
        )

    def processes(self) -> list[int]:
        """Everything that was started with this state folder, but the tests' own guardian."""
        mark = f"LOCAL_STATE_DIR={self.state}".encode()
        found = []
        for folder in Path("/proc").iterdir():
            with contextlib.suppress(OSError, ValueError):
                environment = (folder / "environ").read_bytes().split(b"\0")
                command = (folder / "cmdline").read_bytes()
                if mark in environment and b"guardian" not in command:
                    found.append(int(folder.name))
        return found

    def up(self, *options: str, through: Sequence[str] = ()) -> str:
        """`make up`; gives what it printed, fails with it if it fails.

        `through`: a command that starts it, given the rest of its arguments.
        """
        done = self._execute([*through, APP_PYTHON, "-m", "local_cloud.cli", "up", *options])
        assert done.returncode == 0, done.stdout
        return done.stdout

    def close(self) -> None:
        """Take it down and remove its folder; the same happens if the test run is killed."""
        assert self._guardian.stdin is not None
        self._guardian.stdin.close()
        self._guardian.wait(timeout=300)

    @property
    def endpoints(self) -> dict[str, Any]:
        """`endpoints.json`, as other programs read it."""
        found: dict[str, Any] = json.loads((self.state / "endpoints.json").read_text())
        return found

    def sourced(self) -> dict[str, str]:
        """The environment of a shell that sourced the `env` file."""
        shown = subprocess.run(
            ["bash", "-c", f"set -a; source '{self.state}/env'; env -0"],
            env=self.environment,
            capture_output=True,
            text=True,
            check=True,
        )
        return dict(line.split("=", 1) for line in shown.stdout.split("\0") if line)

    def bare_environment(self) -> dict[str, str]:
        """What a user's shell has before it sources anything: no tools of ours, no settings."""
        kept = ("HOME", "PATH", "LANG", "TMPDIR")
        return {name: os.environ[name] for name in kept if name in os.environ}

    def client(self, service: str) -> Any:
        """A boto3 client as a user's own script would make it from the `env` file."""
        values = self.sourced()
        make: Any = boto3.client  # the stubs want each service's name as a literal
        return make(
            service,
            region_name=values["AWS_REGION"],
            endpoint_url=values["AWS_ENDPOINT_URL"],
            aws_access_key_id=values["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=values["AWS_SECRET_ACCESS_KEY"],
            verify=values["AWS_CA_BUNDLE"],
        )

    def call(
        self,
        method: str,
        path: str,
        body: bytes | dict[str, Any] | None = None,
        *,
        content_type: str = "application/json",
        with_key: bool = True,
        idempotency_key: str | None = None,
    ) -> Answer:
        """One request to the API, over HTTPS through API Gateway."""
        found = self.endpoints
        headers = {"content-type": content_type}
        if idempotency_key is not None:
            headers["idempotency-key"] = idempotency_key
        if with_key:
            headers["x-api-key"] = found["api_key"]
        data = json.dumps(body).encode() if isinstance(body, dict) else body
        request = urllib.request.Request(
            found["api_url"] + path, data=data, headers=headers, method=method
        )
        tls = ssl.create_default_context(cafile=found["ca_bundle"])
        try:
            with urllib.request.urlopen(request, context=tls, timeout=60) as answer:
                return Answer(answer.status, json.load(answer))
        except urllib.error.HTTPError as error:
            return Answer(error.code, json.loads(error.read() or b"{}"))

    def predict(self, photo: bytes, *, idempotency_key: str | None = None) -> Answer:
        """POST /predict with a photo's bytes."""
        return self.call(
            "POST", "predict", photo, content_type="image/jpeg", idempotency_key=idempotency_key
        )

    def raise_throttles(self, rate: int = 1_000) -> None:
        """Let the tests ask faster than a user may; this local cloud is theirs alone."""
        gateway = self.client("apigateway")
        (plan,) = gateway.get_usage_plans()["items"]
        gateway.update_usage_plan(
            usagePlanId=plan["id"],
            patchOperations=[
                {"op": "replace", "path": f"/throttle/{name}", "value": str(rate)}
                for name in ("rateLimit", "burstLimit")
            ],
        )
        (stage,) = plan["apiStages"]
        gateway.update_stage(
            restApiId=stage["apiId"],
            stageName=stage["stage"],
            patchOperations=[
                {"op": "replace", "path": f"/*/*/throttling/{name}", "value": str(rate)}
                for name in ("rateLimit", "burstLimit")
            ],
        )
