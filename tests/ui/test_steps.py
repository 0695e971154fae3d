"""What an execution's history says of each state."""

from __future__ import annotations

import json
from datetime import timedelta

from tests.ui.fake_workflows import JOB, START, Told, arn_of, leased
from ui.steps import State, story


def test_a_step_that_was_left_is_done_and_took_its_time() -> None:
    (step,) = story(Told().passed("SnapshotDataset").events).steps

    assert (step.name, step.state, step.seconds) == ("SnapshotDataset", State.DONE, 2.0)


def test_a_step_that_was_not_left_is_running() -> None:
    so_far = story(leased().entered("TrainModel").events)

    step = so_far.step("TrainModel")
    assert step is not None
    assert step.state is State.RUNNING
    assert step.since == START + timedelta(seconds=6)
    assert so_far.training_job == JOB


def test_a_step_that_worked_at_the_second_attempt_is_done() -> None:
    told = Told().entered("RegisterModel").add("TaskScheduled")
    told.add("TaskFailed", taskFailedEventDetails={"error": "RegistryError", "cause": "away"})
    told.add("TaskScheduled").add("TaskSucceeded").exited("RegisterModel")

    (step,) = story(told.events).steps

    assert (step.state, step.failures) == (State.DONE, 1)
    assert (step.error, step.cause) == ("RegistryError", "away")


def test_a_failure_that_was_caught_is_dealt_with() -> None:
    told = Told().entered("TrainModel").add("TaskScheduled")
    cause = json.dumps({"FailureReason": "AlgorithmError: no photos"})
    told.add("TaskFailed", taskFailedEventDetails={"error": "States.TaskFailed", "cause": cause})
    told.exited("TrainModel").entered("RecordFailure")

    first, second = story(told.events).steps

    assert (first.state, first.cause) == (State.HANDLED, "AlgorithmError: no photos")
    assert second.state is State.RUNNING


def test_the_step_in_which_an_execution_failed_is_failed() -> None:
    told = Told().entered("NotifyOperators").add("TaskTimedOut").add("ExecutionFailed")

    (step,) = story(told.events).steps

    assert (step.state, step.error) == (State.FAILED, "TaskTimedOut")


def test_the_step_in_which_an_execution_was_stopped_is_stopped() -> None:
    (step,) = story(Told().entered("TrainModel").add("ExecutionAborted").events).steps

    assert step.state is State.STOPPED
    assert step.seconds == 2.0


def test_a_state_that_is_visited_again_is_one_step() -> None:
    told = Told().passed("CheckCanary").passed("Wait", "Wait").entered("CheckCanary")

    steps = story(told.events).steps

    assert [step.name for step in steps] == ["CheckCanary", "Wait"]
    assert (steps[0].visits, steps[0].state, steps[0].seconds) == (2, State.RUNNING, 2.0)


def test_the_execution_that_a_step_started_is_known_from_its_start_on() -> None:
    child = arn_of("child", "deploy")
    told = Told().entered("DeployModel").add("TaskScheduled")
    submitted = {"output": json.dumps({"ExecutionArn": child})}
    told.add("TaskSubmitted", taskSubmittedEventDetails=submitted)

    (step,) = story(told.events).steps

    assert step.child == child


def test_the_execution_that_a_step_started_is_that_steps_alone() -> None:
    deployment = {"execution_arn": arn_of("child", "deploy")}
    told = Told().passed("DeployModel", deployment=deployment)
    told.passed("ReleaseLease", deployment=deployment)

    deploy, release = story(told.events).steps

    assert deploy.child == arn_of("child", "deploy")
    assert release.child is None


def test_no_events_are_no_steps() -> None:
    assert story([]).steps == ()
