"""The HTTP API: keys, throttling, refusals, and the loop behind it."""

import json
import re

from areyouacat.settings import MONITORING
from infra_cdk.settings import API, FUNCTIONS
from tests.infrastructure.template_reading import Template, function_named, only, resources

LOGGING_ACCOUNT = "AWS::ApiGateway::Account"


def test_every_method_needs_a_key(template: Template) -> None:
    methods = resources(template, "ApiGateway::Method").values()

    assert {method["HttpMethod"] for method in methods} == {"GET", "POST"}
    assert len(methods) == 4
    assert all(method["ApiKeyRequired"] is True for method in methods)


def test_the_key_works_on_our_stage_only_and_is_throttled(template: Template) -> None:
    plan = only(template, "ApiGateway::UsagePlan")

    (stage,) = plan["ApiStages"]
    assert stage["Stage"] == {"Ref": next(iter(resources(template, "ApiGateway::Stage")))}
    assert plan["Throttle"] == {
        "RateLimit": API.rate_per_second,
        "BurstLimit": API.burst_requests,
    }


def test_throttling_answers_before_the_function_runs_out_of_concurrency() -> None:
    seconds_a_request = 0.25  # p95 that the rate is chosen for

    concurrency = FUNCTIONS["predict"].reserved_concurrency

    assert concurrency is not None
    assert API.burst_requests <= concurrency
    assert API.rate_per_second * seconds_a_request <= concurrency


def test_photos_are_binary_and_json_is_not(template: Template) -> None:
    binary = only(template, "ApiGateway::RestApi")["BinaryMediaTypes"]

    assert "image/jpeg" in binary
    assert "application/octet-stream" in binary
    assert not {"*/*", "application/json"} & set(binary)


def test_every_refusal_of_the_gateway_has_our_shape(template: Template) -> None:
    responses = resources(template, "ApiGateway::GatewayResponse").values()

    for response in responses:
        body = response["ResponseTemplates"]["application/json"]
        rendered = json.loads(re.sub(r"\$context\.error\.messageString", '"why"', body))
        assert set(rendered) == {"error"}
        assert set(rendered["error"]) == {"code", "message"}
    codes = {
        response["ResponseType"]: (
            response.get("StatusCode"),
            json.loads(
                response["ResponseTemplates"]["application/json"].replace(
                    "$context.error.messageString", '"why"'
                )
            )["error"]["code"],
        )
        for response in responses
    }
    assert codes["INVALID_API_KEY"] == ("403", "forbidden")
    assert codes["MISSING_AUTHENTICATION_TOKEN"] == ("403", "forbidden")
    assert codes["REQUEST_TOO_LARGE"] == ("413", "payload_too_large")
    assert codes["THROTTLED"] == ("429", "too_many_requests")
    assert {"DEFAULT_4XX", "DEFAULT_5XX"} <= set(codes)


def test_refusals_are_part_of_what_is_deployed(template: Template) -> None:
    (deployment,) = (
        resource
        for resource in template["Resources"].values()
        if resource["Type"] == "AWS::ApiGateway::Deployment"
    )

    assert set(resources(template, "ApiGateway::GatewayResponse")) <= set(deployment["DependsOn"])


def test_requests_are_logged_without_addresses_of_people(template: Template) -> None:
    access_log = only(template, "ApiGateway::Stage")["AccessLogSetting"]

    assert "$context.requestId" in access_log["Format"]
    assert "sourceIp" not in access_log["Format"]
    (stage,) = (
        resource
        for resource in template["Resources"].values()
        if resource["Type"] == "AWS::ApiGateway::Stage"
    )
    (account,) = (
        name
        for name, resource in template["Resources"].items()
        if resource["Type"] == LOGGING_ACCOUNT
    )
    assert account in stage["DependsOn"]


def test_low_accuracy_alarms_at_once_and_silence_never_does(template: Template) -> None:
    alarm = only(template, "CloudWatch::Alarm")

    assert alarm["Namespace"] == "AreYouACat"
    assert alarm["MetricName"] == "FeedbackAccuracy"
    assert "Dimensions" not in alarm
    assert alarm["ComparisonOperator"] == "LessThanThreshold"
    assert alarm["Threshold"] == MONITORING.min_feedback_accuracy
    assert (alarm["EvaluationPeriods"], alarm["DatapointsToAlarm"]) == (1, 1)
    assert alarm["TreatMissingData"] == "notBreaching"


def test_the_alarm_reaches_the_function_that_trains(template: Template) -> None:
    alarm = only(template, "CloudWatch::Alarm")
    subscription = only(template, "SNS::Subscription")
    trigger = function_named(template, "trigger-retraining")

    assert alarm["AlarmActions"] == [subscription["TopicArn"]]
    assert subscription["Protocol"] == "lambda"
    endpoint = subscription["Endpoint"]["Fn::GetAtt"][0]
    assert resources(template, "Lambda::Function")[endpoint] == trigger


def test_what_cannot_be_delivered_or_handled_is_kept(template: Template) -> None:
    subscription = only(template, "SNS::Subscription")
    trigger = function_named(template, "trigger-retraining")

    assert (
        subscription["RedrivePolicy"]["deadLetterTargetArn"]
        == trigger["DeadLetterConfig"]["TargetArn"]
    )


def test_training_is_scheduled_daily_and_monitoring_hourly(template: Template) -> None:
    rules = resources(template, "Events::Rule").values()

    schedules = {
        rule["ScheduleExpression"]: json.loads(rule["Targets"][0]["Input"]) for rule in rules
    }
    assert schedules == {
        "cron(0 3 * * ? *)": {"reason": "daily schedule", "source": "schedule"},
        "rate(1 hour)": {"source": "schedule"},
    }
    assert {rule["State"] for rule in rules} == {"ENABLED"}


def test_the_dashboard_shows_metrics_that_are_written(template: Template) -> None:
    body = json.dumps(only(template, "CloudWatch::Dashboard")["DashboardBody"])

    shown = set(re.findall(r'\\"AreYouACat\\",\\"(\w+)\\"', body))
    assert {"Requests", "Latency", "ServerErrors", "FeedbackAccuracy", "PositiveShare"} <= shown
    assert "ExecutionsFailed" in body
