"""What is read from an open-loop load: the knee, the way back, the shape of refusals."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.http_load import Reply, Request
from benchmarks.load import prediction_ids
from benchmarks.load_chart import draw
from benchmarks.load_steps import (
    MAX_LAG_SECONDS,
    MAX_P95_SECONDS,
    Step,
    answered,
    climb,
    in_words,
    knee,
    recovery_seconds,
    statuses,
)
from benchmarks.open_loop import Sent
from benchmarks.overload import Overload, Plan, misshapen, refusals, server_errors

GOOD = Reply(200, b"{}", 0.0)
REFUSED = Reply(429, b'{"error":{"code":"too_many_requests","message":"Wait."}}', 0.0)
FAILED = Reply(504, b"", 0.0)


def sent(due: float, latency: float = 0.1, reply: Reply = GOOD, lag: float = 0.0) -> Sent:
    request = Request("POST", "predict") if reply.status >= 500 else None
    return Sent(due, due + lag, due + latency, reply, request)


def step(offered: float, latency: float = 0.1, reply: Reply = GOOD, lag: float = 0.0) -> Step:
    """Ten seconds of evenly spaced requests that all fare alike."""
    times = [number / offered for number in range(round(10 * offered))]
    return Step(offered, 10, [sent(due, latency, reply, lag) for due in times])


def test_a_step_holds_that_is_answered_as_fast_as_it_is_asked() -> None:
    held = step(20)

    assert held.achieved == pytest.approx(20, rel=0.01)
    assert held.latency_ms(0.95) == pytest.approx(100)
    assert held.holds


@pytest.mark.parametrize(
    "fallen",
    [
        step(20, latency=MAX_P95_SECONDS + 0.01),
        step(20, reply=REFUSED),
        step(20, reply=FAILED),
        step(20, lag=MAX_LAG_SECONDS + 0.001),
    ],
    ids=["slow", "refused", "failed", "the driver lagged"],
)
def test_a_step_falls_by_slowness_refusals_failures_or_a_driver_that_lagged(fallen: Step) -> None:
    assert not fallen.holds


def test_a_queue_that_is_still_there_after_the_step_counts_against_it() -> None:
    late = Step(10, 10, [sent(number / 10, latency=number / 10) for number in range(100)])

    assert late.achieved == pytest.approx(100 / 19.8)
    assert not late.holds


def test_a_step_in_which_nobody_is_answered_has_no_latency_that_could_look_good() -> None:
    assert step(5, reply=REFUSED).latency_ms(0.5) == float("inf")


def test_a_driver_that_lagged_is_told_with_its_step() -> None:
    assert step(20, lag=0.2).line().endswith("lag 200.0 ms (the driver lagged)")
    assert step(20).line() == (
        "20/s: 19.9/s, p50 100 ms, p95 100 ms, p99 100 ms, 200 of 200, lag 0.0 ms"
    )


def test_the_knee_is_the_highest_load_that_holds() -> None:
    steps = [step(10), step(20), step(30), step(40, latency=1)]

    assert knee(steps) is steps[2]
    assert knee(steps[3:]) is None


def test_the_climb_ends_when_two_steps_in_a_row_do_not_hold() -> None:
    slow = {20, 40, 50}

    def measure(rate: float) -> Step:
        return step(rate, latency=1 if rate in slow else 0.1)

    found = list(climb(measure, (10, 20, 30, 40, 50, 60)))

    assert [one.offered for one in found] == [10, 20, 30, 40, 50]


def after_overload(slow_until: float, seconds: float = 12.0) -> Iterator[Sent]:
    """Ten a second from second 5 on, when the overload ended; slow until then."""
    for number in range(round(10 * seconds)):
        due = 5 + number / 10
        yield sent(due, 2.0 if due < slow_until else 0.1)


@pytest.mark.parametrize(("slow_until", "expected"), [(5.0, 0.0), (7.0, 2.0), (9.0, 4.0)])
def test_recovery_is_counted_from_the_overloads_end(slow_until: float, expected: float) -> None:
    found = recovery_seconds(list(after_overload(slow_until)), end=5, limit=0.2)

    assert found == pytest.approx(expected, abs=0.25)


def test_who_is_never_served_as_before_has_not_recovered() -> None:
    assert recovery_seconds(list(after_overload(99)), end=5, limit=0.2) is None
    assert recovery_seconds([], end=5, limit=0.2) is None


def test_a_refusal_after_the_overload_is_no_recovery() -> None:
    calls = [replace(one, reply=REFUSED) for one in after_overload(5)]

    assert recovery_seconds(calls, end=5, limit=0.2) is None


PLAN = Plan(light=10, heavy=40, before=5, during=5, after=10)


def overloaded(crowd: Reply) -> Overload:
    due = PLAN.due(seed=1)
    return Overload(PLAN, [sent(t, reply=crowd if 5 <= t < 10 else GOOD) for t in due])


def test_an_overload_is_light_heavy_and_light_again_without_a_pause() -> None:
    found = overloaded(GOOD)

    assert [len(found.before.sent), len(found.during.sent), len(found.sent)] == [50, 200, 350]
    assert found.during.achieved == pytest.approx(40, rel=0.05)
    told, recovery = found.figures("overload")
    assert told.met is None
    assert (recovery.value, recovery.met) == (0, True)


def test_an_overload_from_which_nothing_recovers_misses_its_target() -> None:
    due = PLAN.due(seed=1)
    found = Overload(PLAN, [sent(t, 0.1 if t < 5 else 3.0) for t in due])

    recovery = found.figures("overload")[1]

    assert (recovery.value, recovery.met) == (PLAN.after, False)
    assert recovery.note.startswith("not even then")


def test_refusals_are_counted_and_their_shape_is_looked_at() -> None:
    share, shape = refusals(overloaded(REFUSED), rate=20, burst=20)

    assert share.value == 100
    assert share.note.startswith("40 % by the plan's 20 a second and 20 at once")
    assert (shape.value, shape.met) == (0, True)


@pytest.mark.parametrize(
    "body",
    [b"", b"{}", b"[]", b'{"message":"Too Many Requests"}', b'{"error":"x"}', b'{"error":{}}'],
)
def test_another_shape_of_a_refusal_is_seen(body: bytes) -> None:
    assert misshapen([Reply(429, body, 0.0), REFUSED]) == 1


def test_failures_of_the_server_are_told_with_the_first_of_them() -> None:
    calls = [sent(0), sent(1, reply=REFUSED), sent(2, reply=FAILED)]

    figure = server_errors("here", calls, limit=0)

    assert (figure.value, figure.met) == (1, False)
    assert figure.note == "1 of 200, 1 of 429, 1 of 504; the first: 504 b''"
    told = server_errors("there", calls, limit=None, why="it was too much")
    assert told.met is None
    assert told.note.endswith("504 b''; it was too much")
    assert server_errors("there", calls[:2], 0, "it was too much").note == "1 of 200, 1 of 429"


def test_statuses_are_counted_and_only_a_200_is_an_answer() -> None:
    mixed = [sent(0), sent(1, reply=REFUSED), sent(2)]

    assert in_words(statuses(mixed)) == "2 of 200, 1 of 429"
    assert len(answered(mixed)) == 2


def test_prediction_ids_are_those_of_answers() -> None:
    good = Reply(200, json.dumps({"prediction_id": "a"}).encode(), 0.0)

    assert prediction_ids([good, REFUSED, FAILED]) == ["a"]


def test_the_chart_takes_steps_in_which_nobody_was_answered(tmp_path: Path) -> None:
    steps = [step(10), step(20, lag=1), step(40, latency=3), step(80, reply=FAILED)]

    draw(steps, step(20, reply=REFUSED), steps[0], tmp_path / "load.png")

    assert (tmp_path / "load.png").read_bytes().startswith(b"\x89PNG")
