"""The load that benchmarks put on a server: what is counted, in which order, and what fails."""

import http.server
import threading
from collections.abc import Iterator

import pytest

from benchmarks.figures import BenchmarkError
from benchmarks.http_load import Connection, Load, Reply, Request, load, percentile, poll
from benchmarks.local_api import refuse_failures


class Echo(http.server.BaseHTTPRequestHandler):
    """Answers with what it got; `/v1/refuse` with 422, and `/v1/hang-up` not at all."""

    protocol_version = "HTTP/1.1"
    connections: set[object] = set()  # noqa: RUF012

    def do_POST(self) -> None:
        self.connections.add(self.client_address)
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/v1/hang-up":
            self.close_connection = True
            return
        self.send_response(422 if self.path == "/v1/refuse" else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        """Nothing to read for whoever runs the tests."""


@pytest.fixture
def server() -> Iterator[str]:
    Echo.connections = set()
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Echo) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}/v1/"
        running.shutdown()
        thread.join()


def test_each_client_keeps_its_connection_and_replies_are_in_the_requests_order(
    server: str,
) -> None:
    bodies = [str(number).encode() for number in range(40)]

    found = load(
        lambda: Connection(server), (Request("POST", "echo", body) for body in bodies), clients=4
    )

    assert [reply.body for reply in found.replies] == bodies
    assert found.failures() == []
    assert 0 < len(Echo.connections) <= 4
    assert found.per_second == pytest.approx(40 / found.seconds)


def test_what_is_refused_or_not_answered_is_a_failure_and_the_next_request_goes_through(
    server: str,
) -> None:
    paths = ("echo", "hang-up", "refuse", "echo")

    found = load(lambda: Connection(server), [Request("POST", path, b"x") for path in paths], 1)

    assert [reply.status for reply in found.replies] == [200, 0, 422, 200]
    assert [reply.status for reply in found.failures()] == [0, 422]
    with pytest.raises(BenchmarkError, match="2 requests failed, the first with 0: Remote"):
        refuse_failures(found.failures())


def test_a_server_that_is_not_there_is_a_failure_and_no_crash(server: str) -> None:
    with Connection("http://127.0.0.1:1/") as nobody:
        assert nobody.send(Request("GET", "")).status == 0


@pytest.mark.parametrize(
    ("share", "value"), [(0.01, 1), (0.5, 50), (0.501, 51), (0.95, 95), (0.99, 99), (1.0, 100)]
)
def test_a_percentile_is_one_of_the_values(share: float, value: int) -> None:
    assert percentile(list(range(100, 0, -1)), share) == value


@pytest.mark.parametrize(("values", "share"), [([], 0.5), ([1.0], 0.0), ([1.0], 1.1)])
def test_there_is_no_percentile_of_nothing_and_none_beyond_all(
    values: list[float], share: float
) -> None:
    with pytest.raises(ValueError, match="no percentile"):
        percentile(values, share)


def test_milliseconds_are_of_the_replies() -> None:
    found = Load([Reply(200, b"", seconds) for seconds in (0.003, 0.001, 0.002)], 0.006)

    assert found.milliseconds(0.5) == pytest.approx(2)
    assert found.per_second == pytest.approx(500)


def test_waiting_ends_with_what_was_waited_for_or_at_the_deadline() -> None:
    answers = iter([None, 0, "there"])

    assert poll("it", lambda: next(answers), 60) == "there"
    with pytest.raises(TimeoutError, match="waited 0 s for nothing"):
        poll("nothing", lambda: None, 0)
