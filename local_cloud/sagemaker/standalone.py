"""SageMaker beside another cloud: `python -m local_cloud.sagemaker.standalone`.

Answers SageMaker's API on 127.0.0.1 over plain HTTP and runs the jobs here; S3, CloudWatch and STS
are those of AWS_ENDPOINT_URL. A client finds it by AWS_ENDPOINT_URL_SAGEMAKER. Whoever reaches the
port may start jobs: what a job may do its role decides, at the other cloud.
"""

import argparse
import json
import os
import signal
import sys
import threading
from collections.abc import Mapping, Sequence
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

import boto3

from local_cloud.emf import is_loopback
from local_cloud.sagemaker.config import SageMakerConfig
from local_cloud.sagemaker.service import SageMakerService

HOST: Final = "127.0.0.1"
PORT: Final = 4599
MAX_BODY_BYTES: Final = 8 * 1024 * 1024  # far above what Create...Job takes
_TARGET: Final = "SageMaker."
_CREDENTIALS: Final = {
    "AccessKeyId": "AWS_ACCESS_KEY_ID",
    "SecretAccessKey": "AWS_SECRET_ACCESS_KEY",
    "SessionToken": "AWS_SESSION_TOKEN",
}


class StandaloneError(RuntimeError):
    """It cannot start; the message says why and what to do."""


def config(environment: Mapping[str, str]) -> SageMakerConfig:
    """Settings from the variables that AWS's SDKs read, and `LOCAL_STATE_DIR`.

    Raises:
        StandaloneError: one is missing, or the endpoint is not on this machine.
    """
    endpoint, state = environment.get("AWS_ENDPOINT_URL", ""), environment.get("LOCAL_STATE_DIR")
    region = environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION")
    if not is_loopback(endpoint):
        raise StandaloneError(
            f"AWS_ENDPOINT_URL must be a cloud's on this machine, not '{endpoint}'."
        )
    if not state or not region:
        raise StandaloneError(
            "LOCAL_STATE_DIR must name a folder for the jobs' state, and AWS_REGION a region."
        )
    bundle = environment.get("AWS_CA_BUNDLE")
    return SageMakerConfig(
        state_dir=Path(state),
        images_file=Path(state) / "images.json",
        endpoint_url=endpoint,
        region=region,
        role_credentials=partial(role_credentials, region),
        uv=environment.get("UV") or "uv",
        ca_bundle=Path(bundle) if bundle else None,
        service_credentials={
            name: environment[name] for name in _CREDENTIALS.values() if name in environment
        },
    )


def role_credentials(region: str, role: str, session: str) -> dict[str, str]:
    """A job's credentials, from the other cloud's STS.

    Raises:
        botocore.exceptions.ClientError: there is no such role, or it may not be assumed.
    """
    sts = boto3.client("sts", region_name=region)
    values: dict[str, Any] = dict(
        sts.assume_role(RoleArn=role, RoleSessionName=session)["Credentials"]
    )
    return {name: values[key] for key, name in _CREDENTIALS.items()}


class Server(ThreadingHTTPServer):
    """The API of one service, for one account and region."""

    daemon_threads = True

    def __init__(self, service: SageMakerService, account: str, region: str, port: int) -> None:
        """Port 0: a free one, told by `server_address`."""
        self.service, self.account, self.region = service, account, region
        super().__init__((HOST, port), _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Answer one call: its name is in X-Amz-Target, its arguments are the body."""
        target = self.headers.get("X-Amz-Target", "")
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > MAX_BODY_BYTES:
            self.close_connection = True  # what follows is not read
            self._answer(413, _error("RequestEntityTooLarge", f"at most {MAX_BODY_BYTES} bytes"))
            return
        body = self.rfile.read(int(length))
        if not target.startswith(_TARGET):
            self._answer(400, _error("UnknownOperationException", "this is SageMaker alone"))
            return
        try:
            payload = json.loads(body or b"{}")
        except ValueError:
            payload = None
        if not isinstance(payload, dict):
            self._answer(400, _error("SerializationException", "no JSON object"))
            return
        action = target.removeprefix(_TARGET)
        self._answer(
            *self.server.service.handle(action, payload, self.server.account, self.server.region)
        )

    def _answer(self, status: int, body: Mapping[str, Any]) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/x-amz-json-1.1")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002 - the base's name
        """Requests are no news; jobs have logs of their own."""


def _error(code: str, message: str) -> dict[str, str]:
    return {"__type": code, "message": message}


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT, then stop the jobs; 1 if it cannot start."""
    parser = argparse.ArgumentParser(prog="local_cloud.sagemaker.standalone", description=__doc__)
    parser.add_argument("--port", type=int, default=PORT)
    port = parser.parse_args(arguments).port
    try:
        settings = config(os.environ)
        sts = boto3.client("sts", region_name=settings.region)
        account = sts.get_caller_identity()["Account"]
        service = SageMakerService(settings)
        server = Server(service, account, settings.region, port)
    except Exception as error:  # whatever it is, it is told in one sentence
        sys.stderr.write(f"Error: {error}\n")
        return 1
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    serving = threading.Thread(target=server.serve_forever, daemon=True)
    serving.start()
    sys.stdout.write(f"export AWS_ENDPOINT_URL_SAGEMAKER=http://{HOST}:{server.server_port}\n")
    sys.stdout.flush()
    stop.wait()
    server.shutdown()
    service.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
