"""The public API in miniature: real HTTP on a free port, with its memory and its moods."""

from __future__ import annotations

import base64
import email
import email.policy
import json
import threading
import uuid
from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from areyouacat.settings import IMAGES, SERVING

_OPENAPI = Path(__file__).parents[2] / "lambdas" / "api" / "openapi.json"
_KEYLESS = {"/bucket", "/openapi.json", "/docs"}
API_KEY = "a-key-for-tests"
GRID = [[0.0] * 7 for _ in range(7)]
GRID[3][3] = 4.0
MOMENT = "2026-11-23T10:00:00.000000Z"


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


def serving(**changes: Any) -> dict[str, Any]:
    """Version 3 alone, after version 2."""
    return {
        "model": prediction()["model"],
        "previous_version": "2",
        "updated_at": MOMENT,
        "variants": [{"version": "3", "role": "champion", "weight": 1.0}],
        "deployment": None,
        **changes,
    }


def error(code: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": "Words for programmers."}}


@dataclass(frozen=True)
class Call:
    """What was asked; header names in small letters."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Reply:
    """What is answered; `content`: JSON or raw bytes."""

    status: int
    content: Any
    headers: Mapping[str, str] = field(default_factory=dict)


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that has hung up is no news."""


@dataclass
class FakeApi:
    """Answers as the API does, unless told otherwise; `calls` and `replies` are what was said.

    `answers`: by path, instead of its own. `flaky`: by path, instead of those, each once.
    `lost`: how many answers of a path never arrive, though all was done. `meanwhile` runs before
    every answer.
    """

    answers: dict[str, tuple[int, Any]] = field(default_factory=dict)
    flaky: defaultdict[str, deque[Reply]] = field(default_factory=lambda: defaultdict(deque))
    lost: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    calls: list[Call] = field(default_factory=list)
    replies: list[Reply] = field(default_factory=list)
    meanwhile: Callable[[], None] = lambda: None
    photo_erased: bool = True

    def __post_init__(self) -> None:
        self.records: dict[str, dict[str, Any]] = {}
        self.by_key: dict[tuple[str | None, str | None], tuple[bytes, str]] = {}
        self.uploads: dict[str, bytes | None] = {}
        self.server = _Server(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self.server.server_port}/"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def bodies(self, path: str) -> list[bytes]:
        return [call.body for call in self.calls if call.path == path]

    def headers(self, path: str, name: str) -> list[str | None]:
        return [call.headers.get(name) for call in self.calls if call.path == path]

    def write_endpoints(self, folder: Path, **more: Any) -> None:
        known = {"api_url": self.url, "api_key": API_KEY, "ca_bundle": None, **more}
        (folder / "endpoints.json").write_text(json.dumps(known))

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def reply(self, call: Call) -> Reply:
        if call.path == "/bucket" and not self.flaky["/bucket"]:
            return self._store(call)
        if call.path not in _KEYLESS and call.headers.get("x-api-key") != API_KEY:
            return Reply(403, error("forbidden"))
        if self.flaky[call.path]:
            return self.flaky[call.path].popleft()
        if call.path in self.answers:
            reply = Reply(*self.answers[call.path])
            if call.path == "/predict" and isinstance(reply.content, dict):
                self._record(reply.content)
            return reply
        return self._own(call)

    def _own(self, call: Call) -> Reply:
        reply = Reply(404, error("not_found"))
        match call.method, call.path.strip("/").split("/"):
            case "GET", ["health"]:
                reply = Reply(200, {"status": "ok", "model_version": "3"})
            case "GET", ["model"]:
                reply = Reply(200, serving())
            case "GET", ["openapi.json"]:
                reply = Reply(200, _OPENAPI.read_bytes())
            case "GET", ["docs"]:
                reply = Reply(200, b"<!doctype html>")
            case "POST", ["predict"]:
                reply = self._predict(call)
            case "POST", ["uploads"]:
                reply = self._issue(json.loads(call.body)["content_type"])
            case "POST", ["feedback"]:
                said = json.loads(call.body)
                if record := self.records.get(said["prediction_id"]):
                    record["feedback"] = {"label": said["label"], "at": MOMENT}
                    reply = Reply(200, said)
            case "GET", ["predictions", name] if name in self.records:
                reply = Reply(200, self.records[name])
            case "DELETE", ["predictions", name, "feedback"] if name in self.records:
                self.records[name]["feedback"] = None
                reply = Reply(200, self.records[name])
            case "DELETE", ["predictions", name] if name in self.records:
                del self.records[name]
                reply = Reply(200, {"prediction_id": name, "photo_erased": self.photo_erased})
        return reply

    def _predict(self, call: Call) -> Reply:
        photo, upload = call.body, None
        if call.headers.get("content-type") == "application/json":
            values = json.loads(call.body)
            upload = values.get("upload_key")
            if upload is None:
                photo = base64.b64decode(values["image"], validate=True)
            elif stored := self.uploads.get(upload):
                photo = stored
            else:
                return Reply(404, error("not_found"))
        elif len(photo) > SERVING.max_body_bytes:
            return Reply(413, error("payload_too_large"))
        key = (call.headers.get("idempotency-key"), upload)
        if key not in self.by_key:
            self.by_key[key] = photo, f"p-{len(self.by_key) + 1}"
        known_photo, name = self.by_key[key]
        if known_photo != photo:
            return Reply(409, error("idempotency_key_reused"))
        answer = prediction(prediction_id=name)
        self._record(answer)
        return Reply(200, answer)

    def _record(self, answer: dict[str, Any]) -> None:
        if name := answer.get("prediction_id"):
            stored = {**answer, "predicted_at": MOMENT, "feedback": None}
            self.records.setdefault(name, stored)

    def _issue(self, content_type: str) -> Reply:
        if content_type not in IMAGES.media_types:
            return Reply(422, error("invalid_request"))
        key = f"uploads/{uuid.uuid4()}"
        self.uploads[key] = None
        form = {
            "upload_key": key,
            "url": f"{self.url}bucket",
            "fields": {"key": key, "Content-Type": content_type, "policy": "signed"},
            "max_bytes": IMAGES.max_bytes,
            "expires_at": MOMENT,
        }
        return Reply(200, form)

    def _store(self, call: Call) -> Reply:
        """As S3 takes a presigned POST: all fields before the file, and nothing but them."""
        head = f"Content-Type: {call.headers['content-type']}\r\n\r\n".encode()
        message = email.message_from_bytes(head + call.body, policy=email.policy.HTTP)
        parts = [
            (str(part.get_param("name", header="content-disposition")), part)
            for part in message.iter_parts()
        ]
        fields = {name: part.get_payload(decode=True) for name, part in parts[:-1]}
        key = bytes(fields.get("key", b"")).decode()
        if parts[-1][0] != "file" or fields.get("policy") != b"signed" or key not in self.uploads:
            return Reply(403, b"<Error><Code>AccessDenied</Code></Error>")
        self.uploads[key] = bytes(parts[-1][1].get_payload(decode=True))
        return Reply(204, b"")

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def _answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                headers = {name.lower(): value for name, value in self.headers.items()}
                call = Call(self.command, self.path, headers, body)
                fake.calls.append(call)
                fake.meanwhile()
                reply = fake.reply(call)
                fake.replies.append(reply)
                if fake.lost[self.path]:
                    fake.lost[self.path] -= 1
                    return
                content = reply.content
                sent = content if isinstance(content, bytes) else json.dumps(content).encode()
                self.send_response(reply.status)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(sent)))
                self.end_headers()
                self.wfile.write(sent)

            do_GET = do_POST = do_DELETE = _answer  # noqa: N815 - the names http.server calls

            def log_message(self, *_: Any) -> None:
                """Keep the tests' output clean."""

        return Handler
