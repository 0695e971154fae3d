"""The deploy workflow as the pages read it; against moto, which keeps the fake honest."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from moto import mock_aws

from tests.ui.fake_step_functions import NOW, Execution, FakeStepFunctions, check, result, state
from ui.aws import AwsError
from ui.configuration import Configuration
from ui.deployments import Deployment, Deployments

SINCE = datetime(2026, 11, 23, 10, 0, 0, 123456, tzinfo=UTC)


@pytest.fixture
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "an-id")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a-secret")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.delenv("AWS_CA_BUNDLE", raising=False)


@pytest.fixture
def moto(credentials: None) -> Iterator[tuple[Deployments, Any, str]]:
    """The workflow in moto, where executions run until they are stopped."""
    with mock_aws():
        stepfunctions = boto3.client("stepfunctions", region_name="eu-west-1")
        role = boto3.client("iam").create_role(RoleName="deploy", AssumeRolePolicyDocument="{}")
        definition = {"StartAt": "S", "States": {"S": {"Type": "Succeed"}}}
        machine = stepfunctions.create_state_machine(
            name="deploy", definition=json.dumps(definition), roleArn=role["Role"]["Arn"]
        )["stateMachineArn"]
        configuration = Configuration(
            "http://127.0.0.1/", "key", None, region="eu-west-1", deploy_machine=machine
        )
        yield Deployments(configuration), stepfunctions, machine


@pytest.fixture
def fake(credentials: None) -> Iterator[FakeStepFunctions]:
    found = FakeStepFunctions()
    yield found
    found.close()


def deployments(fake: FakeStepFunctions) -> Deployments:
    machine = "arn:aws:states:us-east-1:000000000000:stateMachine:deploy"
    return Deployments(
        Configuration("http://127.0.0.1/", "key", None, fake.url, "us-east-1", machine)
    )


def only(fake: FakeStepFunctions, execution: Execution) -> Deployment:
    fake.executions = [execution]
    (found,) = deployments(fake).recent()
    return found


def test_a_rollback_is_one_execution_however_often_it_is_asked_for(
    moto: tuple[Deployments, Any, str],
) -> None:
    found, stepfunctions, machine = moto

    first = found.roll_back("4", SINCE, "it calls dogs cats")
    second = found.roll_back("4", SINCE, "another reason")

    assert first == second
    listed = stepfunctions.list_executions(stateMachineArn=machine)["executions"]
    assert [each["executionArn"] for each in listed] == [first]
    described = stepfunctions.describe_execution(executionArn=first)
    assert json.loads(described["input"]) == {
        "strategy": "roll_back",
        "from_version": "4",
        "reason": "it calls dogs cats",
        "source": "ui",
    }


def test_the_same_version_leaves_anew_after_the_traffic_has_changed(
    moto: tuple[Deployments, Any, str],
) -> None:
    found, _, _ = moto

    first = found.roll_back("4", SINCE, "why")

    assert found.roll_back("4", SINCE.replace(hour=11), "why") != first
    assert found.roll_back("5", SINCE, "why") != first


def test_a_rollback_that_did_not_end_well_is_followed_by_another(
    moto: tuple[Deployments, Any, str],
) -> None:
    found, stepfunctions, _ = moto
    first = found.roll_back("4", SINCE, "why")
    stepfunctions.stop_execution(executionArn=first)

    second = found.roll_back("4", SINCE, "why")

    assert second != first
    assert found.roll_back("4", SINCE, "why") == second


def test_a_rollback_that_never_ends_well_is_given_up_with_a_remedy(
    moto: tuple[Deployments, Any, str],
) -> None:
    found, stepfunctions, _ = moto
    for _ in range(5):
        stepfunctions.stop_execution(executionArn=found.roll_back("4", SINCE, "why"))

    with pytest.raises(AwsError, match="make rollback"):
        found.roll_back("4", SINCE, "why")


def test_executions_are_read_as_aws_lists_them(moto: tuple[Deployments, Any, str]) -> None:
    found, stepfunctions, _ = moto
    arn = found.roll_back("4", SINCE, "why")
    stepfunctions.stop_execution(executionArn=arn)

    (one,) = found.recent()

    assert (one.execution_arn, one.status, one.is_rollback) == (arn, "ABORTED", True)
    assert (one.asked_version, one.asked_reason) == ("4", "why")
    assert one.ended_at is not None
    assert one.ended_at >= one.started_at


def test_a_workflow_that_is_gone_is_told_in_plain_words(
    moto: tuple[Deployments, Any, str],
) -> None:
    found, stepfunctions, machine = moto
    stepfunctions.delete_state_machine(stateMachineArn=machine)

    with pytest.raises(AwsError, match="make up"):
        found.roll_back("4", SINCE, "why")


def test_an_ended_deployment_is_read_once(fake: FakeStepFunctions) -> None:
    ended = Execution("a", {"version": "4"}, "SUCCEEDED", {**state(), **result("promoted")})
    running = Execution("b", {"version": "5"}, started=NOW + timedelta(seconds=1))
    fake.executions = [ended, running]
    found = deployments(fake)

    found.recent()
    running.status, running.output = "SUCCEEDED", result("rolled_back", moved_version="5")
    newest, oldest = found.recent()

    assert fake.asked.count("DescribeExecution") == 3
    assert (oldest.outcome, oldest.moved_version, oldest.strategy) == ("promoted", "4", "canary")
    assert (newest.outcome, newest.why) == ("rolled_back", ("no harm was seen",))


def test_the_newest_comes_first_however_they_were_listed(fake: FakeStepFunctions) -> None:
    later = Execution("later", {"version": "5"}, started=NOW + timedelta(milliseconds=5))
    fake.executions = [later, Execution("earlier", {"version": "4"})]

    assert [each.asked_version for each in deployments(fake).recent()] == ["5", "4"]


def test_a_trial_is_found_among_those_that_wait_their_turn(fake: FakeStepFunctions) -> None:
    waiting = Execution("later", {"version": "5"}, states=[{"staged": {"strategy": "canary"}}])
    fake.executions = [
        Execution("tried", {"version": "4"}, states=[state(), state(check=check())]),
        waiting,
    ]

    trial = deployments(fake).trial(NOW)

    assert trial is not None
    assert (trial.version, trial.strategy, trial.reason) == ("4", "canary", "trained")
    assert (trial.ends_at - NOW).total_seconds() == 1800
    assert trial.check is not None
    assert (trial.check.champion.requests, trial.check.challenger.failures) == (1234, 1)
    assert (trial.check.next_at - trial.check.checked_at).total_seconds() == 60


def test_a_trial_that_began_at_another_moment_is_another_one(fake: FakeStepFunctions) -> None:
    fake.executions = [Execution("tried", {"version": "4"}, states=[state()])]

    assert deployments(fake).trial(SINCE) is None


def test_a_version_left_for_later_tells_what_was_in_its_way(fake: FakeStepFunctions) -> None:
    cause = json.dumps({"errorMessage": "An A/B test has the traffic.", "stackTrace": []})
    said = {
        "staged": {"strategy": "canary"},
        "error": {"Error": "AbTestInProgressError", "Cause": cause},
        "result": {"outcome": "not_deployed"},
    }

    one = only(fake, Execution("a", {"version": "4"}, "SUCCEEDED", said))

    assert (one.outcome, one.why) == ("not_deployed", ("An A/B test has the traffic.",))


@pytest.mark.parametrize("words", ['{"half": ', "plain words", '["a", "list"]'])
def test_a_cause_that_is_not_lambdas_is_told_as_it_is(fake: FakeStepFunctions, words: str) -> None:
    one = only(fake, Execution("a", {"version": "4"}, "FAILED", error="E", cause=words))

    assert one.why == (words,)


@pytest.mark.parametrize("asked", ["no JSON", "[1]", '"text"', "7", "null"])
def test_an_input_of_any_kind_is_read(fake: FakeStepFunctions, asked: str) -> None:
    one = only(fake, Execution("a", asked, "FAILED"))

    assert (one.asked_version, one.strategy, one.why) == (None, None, ())
