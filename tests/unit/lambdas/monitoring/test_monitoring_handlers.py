import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from pydantic import ValidationError

from areyouacat.drift_sample import read_sample
from areyouacat.predictions import Feedback, prediction_item
from areyouacat.serving_pointer import Variant, first_pointer
from areyouacat.settings import DRIFT, MONITORING
from areyouacat.training_ledger import Admission, Pending
from lambdas.monitoring.dal.drift_reports import DriftReports
from lambdas.monitoring.handlers import collect_window, publish_metrics, trigger_retraining
from lambdas.shared.predictions_table import PredictionsTable
from lambdas.shared.serving_pointer_store import ServingPointerStore
from lambdas.shared.training_ledger_store import TrainingLedgerStore
from tests.unit.lambdas.monitoring.events import alarm, sns_event
from tests.unit.lambdas.monitoring.moto_cloud import Cloud
from tests.unit.lambdas.pipeline.factories import labelled_item

CHAMPION = Variant("champion", "are-you-a-cat", "1", 1.0, "k", "s", "j", "h")


def serve(cloud: Cloud, since: datetime) -> None:
    pointer = first_pointer(CHAMPION, by="execution", reason="first", at=since)
    ServingPointerStore(cloud.s3, "lake").write(pointer, None)


def put_wrong_answers(cloud: Cloud, count: int, at: datetime) -> None:
    table = PredictionsTable(cloud.dynamodb, "predictions")
    for number in range(count):
        prediction = labelled_item(str(number), label="cat", predicted_at=at).prediction
        table.put(prediction_item(prediction, ttl_days=30))
        table.record_feedback(prediction.prediction_id, Feedback("not_cat", at))


def test_enough_wrong_answers_become_a_feedback_accuracy_in_cloudwatch(
    cloud: Cloud, context: Any
) -> None:
    an_hour_ago = datetime.now(UTC) - timedelta(hours=1)
    serve(cloud, an_hour_ago - timedelta(hours=1))
    put_wrong_answers(cloud, MONITORING.min_feedback_labels, an_hour_ago)

    collected = collect_window.handler({}, context)
    published = publish_metrics.handler(collected, context)

    assert collected["metrics"]["FeedbackAccuracy"] == 0.0
    assert collected["metrics"]["NewFeedbackCount"] == MONITORING.min_feedback_labels
    assert "FeedbackAccuracy" in published["published"]
    statistics = cloud.cloudwatch.get_metric_statistics(
        Namespace="AreYouACat",
        MetricName="FeedbackAccuracy",
        StartTime=an_hour_ago,
        EndTime=datetime.now(UTC) + timedelta(minutes=1),
        Period=60,
        Statistics=["Minimum", "SampleCount"],
    )["Datapoints"]
    assert [(point["Minimum"], point["SampleCount"]) for point in statistics] == [(0.0, 1.0)]


def test_too_few_labels_publish_no_accuracy(cloud: Cloud, context: Any) -> None:
    now = datetime.now(UTC)
    serve(cloud, now - timedelta(hours=1))
    put_wrong_answers(cloud, MONITORING.min_feedback_labels - 1, now)

    publish_metrics.handler(collect_window.handler({}, context), context)

    names = {metric["MetricName"] for metric in cloud.cloudwatch.list_metrics()["Metrics"]}
    assert "WindowPredictions" in names
    assert "FeedbackAccuracy" not in names


def put_photos(cloud: Cloud, count: int) -> None:
    table = PredictionsTable(cloud.dynamodb, "predictions")
    now = datetime.now(UTC)
    for number in range(count):
        made = labelled_item(str(number), said=None, predicted_at=now - timedelta(minutes=1))
        table.put(prediction_item(made.prediction, ttl_days=30))


def test_a_report_that_is_due_is_prepared_once(cloud: Cloud, context: Any) -> None:
    serve(cloud, datetime.now(UTC) - timedelta(hours=1))
    put_photos(cloud, DRIFT.min_window)
    cloud.s3.put_object(Bucket="lake", Key="reference.csv", Body=b"")

    report = collect_window.handler({}, context)["report"]
    again = collect_window.handler({}, context)["report"]

    assert (report["due"], report["failed"], report["model_version"]) == (True, False, "1")
    assert report["reference_uri"] == "s3://lake/reference.csv"
    key = report["window_uri"].removeprefix("s3://lake/")
    stored = read_sample(cloud.s3.get_object(Bucket="lake", Key=key)["Body"].read())
    assert len(stored["size"]) == DRIFT.min_window
    assert (again["due"], again["failed"]) == (False, False)
    assert again["why"].startswith("one was begun")


def test_a_report_that_cannot_be_prepared_keeps_no_metric_back(
    cloud: Cloud, context: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve(cloud, datetime.now(UTC) - timedelta(hours=1))
    put_photos(cloud, DRIFT.min_window)

    def refused(*_: Any) -> None:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "ListObjectsV2")

    monkeypatch.setattr(DriftReports, "keys_since", refused)
    collected = collect_window.handler({}, context)

    assert collected["metrics"]["WindowPredictions"] == DRIFT.min_window
    assert (collected["report"]["due"], collected["report"]["failed"]) == (False, True)
    assert "AccessDenied" in collected["report"]["why"]


def test_published_metrics_have_no_dimensions_and_the_units_of_the_list(
    cloud: Cloud, context: Any
) -> None:
    publish_metrics.handler(
        {"window": {"end": "2026-11-20T12:00:00Z"}, "metrics": {"FeedbackLabels": 3}}, context
    )

    (metric,) = cloud.cloudwatch.list_metrics(Namespace="AreYouACat")["Metrics"]
    assert metric["Dimensions"] == []
    (point,) = cloud.cloudwatch.get_metric_statistics(
        Namespace="AreYouACat",
        MetricName="FeedbackLabels",
        StartTime=datetime(2026, 11, 20, 11, 59, tzinfo=UTC),
        EndTime=datetime(2026, 11, 20, 12, 1, tzinfo=UTC),
        Period=60,
        Statistics=["Maximum"],
        Unit="Count",
    )["Datapoints"]
    assert point["Maximum"] == 3.0


def test_the_window_is_as_long_as_asked(cloud: Cloud, context: Any) -> None:
    put_wrong_answers(cloud, 1, datetime.now(UTC) - timedelta(hours=3))

    assert collect_window.handler({"window_hours": 2}, context)["served"]["predictions"] == 0
    assert collect_window.handler({"window_hours": 4}, context)["served"]["predictions"] == 1


def test_the_schedules_own_input_gives_the_usual_window(cloud: Cloud, context: Any) -> None:
    answer = collect_window.handler({"source": "schedule"}, context)

    assert answer["window"]["hours"] == MONITORING.window_hours


@pytest.mark.parametrize("hours", [0, -1, "soon", 100_000])
def test_no_window_is_refused(cloud: Cloud, context: Any, hours: object) -> None:
    with pytest.raises(ValidationError):
        collect_window.handler({"window_hours": hours}, context)


def test_a_metric_that_is_not_in_the_list_is_refused(cloud: Cloud, context: Any) -> None:
    event = {"window": {"end": "2026-11-20T12:00:00Z"}, "metrics": {"Typo": 1}}

    with pytest.raises(ValidationError, match="unknown metrics: Typo"):
        publish_metrics.handler(event, context)


def test_no_metrics_are_no_request(cloud: Cloud, context: Any) -> None:
    event = {"window": {"end": "2026-11-20T12:00:00Z"}, "metrics": {}}

    assert publish_metrics.handler(event, context) == {"published": []}


def test_an_alarm_that_fires_starts_one_training_that_knows_why(cloud: Cloud, context: Any) -> None:
    answer = trigger_retraining.handler(sns_event(alarm()), context)

    (execution,) = cloud.executions()
    assert answer == {"started": [execution["name"]]}
    assert json.loads(execution["input"]) == {
        "reason": "Threshold Crossed: 0.5 < 0.75",
        "source": "alarm",
        "alarm": "AreYouACat-FeedbackAccuracy",
        "changed_at": "2026-11-20T12:00:00.000+0000",
    }


def test_a_message_that_comes_again_starts_nothing_new(cloud: Cloud, context: Any) -> None:
    trigger_retraining.handler(sns_event(alarm()), context)
    trigger_retraining.handler(sns_event(alarm(), alarm()), context)

    assert len(cloud.executions()) == 1


def test_a_message_that_comes_again_after_its_training_ended_starts_nothing_new(
    cloud: Cloud, context: Any
) -> None:
    trigger_retraining.handler(sns_event(alarm()), context)
    (execution,) = cloud.executions()
    cloud.stepfunctions.stop_execution(executionArn=execution["executionArn"])

    assert trigger_retraining.handler(sns_event(alarm()), context) == {"started": []}
    assert len(cloud.executions()) == 1


def test_the_next_change_of_state_starts_the_next_training(cloud: Cloud, context: Any) -> None:
    trigger_retraining.handler(sns_event(alarm()), context)
    trigger_retraining.handler(sns_event(alarm(at="2026-11-21T12:00:00.000+0000")), context)

    assert len(cloud.executions()) == 2


@pytest.mark.parametrize("state", ["OK", "INSUFFICIENT_DATA"])
def test_an_alarm_that_does_not_stand_starts_nothing(
    cloud: Cloud, context: Any, state: str
) -> None:
    assert trigger_retraining.handler(sns_event(alarm(state)), context) == {"started": []}
    assert cloud.executions() == []


def test_an_alarm_that_stands_no_more_has_nothing_waiting_for_it(
    cloud: Cloud, context: Any
) -> None:
    store = TrainingLedgerStore(cloud.dynamodb, "control")
    waits = Pending("low", datetime.now(UTC), Admission.COOLING_DOWN)
    pending = {"AreYouACat-FeedbackAccuracy": waits, "AreYouACat-DataDrift": waits}
    store.change(lambda ledger: (replace(ledger, pending=pending), None))

    trigger_retraining.handler(sns_event(alarm("OK")), context)

    assert set(store.read()[0].pending) == {"AreYouACat-DataDrift"}
    assert cloud.executions() == []


@pytest.mark.parametrize("message", ["", "hello", "[]", "{}", '{"AlarmName": "X"}'])
def test_what_is_no_alarm_is_dropped_and_the_rest_still_counts(
    cloud: Cloud, context: Any, message: str
) -> None:
    answer = trigger_retraining.handler(sns_event(message, alarm()), context)

    assert len(answer["started"]) == 1


@pytest.mark.parametrize("event", [{}, {"Records": [{}]}, {"Records": "x"}])
def test_what_is_no_sns_event_is_dropped(cloud: Cloud, context: Any, event: dict[str, Any]) -> None:
    assert trigger_retraining.handler(event, context) == {"started": []}
