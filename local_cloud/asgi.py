"""The ASGI application around MiniStack's: our own routes, and what is let through to it."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from local_cloud import checkpoint
from local_cloud.checkpoint import CheckpointError, Start
from local_cloud.checkpointer import BusyError, Checkpointer
from local_cloud.rights_used import RightsUsed

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
AsgiApp = Callable[[Scope, Receive, Send], Awaitable[None]]

# The emulator's own routes know no IAM; one of them wipes it. Only those that AWS has under
# presigned addresses are let through.
_EMULATOR_ROUTES = ("/_ministack/", "/_localstack/", "/_aws/")
_OPEN_EMULATOR_ROUTES = (
    "/_ministack/cfn-response/",
    "/_ministack/cfn-signal/",
    "/_ministack/lambda-code/",
    "/_ministack/lambda-layers/",
    "/_aws/execute-api/",
)


class Gateway:
    """The ASGI application around MiniStack's."""

    def __init__(
        self,
        emulator: AsgiApp,
        checkpointer: Checkpointer,
        start: Start,
        state_id: str,
        rights: RightsUsed,
    ) -> None:
        """`start` and `state_id` are told to whoever asks for the health."""
        self._emulator = emulator
        self._checkpointer = checkpointer
        self._start = start
        self._state_id = state_id
        self._rights = rights

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer our own routes; pass everything else on."""
        if scope["type"] != "http":
            await self._emulator(scope, receive, send)
            return
        method, path = scope["method"], scope["path"]
        if path.startswith("/_local/"):
            status, answer = await self._local(method, path)
            await _answer(send, status, answer)
        elif path.startswith(_EMULATOR_ROUTES) and not path.startswith(_OPEN_EMULATOR_ROUTES):
            await _answer(send, 403, {"message": "This route of the emulator is closed."})
        else:
            try:
                await self._emulator(scope, receive, send)
            finally:
                if checkpoint.may_change_state(method, path, _target(scope)):
                    self._checkpointer.note_change()

    async def _local(self, method: str, path: str) -> tuple[int, dict[str, Any]]:
        if (method, path) == ("GET", "/_local/health"):
            return 200, self._health()
        if (method, path) == ("GET", "/_local/rights"):
            return 200, {"used": self._rights.listed()}
        if (method, path) == ("POST", "/_local/checkpoint"):
            try:
                saved = await self._checkpointer.save()
            except BusyError as error:
                return 409, {"message": f"No checkpoint now: {error}."}
            except (CheckpointError, OSError) as error:
                return 500, {"message": f"No checkpoint: {error}."}
            return 200, {"checkpoint": saved.summary()}
        there_are = "GET /_local/health, GET /_local/rights and POST /_local/checkpoint"
        return 404, {"message": f"There are {there_are}."}

    def _health(self) -> dict[str, Any]:
        latest = self._checkpointer.latest
        return {
            "status": "ok",
            "checkpoint": latest.summary() if latest else None,
            "restored": self._start.restored,
            "reset": self._start.reset,
            "state_id": self._state_id,
        }


def _target(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name.lower() == b"x-amz-target":
            return bytes(value).decode("latin-1")
    return ""


async def _answer(send: Send, status: int, answer: dict[str, Any]) -> None:
    body = json.dumps(answer).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
