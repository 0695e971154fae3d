"""Executions as the Training page finds, tells, starts and stops them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from areyouacat.execution_history import Ending
from tests.ui.fake_workflows import (
    JOB,
    MACHINES,
    START,
    FakeExecution,
    FakeWorkflows,
    arn_of,
    leased,
    train_output,
)
from ui import console_links, execution_words
from ui.aws import AwsError
from ui.configuration import Configuration
from ui.executions import Executions, Gate
from ui.training_jobs import TAIL_LINES, TrainingJobs

TRAIN = MACHINES["train"]
CONFIGURATION = Configuration("https://api/", "key", None, train_machine=TRAIN)
JOB_ARN = f"arn:aws:sagemaker:eu-west-1:123456789012:training-job/{JOB}"


def executions(fake: FakeWorkflows) -> Executions:
    return Executions(CONFIGURATION, fake)


def only(**facts: Any) -> Any:
    """The one execution there is, as it is told."""
    (one,) = executions(FakeWorkflows(FakeExecution("one", **facts))).recent(TRAIN, 10)
    return one


def test_a_training_that_ended_well_is_told_with_all_that_came_of_it() -> None:
    one = only(output=train_output())

    assert (one.ending, one.told) == (Ending.SUCCEEDED, "Model version 4 is serving.")
    assert (one.dataset_version, one.model_version) == ("0123abcd", "4")
    assert one.gate == Gate(passed=True, applicable=True, reason="all 9 rules passed")
    assert (one.reason, one.source) == ("more photos", "manual")
    assert one.seconds(datetime.now(UTC)) == 151


@pytest.mark.parametrize(
    ("changes", "ending", "words"),
    [
        ({"lease": {"acquired": False, "outcome": "already_running", "holder": "arn:x:other"}},
         Ending.ALREADY_RUNNING, "Execution other is training"),
        ({"lease": {"acquired": False, "outcome": "cooldown", "why": "until noon"}},
         Ending.TOO_SOON, "until noon"),
        ({"evaluation": {"gate": {"passed": False, "reason": "accuracy fell"}}},
         Ending.REJECTED, "Accuracy fell"),
        ({"deployment": {"output": {"result": {"outcome": "rolled_back", "version": "3",
                                               "moved_version": "4", "reasons": ["slow"]}}}},
         Ending.ROLLED_BACK, "Model version 3 is serving, not 4: slow."),
        ({"deployment": {"output": {"result": {"outcome": "not_deployed"}}}},
         Ending.NOT_DEPLOYED, "deploy it by hand"),
    ],
)  # fmt: skip
def test_other_normal_ends_are_told_apart(
    changes: dict[str, Any], ending: Ending, words: str
) -> None:
    one = only(output=train_output(**changes))

    assert one.ending is ending
    assert words in one.told
    assert execution_words.headline(one)[0] != "Failed"


def test_a_failure_is_told_by_its_cause() -> None:
    one = only(status="FAILED", cause="The disk is full.")

    assert (one.ending, one.told) == (Ending.FAILED, "AnError: The disk is full.")
    assert execution_words.headline(one)[0] == "Failed"


def test_an_execution_that_was_stopped_says_by_whom() -> None:
    one = only(status="ABORTED", cause="wrong photos (ann)")

    assert one.told == "Stopped by hand: wrong photos (ann)"
    assert execution_words.headline(one)[0] == "Stopped by hand"


@pytest.mark.parametrize("given", ["no JSON", "[1, 2]", '{"reason": {"deep": 1}}'])
def test_whatever_somebody_started_it_with_it_is_shown(given: str) -> None:
    one = only(status="RUNNING", input=given)

    assert (one.input, one.reason, one.ending) == (given, None, None)


def test_more_than_one_page_is_read_as_far_as_asked() -> None:
    fake = FakeWorkflows(
        *(FakeExecution(f"n{n}", started=START + timedelta(hours=n)) for n in range(7))
    )
    fake.page = 2

    recent = executions(fake).recent(TRAIN, 5)

    assert [one.name for one in recent] == ["n6", "n5", "n4", "n3", "n2"]


def test_what_has_ended_is_asked_for_once() -> None:
    fake = FakeWorkflows(FakeExecution("ended"), FakeExecution("runs", "RUNNING"))
    found = executions(fake)

    found.recent(TRAIN, 10)
    found.recent(TRAIN, 10)

    assert sorted(fake.described) == [arn_of("ended"), arn_of("runs"), arn_of("runs")]


def test_a_history_of_several_pages_is_told_whole_and_what_was_read_is_not_read_again() -> None:
    running = FakeExecution("one", "RUNNING", history=leased().passed("SnapshotDataset"))
    fake = FakeWorkflows(running)
    fake.page = 2
    found = executions(fake)
    (one,) = found.recent(TRAIN, 10)
    assert [step.name for step in found.story(one).steps] == ["AcquireLease", "SnapshotDataset"]

    fake.events_read = 0
    running.history.entered("TrainModel")
    so_far = found.story(one)

    assert [step.name for step in so_far.steps][-1] == "TrainModel"
    assert fake.events_read <= fake.page


def test_the_history_of_an_execution_that_ended_is_asked_for_once() -> None:
    fake = FakeWorkflows(FakeExecution("one", history=leased()))
    found = executions(fake)
    (one,) = found.recent(TRAIN, 10)

    first = found.story(one)
    fake.events_read = 0

    assert found.story(one) == first
    assert fake.events_read == 0


def test_the_deployment_that_runs_for_a_training_is_found() -> None:
    asked = {"version": "4", "AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID": arn_of("one")}
    fake = FakeWorkflows(
        FakeExecution("one", "RUNNING"),
        FakeExecution("of-another", "RUNNING", machine="deploy"),
        FakeExecution("its-own", "RUNNING", asked, machine="deploy"),
        FakeExecution("ended", input=asked, machine="deploy"),
    )

    child = executions(fake).child(MACHINES["deploy"], arn_of("one"))

    assert child == arn_of("its-own", "deploy")
    assert executions(fake).child(MACHINES["deploy"], arn_of("two")) is None


def test_a_gates_rules_are_told_one_by_one() -> None:
    rule = {"name": "latency_ms", "passed": False, "value": 12.0, "limit": 10.0,
            "shortfall": 2.0, "detail": "latency_ms 12 is above 10"}  # fmt: skip
    gate = {"passed": False, "applicable": True, "reason": "slow", "rules": [rule]}
    one = only(output=train_output(evaluation={"gate": gate}))

    (told,) = one.gate.rules

    assert (told.name, told.passed, told.value, told.limit) == ("latency_ms", False, 12.0, 10.0)
    assert "latency ms** missed: latency\\_ms 12 is above 10" in execution_words.rule_line(told)


def test_asked_for_twice_under_one_name_it_starts_once() -> None:
    fake = FakeWorkflows()
    found = executions(fake)

    first = found.start(TRAIN, "page-1", "more photos (ann)")
    second = found.start(TRAIN, "page-1", "more photos (ann)")

    assert first == second == arn_of("page-1")
    assert [each.input for each in fake.executions] == [{"reason": "more photos (ann)"}]


def test_stopping_says_who_and_why() -> None:
    fake = FakeWorkflows(FakeExecution("one", "RUNNING"))

    executions(fake).stop(arn_of("one"), "wrong photos (ann)")

    assert (fake.executions[0].status, fake.executions[0].cause) == (
        "ABORTED", "wrong photos (ann)",
    )  # fmt: skip


def test_one_that_has_ended_meanwhile_stays_as_it_is() -> None:
    fake = FakeWorkflows(FakeExecution("one", output=train_output()))

    executions(fake).stop(arn_of("one"), "wrong photos (ann)")

    assert fake.executions[0].status == "SUCCEEDED"


def test_what_aws_refuses_is_said_in_words() -> None:
    fake = FakeWorkflows(FakeExecution("one"))
    fake.broken = True

    with pytest.raises(AwsError, match="not allowed"):
        executions(fake).recent(TRAIN, 10)


def jobs(fake: FakeWorkflows) -> TrainingJobs:
    return TrainingJobs(CONFIGURATION, fake, fake)


def test_a_job_is_told_by_its_phases_and_figures() -> None:
    fake = FakeWorkflows()
    fake.job = {
        "TrainingJobArn": JOB_ARN,
        "TrainingJobStatus": "InProgress",
        "SecondaryStatusTransitions": [
            {"Status": "Downloading", "StartTime": START, "EndTime": START + timedelta(seconds=9)},
            {"Status": "Training", "StartTime": START + timedelta(seconds=9)},
        ],
        "FinalMetricDataList": [{"MetricName": "val_accuracy", "Value": 0.98}],
    }

    job = jobs(fake).one(JOB)

    assert job is not None
    assert [(each.name, each.ended_at is None) for each in job.phases] == [
        ("Downloading", False), ("Training", True),
    ]  # fmt: skip
    assert dict(job.metrics) == {"val_accuracy": 0.98}


def test_a_job_that_has_not_begun_is_none_and_has_said_nothing() -> None:
    fake = FakeWorkflows()

    assert jobs(fake).one(JOB) is None
    assert jobs(fake).tail(JOB) == ()


def test_a_job_that_may_not_be_seen_is_no_job_that_has_not_begun() -> None:
    fake = FakeWorkflows()
    fake.broken = True

    with pytest.raises(AwsError, match="not allowed"):
        jobs(fake).one(JOB)


def test_the_tail_of_a_log_is_its_newest_lines() -> None:
    fake = FakeWorkflows()
    fake.log = [f"line {n}\n" for n in range(TAIL_LINES + 5)]

    tail = jobs(fake).tail(JOB)

    assert (len(tail), tail[-1]) == (TAIL_LINES, f"line {TAIL_LINES + 4}")


def test_links_lead_to_the_console_of_the_partition() -> None:
    assert console_links.execution(arn_of("one")) == (
        "https://eu-west-1.console.aws.amazon.com/states/home?region=eu-west-1"
        f"#/v2/executions/details/{arn_of('one')}"
    )
    chinese = JOB_ARN.replace("arn:aws:", "arn:aws-cn:").replace("eu-west-1", "cn-north-1")
    assert console_links.training_job(chinese) == (
        f"https://cn-north-1.console.amazonaws.cn/sagemaker/home?region=cn-north-1#/jobs/{JOB}"
    )
    log = console_links.training_log(JOB_ARN, "/aws/sagemaker/TrainingJobs")
    assert log is not None
    assert log.endswith(
        "#logsV2:log-groups/log-group/$252Faws$252Fsagemaker$252FTrainingJobs"
        f"$3FlogStreamNameFilter$3D{JOB}$2F"
    )


@pytest.mark.parametrize("arn", ["", "arn:aws-moon:states:x:1:execution:a:b", "arn:aws:states"])
def test_no_link_is_better_than_a_wrong_one(arn: str) -> None:
    assert console_links.execution(arn) is None
