from typing import Any

import pytest

from lambdas.monitoring.handlers.sns import firing_alarms
from tests.unit.lambdas.monitoring.events import alarm, sns_event


def test_all_alarms_of_an_event_are_read_in_its_order() -> None:
    event = sns_event(alarm(name="first"), alarm(name="second"))

    assert [found.alarm_name for found in firing_alarms(event)] == ["first", "second"]


@pytest.mark.parametrize("state", ["OK", "INSUFFICIENT_DATA"])
def test_an_alarm_that_does_not_stand_is_left_out(state: str) -> None:
    event = sns_event(alarm(state, name="quiet"), alarm(name="loud"))

    assert [found.alarm_name for found in firing_alarms(event)] == ["loud"]


@pytest.mark.parametrize("message", ["", "hello", "[]", "{}", '{"AlarmName": "X"}', "null"])
def test_what_is_no_alarms_message_is_dropped_and_the_rest_still_counts(message: str) -> None:
    event = sns_event(message, alarm(name="loud"), message)

    assert [found.alarm_name for found in firing_alarms(event)] == ["loud"]


@pytest.mark.parametrize("event", [{}, {"Records": [{}]}, {"Records": "x"}, {"Records": None}])
def test_what_is_no_sns_event_holds_no_alarm(event: dict[str, Any]) -> None:
    assert firing_alarms(event) == []
