"""What starts by itself: alarms, their topics and functions, schedules, the end of a deployment."""

import json
from typing import Any

import pytest

from areyouacat import metrics
from areyouacat.settings import DRIFT, MONITORING
from infra_cdk.settings import ALARMS
from tests.infrastructure.template_reading import Template, as_list, function_named, resources

FUNCTION_OF = {
    "FeedbackAccuracy": "trigger-retraining",
    "DataDrift": "trigger-retraining",
    "NewFeedbackCount": "trigger-retraining",
    "ChallengerFailures": "roll-back-on-alarm",
    "Errors": "roll-back-on-alarm",
}
"""Who is told, by the metric that the alarm looks at."""


TOLD_TO_PEOPLE = {
    "5XXError": ("GreaterThanOrEqualToThreshold", ALARMS.server_errors, 1),
    "ServerErrors": ("GreaterThanOrEqualToThreshold", ALARMS.server_errors, 1),
    "Latency": ("GreaterThanOrEqualToThreshold", ALARMS.latency_p95_ms, ALARMS.latency_periods),
    "Throttles": ("GreaterThanOrEqualToThreshold", 1, 1),
    "ApproximateNumberOfMessagesVisible": ("GreaterThanOrEqualToThreshold", 1, 1),
    "ExecutionsFailed": ("GreaterThanOrEqualToThreshold", 1, 1),
    "ExecutionsTimedOut": ("GreaterThanOrEqualToThreshold", 1, 1),
    "WindowPredictions": ("LessThanThreshold", 1, ALARMS.silent_periods),
}
"""Comparison, threshold and periods of the operators' alarms, by metric."""


def alarms_on(template: Template, metric: str) -> list[dict[str, Any]]:
    every = resources(template, "CloudWatch::Alarm").values()
    return [alarm for alarm in every if alarm["MetricName"] == metric]


def alarm_on(template: Template, metric: str) -> dict[str, Any]:
    (found,) = alarms_on(template, metric)
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

    expected = [
        *FUNCTION_OF,
        *TOLD_TO_PEOPLE,
        "Throttles",  # of predict and of api
        *["ApproximateNumberOfMessagesVisible"] * 2,  # three queues
        *("ExecutionsFailed", "ExecutionsTimedOut") * 3,  # four workflows
    ]
    assert sorted(alarm["MetricName"] for alarm in alarms) == sorted(expected)


@pytest.mark.parametrize("metric", TOLD_TO_PEOPLE)
def test_an_alarm_on_the_service_tells_people_and_starts_nothing(
    template: Template, metric: str
) -> None:
    (ops,) = (
        {"Ref": logical_id}
        for logical_id, topic in resources(template, "SNS::Topic").items()
        if "operators" in topic["DisplayName"]
    )

    for alarm in alarms_on(template, metric):
        assert (alarm["AlarmActions"], alarm["OKActions"]) == ([ops], [ops])
        told = alarm["ComparisonOperator"], alarm["Threshold"], alarm["EvaluationPeriods"]
        assert told == TOLD_TO_PEOPLE[metric]
        assert alarm["DatapointsToAlarm"] == alarm["EvaluationPeriods"]


def test_every_workflow_queue_and_function_behind_the_api_is_watched(template: Template) -> None:
    def watched(metric: str) -> list[str]:
        return [json.dumps(alarm["Dimensions"]) for alarm in alarms_on(template, metric)]

    assert len(set(watched("ExecutionsFailed"))) == len(set(watched("ExecutionsTimedOut"))) == 4
    assert len(set(watched("Throttles"))) == 2
    queues = resources(template, "SQS::Queue")
    assert len(set(watched("ApproximateNumberOfMessagesVisible"))) == len(queues)


def test_only_silence_of_the_monitor_is_an_alarm_itself(template: Template) -> None:
    breaching = [
        alarm["MetricName"]
        for alarm in resources(template, "CloudWatch::Alarm").values()
        if alarm["TreatMissingData"] == "breaching"
    ]

    assert breaching == ["WindowPredictions"]
    assert alarm_on(template, "WindowPredictions")["Statistic"] == "SampleCount"


def test_alarms_on_the_projects_own_metrics_have_no_dimensions(template: Template) -> None:
    own = [
        alarm
        for alarm in resources(template, "CloudWatch::Alarm").values()
        if alarm["Namespace"] == metrics.NAMESPACE
    ]

    assert own
    assert not [alarm["MetricName"] for alarm in own if "Dimensions" in alarm]


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


@pytest.mark.parametrize(
    ("metric", "threshold"),
    [("DataDrift", DRIFT.min_psi), ("NewFeedbackCount", MONITORING.enough_new_feedback)],
)
def test_drift_and_enough_new_labels_alarm(
    template: Template, metric: str, threshold: float
) -> None:
    alarm = alarm_on(template, metric)

    assert alarm["Namespace"] == metrics.NAMESPACE
    assert "Dimensions" not in alarm
    assert (alarm["Statistic"], alarm["Period"]) == ("Maximum", ALARMS.period_seconds)
    assert alarm["ComparisonOperator"] == "GreaterThanOrEqualToThreshold"
    assert alarm["Threshold"] == threshold


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


@pytest.mark.parametrize(
    "metric", [metric for metric, function in FUNCTION_OF.items() if "retraining" in function]
)
def test_an_alarm_that_stands_no_more_says_so_too(template: Template, metric: str) -> None:
    alarm = alarm_on(template, metric)

    assert alarm["OKActions"] == alarm["AlarmActions"]


@pytest.mark.parametrize("function", ["trigger-retraining", "roll-back-on-alarm"])
def test_an_alarm_that_cannot_be_delivered_or_handled_is_kept(
    template: Template, function: str
) -> None:
    subscription = subscription_of(template, function)
    kept = subscription["RedrivePolicy"]["deadLetterTargetArn"]

    assert kept == function_named(template, function)["DeadLetterConfig"]["TargetArn"]
    assert ("sns.amazonaws.com", subscription["TopicArn"]) in senders_to(template, kept)


def test_nothing_that_starts_by_itself_is_lost_if_it_cannot_start(template: Template) -> None:
    queues = {
        json.dumps({"Fn::GetAtt": [name, "Arn"]}) for name in resources(template, "SQS::Queue")
    }
    started = [
        *(
            subscription["RedrivePolicy"]["deadLetterTargetArn"]
            for subscription in resources(template, "SNS::Subscription").values()
        ),
        *(
            target["DeadLetterConfig"]["Arn"]
            for rule in resources(template, "Events::Rule").values()
            for target in rule["Targets"]
        ),
        *(
            function["DeadLetterConfig"]["TargetArn"]
            for function in started_by_events(template).values()
        ),
    ]

    assert len(started) == 2 + 4 + 4  # subscriptions, targets, functions
    assert {json.dumps(kept) for kept in started} == queues


def started_by_events(template: Template) -> dict[str, dict[str, Any]]:
    """The functions that SNS and EventBridge invoke: asynchronously, so no caller hears of it."""
    invoked = {
        permission["FunctionName"]["Fn::GetAtt"][0]
        for permission in resources(template, "Lambda::Permission").values()
        if permission["Principal"] in {"sns.amazonaws.com", "events.amazonaws.com"}
    }
    functions = resources(template, "Lambda::Function")
    return {name: functions[name] for name in invoked}


def test_only_the_rule_of_a_schedule_may_put_a_start_that_failed_aside(
    template: Template,
) -> None:
    for logical_id, rule in resources(template, "Events::Rule").items():
        (target,) = rule["Targets"]
        kept = target["DeadLetterConfig"]["Arn"]
        rule_arn = {"Fn::GetAtt": [logical_id, "Arn"]}
        assert ("events.amazonaws.com", rule_arn) in senders_to(template, kept)


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


CUT_OFF = ["ABORTED", "FAILED", "TIMED_OUT"]
ENDS = [
    ("deploy", CUT_OFF, "clean-up-deployment"),
    ("train", ["ABORTED", "FAILED", "SUCCEEDED", "TIMED_OUT"], "start-pending"),
]
"""Workflow, the ends that are noticed, and the function that is told."""


def end_rule(template: Template, workflow: str) -> tuple[str, dict[str, Any]]:
    """The rule that watches a workflow's ends."""
    (machine,) = (
        logical_id
        for logical_id, machine in resources(template, "StepFunctions::StateMachine").items()
        if machine["StateMachineName"] == f"AreYouACat-{workflow}"
    )
    (found,) = (
        (logical_id, rule)
        for logical_id, rule in resources(template, "Events::Rule").items()
        if rule.get("EventPattern", {}).get("detail", {}).get("stateMachineArn")
        == [{"Ref": machine}]
    )
    return found


@pytest.mark.parametrize(("workflow", "statuses", "function"), ENDS)
def test_the_end_of_an_execution_is_noticed(
    template: Template, workflow: str, statuses: list[str], function: str
) -> None:
    del function

    _, rule = end_rule(template, workflow)

    assert rule["State"] == "ENABLED"
    pattern = rule["EventPattern"]
    assert pattern["source"] == ["aws.states"]
    assert pattern["detail-type"] == ["Step Functions Execution Status Change"]
    assert sorted(pattern["detail"]["status"]) == statuses


@pytest.mark.parametrize(("workflow", "statuses", "name"), ENDS)
def test_what_an_execution_left_is_looked_after_or_the_event_kept(
    template: Template, workflow: str, statuses: list[str], name: str
) -> None:
    del statuses
    logical_id, rule = end_rule(template, workflow)
    rule_arn = {"Fn::GetAtt": [logical_id, "Arn"]}
    function = {"Fn::GetAtt": [logical_id_of(template, name), "Arn"]}

    (target,) = rule["Targets"]

    assert target["Arn"] == function
    kept = target["DeadLetterConfig"]["Arn"]
    assert ("events.amazonaws.com", rule_arn) in senders_to(template, kept)
    configured = function_named(template, name)["DeadLetterConfig"]
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
