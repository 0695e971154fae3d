import json
import re
from collections.abc import Callable

import pytest

from lambdas.monitoring.logic.alarms import AlarmMessage, Start, rollback_start, training_start

STARTS = pytest.mark.parametrize("start", [training_start, rollback_start])


def alarm(name: str = "FeedbackAccuracy", at: str = "2026-11-20T12:00:00.000+0000") -> AlarmMessage:
    return AlarmMessage(
        AlarmName=name, NewStateValue="ALARM", StateChangeTime=at, NewStateReason="0.5 < 0.75"
    )


def test_the_input_says_why_and_by_whom() -> None:
    assert json.loads(training_start(alarm()).input_json) == {
        "reason": "0.5 < 0.75",
        "source": "alarm",
        "alarm": "FeedbackAccuracy",
        "changed_at": "2026-11-20T12:00:00.000+0000",
    }


def test_a_rollback_takes_the_challenger_and_it_alone_out_of_the_traffic() -> None:
    assert json.loads(rollback_start(alarm("ChallengerFailures")).input_json) == {
        "strategy": "roll_back",
        "challenger_only": True,
        "reason": "0.5 < 0.75",
        "source": "alarm",
        "alarm": "ChallengerFailures",
        "changed_at": "2026-11-20T12:00:00.000+0000",
    }


@STARTS
def test_one_change_of_state_has_one_name(start: Callable[[AlarmMessage], Start]) -> None:
    assert start(alarm()) == start(alarm())


@STARTS
def test_another_change_and_another_alarm_have_names_of_their_own(
    start: Callable[[AlarmMessage], Start],
) -> None:
    names = {
        start(alarm()).name,
        start(alarm(at="2026-11-20T13:00:00.000+0000")).name,
        start(alarm(name="DataDrift")).name,
    }

    assert len(names) == 3


@STARTS
def test_any_alarm_name_makes_a_valid_execution_name(
    start: Callable[[AlarmMessage], Start],
) -> None:
    for name in ("a", "///", "Accuracy below 75 % (prod)", "x" * 255, "ümlaut"):
        assert re.fullmatch(r"[a-zA-Z0-9-_]{1,80}", start(alarm(name)).name)


@STARTS
def test_an_alarm_without_a_reason_is_the_reason(start: Callable[[AlarmMessage], Start]) -> None:
    silent = AlarmMessage(AlarmName="X", NewStateValue="ALARM", StateChangeTime="t")

    assert json.loads(start(silent).input_json)["reason"] == "alarm X"


@STARTS
def test_an_endless_reason_is_cut(start: Callable[[AlarmMessage], Start]) -> None:
    endless = AlarmMessage(
        AlarmName="X", NewStateValue="ALARM", StateChangeTime="t", NewStateReason="x" * 5_000
    )

    assert len(json.loads(start(endless).input_json)["reason"]) == 1_000


def test_only_the_alarm_state_fires() -> None:
    states = {
        state: AlarmMessage(AlarmName="X", NewStateValue=state, StateChangeTime="t").fires
        for state in ("ALARM", "OK", "INSUFFICIENT_DATA")
    }

    assert states == {"ALARM": True, "OK": False, "INSUFFICIENT_DATA": False}
