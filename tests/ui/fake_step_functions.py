"""Step Functions in miniature: real HTTP on a free port, as far as the pages use it."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from areyouacat.lake import utc_text

MACHINE = "arn:aws:states:us-east-1:000000000000:stateMachine:deploy"
NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)


def role(version: str, **changes: Any) -> dict[str, Any]:
    return {
        "version": version,
        "requests": 100,
        "failures": 0,
        "latency_p95_ms": 21.4,
        "feedback": 10,
        "feedback_right": 9,
        "golden": 50,
        "golden_right": 50,
        **changes,
    }


def state(strategy: str = "canary", began_at: datetime = NOW, **changes: Any) -> dict[str, Any]:
    """What the states of a deployment of version 4 know once its traffic was shifted."""
    return {
        "version": "4",
        "staged": {
            "variant": {"version": "4"},
            "strategy": strategy,
            "bake_seconds": 1800,
            "check_seconds": 60,
            "reason": "trained",
        },
        "shifted": {
            "champion_version": "3",
            "challenger_version": "4",
            "began_at": utc_text(began_at),
        },
        **changes,
    }


def check(began_at: datetime = NOW, **changes: Any) -> dict[str, Any]:
    return {
        "verdict": "wait",
        "reasons": ["12 requests, 0 failed", "50 of 50 golden photos right"],
        "wait_seconds": 60,
        "checked_at": utc_text(began_at + timedelta(seconds=60)),
        "champion": role("3", requests=1234),
        "challenger": role("4", requests=12, failures=1, feedback=0, feedback_right=0),
        "test": {"pairs": 0, "better": 1.0, "worse": 1.0},
        **changes,
    }


def result(outcome: str, **changes: Any) -> dict[str, Any]:
    return {
        "result": {
            "outcome": outcome,
            "changed": True,
            "version": "3",
            "previous_version": "2",
            "moved_version": "4",
            "reasons": ["no harm was seen"],
            **changes,
        }
    }


@dataclass
class Execution:
    """As Step Functions keeps it; `states`: the data when each state was left."""

    name: str
    input: Any
    status: str = "RUNNING"
    output: Any = None
    states: list[Any] = field(default_factory=list)
    started: datetime = NOW
    seconds: float = 125.0
    error: str | None = None
    cause: str | None = None

    @property
    def arn(self) -> str:
        return f"{MACHINE.replace(':stateMachine:', ':execution:')}:{self.name}"

    def described(self) -> dict[str, Any]:
        """In the API's shape; moments in seconds since 1970."""
        found = {
            "executionArn": self.arn,
            "stateMachineArn": MACHINE,
            "name": self.name,
            "status": self.status,
            "startDate": self.started.timestamp(),
            "input": self.input if isinstance(self.input, str) else json.dumps(self.input),
        }
        if self.status != "RUNNING":
            found["stopDate"] = self.started.timestamp() + self.seconds
        if self.output is not None:
            found["output"] = json.dumps(self.output)
        return found | {k: v for k in ("error", "cause") if (v := getattr(self, k)) is not None}

    def events(self) -> list[dict[str, Any]]:
        """The history, the newest first."""
        exits = [
            {
                "id": number,
                "type": "TaskStateExited",
                "timestamp": self.started.timestamp(),
                "stateExitedEventDetails": {"name": "AState", "output": json.dumps(each)},
            }
            for number, each in enumerate(self.states, start=2)
        ]
        began = {"id": 1, "type": "ExecutionStarted", "timestamp": self.started.timestamp()}
        return [*reversed(exits), began]


class FakeStepFunctions:
    """Answers for one state machine; `executions` are the oldest first.

    `refusals`: by operation, an error code instead. `on_start` sees every execution that begins.
    `asked`: the operations called, in their order.
    """

    def __init__(self, executions: list[Execution] | None = None) -> None:
        self.executions = executions or []
        self.refusals: dict[str, str] = {}
        self.asked: list[str] = []
        self.on_start: Callable[[Execution], None] = lambda _: None
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def reply(self, operation: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        self.asked.append(operation)
        if code := self.refusals.get(operation) or self.refusals.get("*"):
            return 400, {"__type": code, "message": "Words for programmers."}
        match operation:
            case "ListExecutions":
                status = body.get("statusFilter")
                newest = [x for x in reversed(self.executions) if status in {None, x.status}]
                shown = [each.described() for each in newest[: body["maxResults"]]]
                for each in shown:
                    del each["input"]
                return 200, {"executions": shown}
            case "DescribeExecution":
                return 200, self._one(body).described()
            case "GetExecutionHistory":
                assert body["reverseOrder"] is True
                return 200, {"events": self._one(body).events()[: body["maxResults"]]}
            case "StartExecution":
                return self._start(body)
        raise NotImplementedError(operation)

    def _one(self, body: dict[str, Any]) -> Execution:
        return next(each for each in self.executions if each.arn == body["executionArn"])

    def _start(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        if any(each.name == body["name"] for each in self.executions):
            return 400, {"__type": "ExecutionAlreadyExists", "message": "It exists."}
        fresh = Execution(body["name"], json.loads(body["input"]))
        self.executions.append(fresh)
        self.on_start(fresh)
        return 200, {"executionArn": fresh.arn, "startDate": NOW.timestamp()}

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                operation = self.headers["X-Amz-Target"].rpartition(".")[2]
                status, content = fake.reply(operation, body)
                sent = json.dumps(content).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/x-amz-json-1.0")
                self.send_header("Content-Length", str(len(sent)))
                self.end_headers()
                self.wfile.write(sent)

            def log_message(self, *_: Any) -> None:
                """Keep the tests' output clean."""

        return Handler
