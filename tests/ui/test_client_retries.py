"""The API's client against real HTTP that fails: what it sends again, and when it gives up."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from tests.ui.conftest import FakeClock
from tests.ui.fake_api import API_KEY, FakeApi, Reply, error
from ui import client
from ui.api_errors import (
    ApiBrokenError,
    ApiError,
    ApiUnreachableError,
    NoModelYetError,
    TooBusyError,
    UnknownPredictionError,
)
from ui.client import HttpApi
from ui.configuration import Configuration
from ui.retries import RETRY_RULES


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_failure_that_passes_is_one_prediction_in_the_end(
    api: FakeApi, http: HttpApi, clock: FakeClock, photo: bytes, status: int
) -> None:
    api.flaky["/predict"].extend([Reply(status, error("internal_error")), Reply(status, b"<html>")])

    answer = http.predict(photo)

    keys = api.headers("/predict", "idempotency-key")
    assert len(keys) == 3
    assert len(set(keys)) == 1
    assert answer.prediction_id == "p-1"
    assert 0 < clock.slept[0] < clock.slept[1]


def test_an_answer_lost_on_its_way_is_asked_for_again_and_is_one_prediction(
    api: FakeApi, http: HttpApi, photo: bytes
) -> None:
    api.lost["/predict"] = 1

    answer = http.predict(photo)

    assert len(api.bodies("/predict")) == 2
    assert list(api.records) == [answer.prediction_id]


@pytest.mark.parametrize("status", [302, 400, 403, 404, 409, 413, 415, 422, 501])
def test_a_refusal_is_not_tried_again(
    api: FakeApi, http: HttpApi, clock: FakeClock, photo: bytes, status: int
) -> None:
    api.answers["/predict"] = (status, error("some_code"))

    with pytest.raises(ApiError) as refused:
        http.predict(photo)

    assert (refused.value.code, refused.value.status) == ("some_code", status)
    assert len(api.calls) == 1
    assert not clock.slept


def test_a_missing_model_is_not_waited_for(api: FakeApi, http: HttpApi, photo: bytes) -> None:
    api.flaky["/predict"].append(Reply(503, error("no_model_yet"), {"Retry-After": "1"}))

    with pytest.raises(NoModelYetError) as refused:
        http.predict(photo)

    assert len(api.calls) == 1
    assert refused.value.retry_after_seconds == 1


def test_a_failure_that_stays_is_told_after_a_few_attempts(
    api: FakeApi, http: HttpApi, photo: bytes
) -> None:
    api.answers["/predict"] = (500, error("internal_error"))

    with pytest.raises(ApiBrokenError, match="Something went wrong"):
        http.predict(photo)

    assert len(api.calls) == RETRY_RULES.attempts


def test_the_wait_that_the_api_asks_for_is_kept(
    api: FakeApi, http: HttpApi, clock: FakeClock, photo: bytes
) -> None:
    api.flaky["/predict"].append(Reply(429, error("too_many_requests"), {"Retry-After": "7"}))

    http.predict(photo)

    assert clock.slept == [7]


def test_a_wait_until_a_date_is_understood(api: FakeApi, http: HttpApi, clock: FakeClock) -> None:
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=9), usegmt=True)
    api.flaky["/predictions/p-1"].append(Reply(503, b"", {"Retry-After": date}))

    with pytest.raises(UnknownPredictionError):
        http.get("p-1")

    assert 5 < clock.slept[0] <= 9


def test_a_wait_that_makes_no_sense_is_ignored(api: FakeApi, http: HttpApi, photo: bytes) -> None:
    api.flaky["/predict"].append(Reply(503, b"", {"Retry-After": "soon"}))

    assert http.predict(photo).label == "cat"


def test_feedback_beyond_the_cap_is_told_at_once(
    api: FakeApi, http: HttpApi, clock: FakeClock
) -> None:
    api.flaky["/feedback"].append(Reply(429, error("too_much_feedback"), {"Retry-After": "1800"}))

    with pytest.raises(TooBusyError, match="next hour") as refused:
        http.feedback("p-1", "cat")

    assert refused.value.retry_after_seconds == 1800
    assert not clock.slept


def test_attempts_end_with_the_deadline(
    api: FakeApi, http: HttpApi, clock: FakeClock, photo: bytes
) -> None:
    def time_passes() -> None:
        clock.time += 40

    api.meanwhile = time_passes
    api.answers["/predict"] = (504, error("timeout"))

    with pytest.raises(ApiBrokenError):
        http.predict(photo)

    assert len(api.calls) == 3  # a fourth would begin after 120 of 90 seconds


def test_no_wait_goes_beyond_the_deadline(api: FakeApi, http: HttpApi, clock: FakeClock) -> None:
    api.flaky["/health"].append(Reply(503, b"", {"Retry-After": "10"}))

    with pytest.raises(ApiBrokenError):
        http.health()

    assert not clock.slept


def test_an_answer_that_does_not_come_is_given_up(
    api: FakeApi, http: HttpApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "STATUS_SECONDS", 0.05)
    given_up = threading.Event()

    def nothing_comes() -> None:
        given_up.wait(10)

    api.meanwhile = nothing_comes

    with pytest.raises(ApiUnreachableError, match="too long"):
        http.health()

    given_up.set()
    assert len(api.calls) == RETRY_RULES.attempts


def test_nothing_listening_is_told_after_a_few_attempts(
    api: FakeApi, http: HttpApi, clock: FakeClock
) -> None:
    api.close()

    with pytest.raises(ApiUnreachableError, match="cannot be reached"):
        http.health()

    assert len(clock.slept) == RETRY_RULES.attempts - 1


def test_a_certificate_file_that_is_missing_is_told_at_once(
    clock: FakeClock, tmp_path: Path
) -> None:
    missing = Configuration("https://127.0.0.1:9/", API_KEY, str(tmp_path / "none.pem"))

    with pytest.raises(ApiUnreachableError, match="cannot be reached"):
        HttpApi(missing, clock).health()

    assert not clock.slept


def test_every_step_of_an_upload_may_fail_for_a_moment(
    api: FakeApi, http: HttpApi, large_photo: bytes
) -> None:
    api.flaky["/uploads"].append(Reply(500, error("internal_error")))
    api.flaky["/bucket"].append(Reply(503, b"<Error><Code>SlowDown</Code></Error>"))
    api.lost["/predict"] = 1

    answer = http.predict(large_photo)

    assert list(api.records) == [answer.prediction_id]
    assert len(set(api.headers("/predict", "idempotency-key"))) == 1
