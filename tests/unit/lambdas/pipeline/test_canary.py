"""What CheckCanary makes of the predictions of both variants."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pytest

from areyouacat.predictions import PredictionItem
from areyouacat.serving_pointer import ServingPointer, Strategy
from areyouacat.traffic import Verdict
from lambdas.pipeline.logic.canary import Check, Trial, check, gather
from tests.unit.lambdas.pipeline.factories import NOON, labelled_item
from tests.unit.lambdas.pipeline.pointers import MINE, alone, trying

TRIAL = Trial(
    execution_arn=MINE,
    strategy=Strategy.CANARY,
    champion_version="1",
    challenger_version="2",
    began_at=NOON,
    bake_seconds=600,
    check_seconds=60,
    golden=50,
    golden_right=49,
)


@dataclass
class Predictions:
    """Items by the times that the table's indexes know."""

    items: list[PredictionItem]

    def predicted_between(self, start: datetime, end: datetime) -> Iterable[PredictionItem]:
        return [item for item in self.items if start <= item.prediction.predicted_at <= end]

    def labelled_between(self, start: datetime, end: datetime) -> Iterable[PredictionItem]:
        return [item for item in self.items if item.feedback and start <= item.feedback.at <= end]


def item(
    name: str,
    version: str,
    *,
    seconds: float = 10.0,
    said: str | None = None,
    said_after: float = 20.0,
    latency_ms: float = 20.0,
    failed: str | None = None,
) -> PredictionItem:
    """A prediction so many seconds after the traffic was shifted; the label is always cat."""
    return labelled_item(
        name,
        said=said,
        said_at=NOON + timedelta(seconds=said_after),
        predicted_at=NOON + timedelta(seconds=seconds),
        model_version=version,
        latency_ms=latency_ms,
        failed_version=failed,
    )


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def checked(
    items: list[PredictionItem],
    seconds: float = 60.0,
    pointer: ServingPointer | None = None,
    trial: Trial = TRIAL,
) -> Check:
    return check(Predictions(items), pointer or trying(by=MINE), trial, after(seconds))


def test_answers_are_counted_by_version_and_failures_by_who_failed() -> None:
    items = [
        item("a", "1", latency_ms=30.0),
        item("b", "2", latency_ms=40.0),
        item("c", "1", latency_ms=999.0, failed="2"),
        item("d", "7"),
    ]

    champion, challenger = gather(Predictions(items), TRIAL, after(60))

    # The time that the challenger wasted is not the champion's.
    assert (champion.latencies_ms, champion.failures) == ([30.0], 0)
    assert (challenger.latencies_ms, challenger.failures) == ([40.0], 1)
    assert (challenger.golden, challenger.golden_right) == (50, 49)
    assert (champion.golden, champion.golden_right) == (50, 50)


def test_feedback_counts_in_its_order_and_only_on_answers_of_the_trial() -> None:
    items = [
        item("late", "2", said="cat", said_after=50),
        item("early", "2", said="not_cat", said_after=30),
        item("before", "2", seconds=-5, said="not_cat", said_after=40),
        item("other", "7", said="not_cat"),
        item("silent", "2"),
        item("champion", "1", said="cat"),
    ]

    champion, challenger = gather(Predictions(items), TRIAL, after(60))

    assert challenger.judged == [False, True]
    assert champion.judged == [True]


def test_of_a_long_test_health_is_that_of_the_last_hour_and_feedback_all_of_it() -> None:
    items = [item("old", "2", said="cat", latency_ms=1.0), item("new", "2", seconds=7_000)]

    _, challenger = gather(Predictions(items), TRIAL, after(7_200))

    assert challenger.latencies_ms == [20.0]
    assert challenger.judged == [True]


def test_it_waits_no_longer_than_the_bake() -> None:
    assert checked([], seconds=60).wait_seconds == 60
    assert checked([], seconds=570).wait_seconds == 30
    assert checked([], seconds=599.9).wait_seconds == 1


@pytest.mark.parametrize(("seconds", "verdict"), [(599.0, Verdict.WAIT), (600.0, Verdict.PROMOTE)])
def test_a_sound_challenger_is_promoted_when_the_bake_is_over(
    seconds: float, verdict: Verdict
) -> None:
    assert checked([item("a", "2")], seconds).decision.verdict is verdict


def test_failures_roll_it_back_long_before_that() -> None:
    failures = [item(f"p{n}", "1", failed="2") for n in range(3)]

    assert checked(failures).decision.verdict is Verdict.ROLL_BACK


@pytest.mark.parametrize("pointer", [alone(), trying(by="arn:third")])
def test_a_challenger_that_somebody_took_out_is_rolled_back(pointer: ServingPointer) -> None:
    decision = checked([], pointer=replace(pointer, reason="it barks")).decision

    assert decision.verdict is Verdict.ROLL_BACK
    assert decision.reasons == ("taken out of the traffic meanwhile: it barks",)
