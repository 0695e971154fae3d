"""What starts by itself: alarms, their topics and functions, schedules, the end of a deployment."""

import json
from typing import Any

import pytest

from areyouacat import metrics
from areyouacat.settings import MONITORING
from infra_cdk.settings import ALARMS
from tests.infrastructure.template_reading import Template, as_list, function_named, resources

FUNCTION_OF = {
    "FeedbackAccuracy": "trigger-retraining",
    "ChallengerFailures": "roll-back-on-alarm",
    "Errors": "roll-back-on-alarm",
}
"""Who is told, by the metric that the alarm looks at."""


def alarm_on(template: Template, metric: str) -> dict[str, Any]:
    (found,) = (
        alarm
        for alarm in resources(template, "CloudWatch::Alarm").values()
        if alarm["MetricName"] == metric
    )
    return found


def logical_id_of(template: Template, function: str) -> str:
    wanted = function_named(template, function)
    (found,) = (
        name
        for name, properties in resources(template, "Lambda::Function").items()
        if properties == wanted
    )
    return found


def subscription_of(template: Template, function: str) -> dict[str, Any]:
    endpoint = {"Fn::GetAtt": [logical_id_of(template, function), "Arn"]}
    (found,) = (
        subscription
        for subscription in resources(template, "SNS::Subscription").values()
        if subscription["Endpoint"] == endpoint
    )
    return found


def test_there_are_alarms_on_these_metrics_and_no_others(template: Template) -> None:
    alarms = resources(template, "CloudWatch::Alarm").values()

    assert sorted(alarm["MetricName"] for alarm in alarms) == sorted(FUNCTION_OF)


@pytest.mark.parametrize("metric", FUNCTION_OF)
def test_an_alarm_speaks_at_once_and_silence_never_does(template: Template, metric: str) -> None:
    alarm = alarm_on(template, metric)

    assert (alarm["EvaluationPeriods"], alarm["DatapointsToAlarm"]) == (1, 1)
    assert alarm["TreatMissingData"] == "notBreaching"


def test_low_accuracy_alarms(template: Template) -> None:
    alarm = alarm_on(template, "FeedbackAccuracy")

    assert alarm["Namespace"] == "AreYouACat"
    assert "Dimensions" not in alarm
    assert (alarm["Statistic"], alarm["Period"]) == ("Minimum", ALARMS.period_seconds)
    assert alarm["ComparisonOperator"] == "LessThanThreshold"
    assert alarm["Threshold"] == MONITORING.min_feedback_accuracy


def test_requests_that_the_challenger_failed_alarm_within_a_minute(template: Template) -> None:
    alarm = alarm_on(template, metrics.CHALLENGER_FAILURES.name)

    assert alarm["Namespace"] == metrics.NAMESPACE
    assert "Dimensions" not in alarm
    assert (alarm["Statistic"], alarm["Period"]) == ("Sum", 60)
    assert alarm["ComparisonOperator"] == "GreaterThanOrEqualToThreshold"
    assert alarm["Threshold"] == ALARMS.challenger_failures


def test_crashes_of_the_predict_function_alarm_within_a_minute(template: Template) -> None:
    alarm = alarm_on(template, "Errors")

    assert alarm["Namespace"] == "AWS/Lambda"
    assert alarm["Dimensions"] == [
        {"Name": "FunctionName", "Value": {"Ref": logical_id_of(template, "predict")}}
    ]
    assert (alarm["Statistic"], alarm["Period"]) == ("Sum", 60)
    assert alarm["ComparisonOperator"] == "GreaterThanOrEqualToThreshold"
    assert alarm["Threshold"] == ALARMS.challenger_failures


@pytest.mark.parametrize(("metric", "function"), FUNCTION_OF.items())
def test_an_alarm_reaches_the_function_that_acts_on_it(
    template: Template, metric: str, function: str
) -> None:
    subscription = subscription_of(template, function)
    topic = subscription["TopicArn"]

    assert alarm_on(template, metric)["AlarmActions"] == [topic]
    assert subscription["Protocol"] == "lambda"
    (allowed,) = (
        permission
        for permission in resources(template, "Lambda::Permission").values()
        if permission["FunctionName"] == subscription["Endpoint"]
    )
    assert allowed["Principal"] == "sns.amazonaws.com"
    assert allowed["SourceArn"] == topic


@pytest.mark.parametrize("function", ["trigger-retraining", "roll-back-on-alarm"])
def test_an_alarm_that_cannot_be_delivered_or_handled_is_kept(
    template: Template, function: str
) -> None:
    subscription = subscription_of(template, function)
    kept = subscription["RedrivePolicy"]["deadLetterTargetArn"]

    assert kept == function_named(template, function)["DeadLetterConfig"]["TargetArn"]
    assert ("sns.amazonaws.com", subscription["TopicArn"]) in senders_to(template, kept)


def senders_to(template: Template, queue: dict[str, Any]) -> list[tuple[str, Any]]:
    """Who may send to a queue, and on whose behalf."""
    return [
        (statement["Principal"]["Service"], statement["Condition"]["ArnEquals"]["aws:SourceArn"])
        for policy in resources(template, "SQS::QueuePolicy").values()
        for statement in policy["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Allow"
        and "sqs:SendMessage" in as_list(statement["Action"])
        and statement["Resource"] == queue
    ]


def cut_off_rule(template: Template) -> tuple[str, dict[str, Any]]:
    (found,) = (
        (logical_id, rule)
        for logical_id, rule in resources(template, "Events::Rule").items()
        if "EventPattern" in rule
    )
    return found


def test_a_deployment_that_was_cut_off_is_noticed_however_it_ended(template: Template) -> None:
    machines = resources(template, "StepFunctions::StateMachine")
    (deploy,) = (
        name
        for name, machine in machines.items()
        if machine["StateMachineName"] == "AreYouACat-deploy"
    )

    _, rule = cut_off_rule(template)

    assert rule["State"] == "ENABLED"
    assert rule["EventPattern"] == {
        "source": ["aws.states"],
        "detail-type": ["Step Functions Execution Status Change"],
        "detail": {
            "stateMachineArn": [{"Ref": deploy}],
            # All of Step Functions' ends but SUCCEEDED.
            "status": ["ABORTED", "FAILED", "TIMED_OUT"],
        },
    }


def test_a_deployment_that_was_cut_off_is_cleaned_up_behind_or_the_event_kept(
    template: Template,
) -> None:
    logical_id, rule = cut_off_rule(template)
    rule_arn = {"Fn::GetAtt": [logical_id, "Arn"]}
    function = {"Fn::GetAtt": [logical_id_of(template, "clean-up-deployment"), "Arn"]}

    (target,) = rule["Targets"]

    assert target["Arn"] == function
    kept = target["DeadLetterConfig"]["Arn"]
    assert ("events.amazonaws.com", rule_arn) in senders_to(template, kept)
    configured = function_named(template, "clean-up-deployment")["DeadLetterConfig"]
    assert configured["TargetArn"] == kept
    (allowed,) = (
        permission
        for permission in resources(template, "Lambda::Permission").values()
        if permission["FunctionName"] == function
    )
    assert (allowed["Principal"], allowed["SourceArn"]) == ("events.amazonaws.com", rule_arn)


def test_training_is_scheduled_daily_and_monitoring_hourly(template: Template) -> None:
    rules = [
        rule
        for rule in resources(template, "Events::Rule").values()
        if "ScheduleExpression" in rule
    ]

    schedules = {
        rule["ScheduleExpression"]: json.loads(rule["Targets"][0]["Input"]) for rule in rules
    }
    assert schedules == {
        "cron(0 3 * * ? *)": {"reason": "daily schedule", "source": "schedule"},
        "rate(1 hour)": {"source": "schedule"},
    }
    assert {rule["State"] for rule in rules} == {"ENABLED"}
