import json
import re

from lambdas.monitoring.logic.alarms import AlarmMessage, training_start


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


def test_one_change_of_state_has_one_name() -> None:
    assert training_start(alarm()) == training_start(alarm())


def test_another_change_and_another_alarm_have_names_of_their_own() -> None:
    names = {
        training_start(alarm()).name,
        training_start(alarm(at="2026-11-20T13:00:00.000+0000")).name,
        training_start(alarm(name="DataDrift")).name,
    }

    assert len(names) == 3


def test_any_alarm_name_makes_a_valid_execution_name() -> None:
    for name in ("a", "///", "Accuracy below 75 % (prod)", "x" * 255, "ümlaut"):
        assert re.fullmatch(r"[a-zA-Z0-9-_]{1,80}", training_start(alarm(name)).name)


def test_an_alarm_without_a_reason_is_the_reason() -> None:
    silent = AlarmMessage(AlarmName="X", NewStateValue="ALARM", StateChangeTime="t")

    assert json.loads(training_start(silent).input_json)["reason"] == "alarm X"


def test_only_the_alarm_state_fires() -> None:
    states = {
        state: AlarmMessage(AlarmName="X", NewStateValue=state, StateChangeTime="t").fires
        for state in ("ALARM", "OK", "INSUFFICIENT_DATA")
    }

    assert states == {"ALARM": True, "OK": False, "INSUFFICIENT_DATA": False}
