"""The public API in miniature: real HTTP on a free port, answers and failures as told."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

API_KEY = "a-key-for-tests"
GRID = [[0.0] * 7 for _ in range(7)]
GRID[3][3] = 4.0


def prediction(**changes: Any) -> dict[str, Any]:
    return {
        "prediction_id": "p-1",
        "label": "cat",
        "verdict": "cat",
        "probability": 0.97,
        "model": {"name": "are-you-a-cat", "version": "3", "role": "champion"},
        "explanation": {"grid": GRID},
        **changes,
    }


def error(code: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": "Words for programmers."}}


@dataclass
class FakeApi:
    """Answers by path as (status, JSON or raw bytes); `calls` is what was asked."""

    answers: dict[str, tuple[int, Any]] = field(
        default_factory=lambda: {
            "/health": (200, {"status": "ok", "model_version": "3"}),
            "/model": (200, {"model": prediction()["model"], "previous_version": None}),
            "/predict": (200, prediction()),
            "/feedback": (200, {}),
        }
    )
    calls: list[tuple[str, bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self.server.server_port}/"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def bodies(self, path: str) -> list[bytes]:
        return [body for called, body in self.calls if called == path]

    def write_endpoints(self, folder: Path) -> None:
        known = {"api_url": self.url, "api_key": API_KEY, "ca_bundle": None}
        (folder / "endpoints.json").write_text(json.dumps(known))

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def _answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                fake.calls.append((self.path, body))
                if self.headers.get("x-api-key") == API_KEY:
                    status, content = fake.answers[self.path]
                else:
                    status, content = 403, error("forbidden")
                sent = content if isinstance(content, bytes) else json.dumps(content).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(sent)))
                self.end_headers()
                self.wfile.write(sent)

            do_GET = do_POST = _answer  # noqa: N815 - the names that http.server calls

            def log_message(self, *_: Any) -> None:
                """Keep the tests' output clean."""

        return Handler
