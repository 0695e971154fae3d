import json
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from areyouacat.serving_pointer import Deployment, Strategy, Variant, first_pointer
from lambdas.monitoring.handlers import start_rollback
from lambdas.shared.serving_pointer_store import ServingPointerStore
from tests.unit.lambdas.monitoring.events import alarm, execution_ended, sns_event
from tests.unit.lambdas.monitoring.moto_cloud import Cloud

EXECUTION = "arn:aws:states:eu-west-1:123456789012:execution:deploy:one"
AT = datetime(2026, 11, 20, 12, tzinfo=UTC)
CHAMPION = Variant("champion", "are-you-a-cat", "1", 1.0, "k", "s", "j", "h")
CHALLENGER = Variant("challenger", "are-you-a-cat", "2", 0.0, "k2", "s2", "j2", "h2")
FAILURES = "AreYouACat-ChallengerFailures"


def serve_with_challenger_of(cloud: Cloud, execution: str) -> None:
    pointer = first_pointer(CHAMPION, by="execution", reason="first", at=AT).shift(
        CHALLENGER, 0.1, Deployment(execution, Strategy.CANARY, AT), by=execution, reason="canary"
    )
    ServingPointerStore(cloud.s3, "lake").write(pointer, None)


def test_an_alarm_that_fires_starts_one_rollback_of_the_challenger_alone(
    cloud: Cloud, context: Any
) -> None:
    answer = start_rollback.on_alarm(sns_event(alarm(name=FAILURES)), context)

    (execution,) = cloud.executions(cloud.deploy_arn)
    assert answer == {"started": [execution["name"]]}
    asked = json.loads(execution["input"])
    assert (asked["strategy"], asked["challenger_only"]) == ("roll_back", True)
    assert asked["reason"] == "Threshold Crossed: 0.5 < 0.75"
    assert cloud.executions(cloud.train_arn) == []


def test_an_alarm_that_comes_twice_starts_one_rollback(cloud: Cloud, context: Any) -> None:
    event = sns_event(alarm(name=FAILURES))

    start_rollback.on_alarm(event, context)
    start_rollback.on_alarm(event, context)

    assert len(cloud.executions(cloud.deploy_arn)) == 1


def test_an_alarm_that_comes_again_after_its_rollback_ended_starts_nothing_new(
    cloud: Cloud, context: Any
) -> None:
    event = sns_event(alarm(name=FAILURES))
    start_rollback.on_alarm(event, context)
    (execution,) = cloud.executions(cloud.deploy_arn)
    cloud.stepfunctions.stop_execution(executionArn=execution["executionArn"])

    assert start_rollback.on_alarm(event, context) == {"started": []}
    assert len(cloud.executions(cloud.deploy_arn)) == 1


def test_both_alarms_of_one_event_start_their_rollback(cloud: Cloud, context: Any) -> None:
    event = sns_event(alarm(name=FAILURES), alarm(name="AreYouACat-PredictErrors"))

    assert len(start_rollback.on_alarm(event, context)["started"]) == 2
    assert len(cloud.executions(cloud.deploy_arn)) == 2


@pytest.mark.parametrize(
    "event", [sns_event(alarm("OK", name=FAILURES)), sns_event("hello"), {}, {"Records": [{}]}]
)
def test_what_does_not_fire_rolls_nothing_back(
    cloud: Cloud, context: Any, event: dict[str, Any]
) -> None:
    assert start_rollback.on_alarm(event, context) == {"started": []}
    assert cloud.executions(cloud.deploy_arn) == []


@pytest.mark.parametrize("status", ["ABORTED", "FAILED", "TIMED_OUT"])
def test_a_deployment_that_was_cut_off_is_cleaned_up_behind(
    cloud: Cloud, context: Any, status: str
) -> None:
    serve_with_challenger_of(cloud, EXECUTION)

    answer = start_rollback.on_ended(execution_ended(EXECUTION, status), context)

    (execution,) = cloud.executions(cloud.deploy_arn)
    assert answer == {"started": execution["name"]}
    asked = json.loads(execution["input"])
    assert (asked["strategy"], asked["deployment"]) == ("roll_back", EXECUTION)
    assert status in asked["reason"]


def test_an_end_that_is_told_twice_starts_one_cleaning(cloud: Cloud, context: Any) -> None:
    serve_with_challenger_of(cloud, EXECUTION)

    answers = [start_rollback.on_ended(execution_ended(EXECUTION), context) for _ in range(2)]

    assert answers[0] == answers[1]
    assert len(cloud.executions(cloud.deploy_arn)) == 1


def test_an_end_that_is_told_again_after_its_cleaning_ended_starts_no_other(
    cloud: Cloud, context: Any
) -> None:
    serve_with_challenger_of(cloud, EXECUTION)
    start_rollback.on_ended(execution_ended(EXECUTION), context)
    (cleaning,) = cloud.executions(cloud.deploy_arn)
    cloud.stepfunctions.stop_execution(executionArn=cleaning["executionArn"])

    start_rollback.on_ended(execution_ended(EXECUTION), context)

    assert len(cloud.executions(cloud.deploy_arn)) == 1


def test_a_cleaning_that_fails_starts_no_other(cloud: Cloud, context: Any) -> None:
    serve_with_challenger_of(cloud, EXECUTION)
    start_rollback.on_ended(execution_ended(EXECUTION), context)
    (cleaning,) = cloud.executions(cloud.deploy_arn)

    ended = execution_ended(cleaning["executionArn"], "FAILED")

    assert start_rollback.on_ended(ended, context) == {"started": None}
    assert len(cloud.executions(cloud.deploy_arn)) == 1


def test_nothing_is_cleaned_up_behind_who_left_nothing(cloud: Cloud, context: Any) -> None:
    other = f"{EXECUTION}-more"
    assert start_rollback.on_ended(execution_ended(EXECUTION), context) == {"started": None}

    serve_with_challenger_of(cloud, other)

    assert start_rollback.on_ended(execution_ended(EXECUTION), context) == {"started": None}
    assert cloud.executions(cloud.deploy_arn) == []


@pytest.mark.parametrize(
    ("event", "missing"),
    [
        ({}, "detail"),
        ({"detail": {}}, "executionArn"),
        ({"detail": {"executionArn": EXECUTION}}, "status"),
        (sns_event(alarm(name=FAILURES)), "detail"),
    ],
)
def test_what_is_no_end_of_an_execution_is_refused_with_what_it_lacks(
    cloud: Cloud, context: Any, event: dict[str, Any], missing: str
) -> None:
    with pytest.raises(ValidationError, match=missing):
        start_rollback.on_ended(event, context)

    assert cloud.executions(cloud.deploy_arn) == []


@pytest.mark.parametrize("name", ["DEPLOY_STATE_MACHINE_ARN", "LAKE_BUCKET"])
def test_a_function_that_was_not_told_where_to_look_says_so(
    cloud: Cloud, context: Any, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.delenv(name)

    with pytest.raises(Exception, match=name):
        start_rollback.on_ended(execution_ended(EXECUTION), context)
