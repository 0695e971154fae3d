"""The smoke test tells an API that works from one that does not."""

from collections.abc import Mapping
from typing import Any

import pytest
from ci_tools.smoke import Answer, SmokeError, check, new_photo, patiently

PREDICTION = {
    "prediction_id": "p1",
    "label": "not_cat",
    "verdict": "unsure",
    "probability": 0.4,
    "model": {"name": "are-you-a-cat", "version": "7", "role": "champion"},
    "explanation": {"grid": [[0.0] * 7] * 7},
}


class Api:
    """An API in memory. `instead`: what it answers to one request in place of what is right."""

    def __init__(self, instead: Mapping[str, Answer] | None = None) -> None:
        self._instead = instead or {}
        self.asked: list[str] = []

    def ask(self, method: str, path: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        del body
        request = f"{method} {path}" + ("" if "x-api-key" in headers else " without a key")
        self.asked.append(request)
        right = {
            "POST predict without a key": Answer(403, {}),
            "GET health": Answer(200, {"status": "ok"}),
            "POST predict": Answer(200, PREDICTION),
            "GET predictions/p1": Answer(200, PREDICTION),
            "DELETE predictions/p1": Answer(200, {}),
        }
        return self._instead.get(request) or right[request]


def test_a_photos_whole_life_is_tried_and_nothing_is_left() -> None:
    api = Api()

    said = check(api.ask, "key", b"photo")

    assert said == "are-you-a-cat 7 says unsure"
    assert api.asked[-1] == "DELETE predictions/p1"


@pytest.mark.parametrize(
    ("request_", "answer"),
    [
        ("POST predict without a key", Answer(200, PREDICTION)),
        ("GET health", Answer(200, {"status": "no_model"})),
        ("POST predict", Answer(503, {"error": {"code": "no_model_yet"}})),
        ("POST predict", Answer(200, PREDICTION | {"label": "dog"})),
        ("POST predict", Answer(200, PREDICTION | {"probability": 1.5})),
        ("POST predict", Answer(200, {})),
        ("GET predictions/p1", Answer(404, {})),
        ("DELETE predictions/p1", Answer(500, {})),
    ],
)
def test_one_wrong_answer_is_enough(request_: str, answer: Answer) -> None:
    with pytest.raises(SmokeError, match=f"got {answer.status}"):
        check(Api({request_: answer}).ask, "key", b"photo")


def test_what_fails_at_first_is_tried_again() -> None:
    outcomes: list[Any] = [SmokeError("too soon"), "well"]
    waited: list[float] = []

    def attempt() -> str:
        outcome = outcomes.pop(0)
        if isinstance(outcome, SmokeError):
            raise outcome
        return str(outcome)

    assert patiently(attempt, sleep=waited.append) == "well"
    assert waited == [10.0]


def test_what_goes_on_failing_fails_after_a_minute() -> None:
    waited: list[float] = []

    def attempt() -> str:
        raise SmokeError("never")

    with pytest.raises(SmokeError, match="never"):
        patiently(attempt, sleep=waited.append)
    assert sum(waited) == 50


def test_no_two_photos_are_the_same() -> None:
    assert new_photo() != new_photo()
    assert new_photo().startswith(b"\x89PNG")
