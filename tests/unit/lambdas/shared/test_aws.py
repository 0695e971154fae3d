from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from lambdas.shared import aws


class Service(BaseHTTPRequestHandler):
    """Answers everything with an empty object, and keeps the connection."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:  # the base class writes to stderr
        pass


class Server(ThreadingHTTPServer):
    connections = 0

    def process_request(self, *arguments: object) -> None:
        self.connections += 1
        super().process_request(*arguments)  # type: ignore[arg-type]


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    with Server(("127.0.0.1", 0), Service) as found:
        threading.Thread(target=found.serve_forever, daemon=True).start()
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{found.server_port}")
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
        monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
        aws.client.cache_clear()
        yield found
        aws.client.cache_clear()
        found.shutdown()


def test_a_client_whose_connections_were_closed_opens_another_and_works(server: Server) -> None:
    s3 = aws.client("s3")
    for _ in range(2):
        s3.get_object(Bucket="lake", Key="pointer")["Body"].read()
    assert server.connections == 1

    aws.close_connections()

    s3.get_object(Bucket="lake", Key="pointer")["Body"].read()
    assert server.connections == 2
