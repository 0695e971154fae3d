"""The malformed requests, and how their answers are judged."""

import json
import time
from collections import Counter

import pytest

from areyouacat.errors import RequestError
from areyouacat.image_formats import format_of
from areyouacat.images import decode
from areyouacat.settings import IMAGES
from benchmarks import malformed_requests
from benchmarks.http_load import Reply, Request
from benchmarks.malformed import judged, outcome
from benchmarks.malformed_requests import whole_files


@pytest.fixture
def some(monkeypatch: pytest.MonkeyPatch) -> list[Request]:
    """300 requests; the bombs take seconds to make, so there is one that does not."""
    bombs = {"small": (lambda: b"GIF8 boom", "unreadable_image")}
    monkeypatch.setattr(malformed_requests, "BOMBS", bombs)
    found = list(malformed_requests.malformed_requests(300, seed=1))
    assert found == list(malformed_requests.malformed_requests(300, seed=1))
    return found


def test_so_many_as_asked_for_and_nearly_all_different(some: list[Request]) -> None:
    assert len(some) == 300
    assert len({(one.method, one.path, one.body) for one in some}) > 280
    assert len(list(malformed_requests.malformed_requests(5, seed=1))) == 5


def test_another_seed_gives_other_damage(some: list[Request]) -> None:
    other = list(malformed_requests.malformed_requests(300, seed=2))

    alike = sum(one == another for one, another in zip(some, other, strict=True))
    assert alike < 200


def test_most_of_them_are_refused_by_the_decoder_and_none_breaks_it(some: list[Request]) -> None:
    codes: Counter[str] = Counter()
    for request in some:
        try:
            decode(request.body)
        except RequestError as error:
            codes[error.code] += 1

    assert {"unreadable_image", "unsupported_format", "empty_body"} <= codes.keys()
    assert 150 < codes.total() < 300


def test_the_files_are_the_same_at_any_time(monkeypatch: pytest.MonkeyPatch) -> None:
    now = whole_files()
    monkeypatch.setattr(time, "time", lambda: 1_500_000_000.0)

    assert whole_files() == now


def test_the_whole_files_are_of_every_accepted_format_and_of_refused_ones() -> None:
    files = whole_files()

    formats = Counter(format_of(data) for data in files.values())
    assert formats.keys() == {*IMAGES.formats, None}
    assert formats[None] >= 8
    for name, data in files.items():
        if format_of(data) is not None:
            assert decode(data).width > 0, name


def reply(status: int, body: object, seconds: float = 0.1) -> Reply:
    text = body if isinstance(body, str) else json.dumps(body)
    return Reply(status, text.encode(), seconds)


REFUSED = {"error": {"code": "unreadable_image", "message": "Send a photo."}}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (reply(200, {"label": "cat"}), "answered"),
        (reply(415, REFUSED), "unreadable_image"),
        (reply(200, REFUSED), None),
        (reply(400, {"message": "Bad Request"}), None),
        (reply(400, {**REFUSED, "more": 1}), None),
        (reply(400, {"error": {"code": "x"}}), None),
        (reply(400, {"error": {"code": 7, "message": "x"}}), None),
        (reply(400, {"error": {"code": "x", "message": ""}}), None),
        (reply(400, {"error": "x"}), None),
        (reply(400, ["x"]), None),
        (reply(502, "<html>"), None),
        (reply(0, "timed out"), None),
    ],
)
def test_an_answer_is_a_verdict_or_an_error_in_our_shape(
    given: Reply, expected: str | None
) -> None:
    assert outcome(given) == expected


def test_what_is_broken_slow_or_of_another_shape_is_counted() -> None:
    figures = judged(
        [
            reply(200, {"label": "cat"}),
            reply(422, REFUSED, seconds=5.5),
            reply(422, REFUSED),
            reply(502, "<html>"),
            reply(0, "timed out", seconds=60),
        ]
    )

    found = {figure.name: (figure.value, figure.met, figure.note) for figure in figures}
    assert found == {
        "answered with a 5xx, or not at all": (2, False, "the first: 502 <html>"),
        "answered after 5 s": (2, False, "of 5"),
        "of another shape": (2, False, "the first: 502 <html>"),
        "answered": (20, None, "whole after all"),
        "refused": (80, None, "unreadable_image 2"),
    }
