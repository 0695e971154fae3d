"""Load that does not wait for answers: when requests leave, and from when their latency counts."""

import http.server
import itertools
import threading
from collections.abc import Iterator

import pytest

from benchmarks.http_load import Connection, Reply, Request
from benchmarks.open_loop import Sent, arrivals, drive

BUSY = b'{"error":{"code":"too_many_requests","message":"Wait."}}'


class Crowded(http.server.BaseHTTPRequestHandler):
    """Answers nobody before `crowd` are there; then 429 to bodies of `no`, 503 to `down`."""

    protocol_version = "HTTP/1.1"
    crowd: threading.Barrier
    connections: set[object]

    def do_POST(self) -> None:
        self.connections.add(self.client_address)
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.crowd.wait(timeout=30)
        self.send_response({b"no": 429, b"down": 503}.get(body, 200))
        answer = BUSY if body == b"no" else body
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *arguments: object) -> None:
        """Nothing to read for whoever runs the tests."""


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 64


@pytest.fixture
def server() -> Iterator[str]:
    Crowded.crowd, Crowded.connections = threading.Barrier(1), set()
    with Server(("127.0.0.1", 0), Crowded) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}/"
        running.shutdown()
        thread.join()


def post(body: bytes) -> Request:
    return Request("POST", "predict", body)


def test_as_many_requests_are_due_as_the_rate_says_within_the_time() -> None:
    due = arrivals(20, 30, seed=1, start=5)

    assert len(due) == 600
    assert due == sorted(due)
    assert 5 <= due[0] <= due[-1] < 35


def test_the_same_seed_gives_the_same_times_and_another_one_others() -> None:
    assert arrivals(5, 4, seed=1) == arrivals(5, 4, seed=1)
    assert arrivals(5, 4, seed=1) != arrivals(5, 4, seed=2)


def test_callers_are_independent_of_each_other() -> None:
    """The gaps of a Poisson process spread as much as they are long."""
    due = arrivals(100, 100, seed=3)

    gaps = [later - earlier for earlier, later in itertools.pairwise(due)]
    mean = sum(gaps) / len(gaps)
    spread = (sum((gap - mean) ** 2 for gap in gaps) / len(gaps)) ** 0.5

    assert spread == pytest.approx(mean, rel=0.05)


def test_a_server_that_answers_nobody_yet_is_asked_all_the_same(server: str) -> None:
    """A client that waited for its answer would never bring the 20 together."""
    Crowded.crowd = threading.Barrier(20)

    sent = drive(lambda: Connection(server), [post(b"x")] * 20, [0.0] * 20)

    assert [one.reply.status for one in sent] == [200] * 20


def test_latency_counts_from_when_a_request_was_due_and_holds_the_drivers_lag(server: str) -> None:
    due = [-1.0, -0.5, 0.0]  # the driver comes late to the first two

    sent = drive(lambda: Connection(server), [post(b"x")] * 3, due)

    assert [one.due for one in sent] == due
    assert all(one.latency >= one.lag >= -one.due for one in sent)
    assert Sent(due=2, left=2.5, answered=4, reply=Reply(200, b"", 1.5)).latency == 2
    assert Sent(due=2, left=2.5, answered=4, reply=Reply(200, b"", 1.5)).lag == 0.5


def test_no_request_leaves_before_it_is_due(server: str) -> None:
    due = [0.0, 0.02, 0.04]

    sent = drive(lambda: Connection(server), [post(b"x")] * 3, due)

    assert all(one.left >= one.due for one in sent)


def test_requests_that_failed_are_kept_to_be_sent_again_and_refused_ones_are_not(
    server: str,
) -> None:
    sent = drive(
        lambda: Connection(server), [post(b"yes"), post(b"no"), post(b"down")], [0.0, 0.0, 0.0]
    )

    assert [one.reply.status for one in sent] == [200, 429, 503]
    assert sent[1].reply.body == BUSY
    assert [one.request for one in sent] == [None, None, post(b"down")]


def test_a_server_that_is_not_there_is_a_failure_and_no_crash() -> None:
    (sent,) = drive(lambda: Connection("http://127.0.0.1:1/"), [post(b"x")], [0.0])

    assert sent.reply.status == 0
    assert sent.request == post(b"x")


def test_a_connection_is_used_again_when_its_answer_has_come(server: str) -> None:
    def one_after_the_other() -> Iterator[Request]:
        yield post(b"first")
        yield post(b"second")

    for _ in range(2):
        drive(lambda: Connection(server), one_after_the_other(), [0.0, 0.0])

    assert len(Crowded.connections) <= 4
