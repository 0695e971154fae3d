"""Every way through the monitor workflow."""

from typing import Any

import pytest

from tests.infrastructure.asl_simulator import TaskFailure
from tests.infrastructure.template_reading import Template
from tests.infrastructure.workflow_answers import REPORT_DUE, REPORT_NOT_PREPARED, RESULTS
from tests.infrastructure.workflows import Answer, simulate
from training_job.drift_report.environment import read_environment

METRICS_FIRST = ["CollectWindow", "PublishMetrics", "StartPending", "ReportDue?"]


@pytest.mark.parametrize("execution_input", [{}, {"window_hours": 2}, {"source": "schedule"}])
def test_what_is_collected_is_published(
    aws_template: Template, execution_input: dict[str, Any]
) -> None:
    run = simulate(aws_template, "monitor", execution_input)

    assert run.visited == [*METRICS_FIRST, "Succeeded"]
    assert run.parameters["CollectWindow"]["Payload"] == execution_input
    assert run.parameters["PublishMetrics"]["Payload"] == RESULTS["CollectWindow"]


def test_a_report_that_is_due_is_made_of_both_samples_when_all_else_is_done(
    aws_template: Template,
) -> None:
    run = simulate(aws_template, "monitor", {}, {"CollectWindow": REPORT_DUE})

    assert run.visited == [*METRICS_FIRST, "DriftReport", "Succeeded"]
    job, due = run.parameters["DriftReport"], REPORT_DUE["report"]
    assert job["ProcessingJobName"] == due["job_name"]
    assert {given["InputName"]: given["S3Input"]["S3Uri"] for given in job["ProcessingInputs"]} == {
        "reference": due["reference_uri"],
        "window": due["window_uri"],
    }
    (output,) = job["ProcessingOutputConfig"]["Outputs"]
    assert output["S3Output"]["S3Uri"] == due["report_uri"]
    told = read_environment(job["Environment"])
    assert (told.model_version, told.window_end) == ("3", "2026-01-01T00:00:00Z")
    assert (told.job_name, told.reason) == (due["job_name"], "drift of brightness")
    assert run.output["report"]["job_name"] == due["job_name"]


@pytest.mark.parametrize("error", ["SageMaker.ResourceLimitExceededException", "States.TaskFailed"])
def test_a_report_that_fails_is_told_and_keeps_no_metric_back(
    aws_template: Template, error: str
) -> None:
    answers: dict[str, Answer | list[Answer]] = {
        "CollectWindow": REPORT_DUE,
        "DriftReport": TaskFailure(error, "the container failed"),
    }

    run = simulate(aws_template, "monitor", {}, answers)

    assert run.visited == [*METRICS_FIRST, "DriftReport", "NotifyOperators", "Failed"]
    assert "the container failed" in run.parameters["NotifyOperators"]["Message"]


def test_a_report_that_could_not_be_prepared_is_told_after_the_metrics(
    aws_template: Template,
) -> None:
    run = simulate(aws_template, "monitor", {}, {"CollectWindow": REPORT_NOT_PREPARED})

    assert run.visited == [*METRICS_FIRST, "ReportNotPrepared", "NotifyOperators", "Failed"]
    assert run.error == "ReportNotPrepared"
    assert "AccessDenied" in run.parameters["NotifyOperators"]["Message"]


@pytest.mark.parametrize("failing", ["CollectWindow", "PublishMetrics", "StartPending"])
def test_a_monitor_that_fails_is_told(aws_template: Template, failing: str) -> None:
    run = simulate(aws_template, "monitor", {}, {failing: TaskFailure("States.Timeout")})

    assert run.visited[-2:] == ["NotifyOperators", "Failed"]
