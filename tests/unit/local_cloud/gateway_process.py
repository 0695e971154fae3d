"""A real gateway in the local cloud's environment, on a free port, with a folder of its own."""

import json
import os
import signal
import socket
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import boto3
from botocore.config import Config

ROOT: Final = Path(__file__).resolve().parents[3]
CLOUD_PYTHON: Final = os.environ.get("CLOUD_PYTHON") or str(ROOT / ".venvs/cloud/bin/python")
_START_SECONDS: Final = 60


def run_in_cloud(code: str, tmp_path: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run Python code in the local cloud's environment, MiniStack's files in `tmp_path`."""
    environment = {
        **os.environ,
        "AUTH": "true",
        "STATE_DIR": str(tmp_path / "state"),
        "S3_DATA_DIR": str(tmp_path / "s3"),
        "PERSIST_STATE": "1",
        "S3_PERSIST": "1",
        "TMPDIR": str(tmp_path),
    }
    return subprocess.run(
        [CLOUD_PYTHON, "-c", code, *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def free_port() -> int:
    """A port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class GatewayProcess:
    """`python -m local_cloud.gateway`, started and stopped as often as a test likes.

    `settings`: more variables for it.
    """

    def __init__(self, state: Path, settings: Mapping[str, str] | None = None) -> None:
        self.state = state
        self.settings = dict(settings or {})
        self.port = free_port()
        self.url = f"https://localhost:{self.port}"
        self.process: subprocess.Popen[bytes] | None = None
        state.mkdir(exist_ok=True)

    def spawn(self) -> "subprocess.Popen[bytes]":
        """Start it without waiting."""
        environment = {
            **{name: text for name, text in os.environ.items() if not name.startswith("AWS_")},
            "PYTHONPATH": str(ROOT),
            "GATEWAY_PORT": str(self.port),
            "LOCAL_STATE_DIR": str(self.state),
            **self.settings,
        }
        with (self.state / "gateway.log").open("ab") as log:
            return subprocess.Popen(
                [CLOUD_PYTHON, "-m", "local_cloud.gateway"],
                cwd=ROOT,
                env=environment,
                stdout=log,
                stderr=log,
            )

    def start(self) -> dict[str, Any]:
        """Start it and wait for its health."""
        self.process = self.spawn()
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                break
            try:
                return self.get("/_local/health")[1]
            except OSError:
                continue
        raise AssertionError((self.state / "gateway.log").read_text())

    def kill(self) -> None:
        """End it as a power failure would."""
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        """End it as the supervisor does; its exit code."""
        return self._end(signal.SIGTERM)

    def _end(self, number: signal.Signals) -> int:
        if self.process is None:
            return 0
        self.process.send_signal(number)
        code = self.process.wait(timeout=30)
        self.process = None
        return code

    def get(self, path: str, method: str = "GET") -> tuple[int, dict[str, Any]]:
        """Status and JSON body of a request without credentials."""
        tls = ssl.create_default_context(cafile=str(self.state / "tls" / "ca.pem"))
        request = urllib.request.Request(f"{self.url}{path}", method=method)
        try:
            with urllib.request.urlopen(request, context=tls, timeout=30) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read() or b"{}")

    def client(self, service: str, **overrides: Any) -> Any:
        """A boto3 client, as the account's root unless other keys are given."""
        credentials = json.loads((self.state / "credentials.json").read_text())
        make: Any = boto3.client  # the stubs want each service's name as a literal
        return make(
            service,
            endpoint_url=self.url,
            verify=str(self.state / "tls" / "ca.pem"),
            region_name=credentials["region"],
            config=Config(retries={"max_attempts": 1}, **overrides.pop("config", {})),
            **{
                "aws_access_key_id": credentials["access_key_id"],
                "aws_secret_access_key": credentials["secret_access_key"],
                **overrides,
            },
        )
