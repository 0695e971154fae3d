from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from areyouacat.execution_history import Ending, HistoryTeller, outcome, readable
from training_job import follow as following
from training_job.endpoints import Endpoints
from training_job.follow import TrainingLog, follow, main

START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
ARN = "arn:aws:states:eu-west-1:123456789012:execution:train:one"


class History:
    """A history as Step Functions tells it; every event is 1.5 s after the one before."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []

    def add(self, kind: str, **details: Any) -> History:
        at = START + timedelta(seconds=1.5 * len(self.events))
        number = len(self.events) + 1
        self.events.append({"id": number, "type": kind, "timestamp": at, **details})
        return self

    def entered(self, name: str, kind: str = "Task", **given: Any) -> History:
        details = {"name": name, "input": json.dumps(given)}
        return self.add(f"{kind}StateEntered", stateEnteredEventDetails=details)

    def exited(self, name: str, kind: str = "Task") -> History:
        return self.add(f"{kind}StateExited", stateExitedEventDetails={"name": name})


def test_states_are_told_with_the_seconds_they_took() -> None:
    history = History().add("ExecutionStarted").entered("AcquireLease").exited("AcquireLease")

    lines = HistoryTeller().tell(history.events)

    assert [line.partition("  ")[2] for line in lines] == ["AcquireLease: 1.5 s"]


def test_the_training_is_announced_before_its_log() -> None:
    lines = HistoryTeller().tell(History().entered("TrainModel").events)

    assert [line.partition("  ")[2] for line in lines] == ["TrainModel …"]


def test_choices_take_no_line_of_their_own() -> None:
    history = History().entered("GoodEnough?", "Choice").exited("GoodEnough?", "Choice")

    assert HistoryTeller().tell(history.events) == []


def test_what_was_told_is_not_told_again() -> None:
    history = History().entered("AcquireLease")
    teller = HistoryTeller()
    teller.tell(history.events)

    history.exited("AcquireLease")

    assert len(teller.tell(history.events)) == 1
    assert teller.tell(history.events) == []


def test_a_failed_try_is_told_with_its_error_and_the_sentence_inside_its_cause() -> None:
    cause = json.dumps({"errorMessage": "no photos", "errorType": "EmptyLakeError"})
    history = History().entered("SnapshotDataset")
    history.add("TaskFailed", taskFailedEventDetails={"error": "EmptyLakeError", "cause": cause})

    lines = HistoryTeller().tell(history.events)

    assert lines[0].endswith("SnapshotDataset: EmptyLakeError: no photos")


def test_a_timeout_without_details_is_told_too() -> None:
    history = History().entered("TrainModel").add("TaskTimedOut")

    assert "TrainModel: TaskTimedOut" in HistoryTeller().tell(history.events)[1]


def test_the_training_job_is_known_while_it_runs_and_only_then() -> None:
    teller = HistoryTeller()
    history = History().entered("TrainModel", lease={"training_job_name": "job-1"})

    teller.tell(history.events)
    assert teller.training_job == "job-1"

    teller.tell(history.exited("TrainModel").events)
    assert teller.training_job is None


@pytest.mark.parametrize(
    ("execution", "last_state", "ending", "words"),
    [
        (
            {"status": "SUCCEEDED", "output": '{"registration": {"version": "4"}}'},
            "Succeeded",
            Ending.SUCCEEDED,
            "version 4",
        ),
        (
            {"status": "SUCCEEDED", "output": '{"result": {"version": "2"}}'},
            "Succeeded",
            Ending.SUCCEEDED,
            "version 2",
        ),
        ({"status": "SUCCEEDED", "output": "{}"}, "Succeeded", Ending.SUCCEEDED, "all steps"),
        (
            {"status": "SUCCEEDED", "output": '{"evaluation":{"gate":{"reason":"worse recall."}}}'},
            "Rejected",
            Ending.REJECTED,
            "worse recall.",
        ),
        ({"status": "SUCCEEDED"}, "Rejected", Ending.REJECTED, "not better"),
        (
            {"status": "SUCCEEDED", "output": '{"lease": {"holder": "arn:other"}}'},
            "AlreadyRunning",
            Ending.ALREADY_RUNNING,
            "execution other is training",
        ),
        (
            {"status": "FAILED", "error": "EmptyLakeError", "cause": "no photos"},
            "Failed",
            Ending.FAILED,
            "EmptyLakeError: no photos",
        ),
        ({"status": "TIMED_OUT"}, "TrainModel", Ending.FAILED, "TIMED_OUT"),
        ({"status": "ABORTED"}, "TrainModel", Ending.FAILED, "ABORTED"),
    ],
)
def test_an_outcome_names_its_reason(
    execution: dict[str, str], last_state: str, ending: Ending, words: str
) -> None:
    told = outcome(execution, last_state)

    assert told.ending is ending
    assert words in told.sentence
    assert told.ending.is_normal is (ending is not Ending.FAILED)


RESULT = {
    "outcome": "rolled_back",
    "changed": True,
    "version": "2",
    "previous_version": "2",
    "moved_version": "3",
    "reasons": ["12 of 30 requests failed.", "it is slow"],
}


@pytest.mark.parametrize("nested", [False, True])
def test_a_rollback_says_what_serves_what_does_not_and_why(nested: bool) -> None:
    output: dict[str, Any] = {"result": RESULT}
    if nested:  # train: the candidate was registered, and deployed by an execution of its own
        output = {"registration": {"version": "3"}, "deployment": {"output": output}}

    told = outcome({"status": "SUCCEEDED", "output": json.dumps(output)}, "RolledBack")

    assert told.ending is Ending.ROLLED_BACK
    assert told.ending.is_normal
    assert told.sentence == (
        "Model version 2 is serving, not 3: 12 of 30 requests failed; it is slow."
    )


def test_a_rollback_that_left_no_version_does_not_name_one() -> None:
    output = {"result": {**RESULT, "moved_version": None, "reasons": ["asked for"]}}

    told = outcome({"status": "SUCCEEDED", "output": json.dumps(output)}, "RolledBack")

    assert told.sentence == "Model version 2 is serving: asked for."


def test_a_candidate_that_was_not_deployed_is_named_with_what_to_do() -> None:
    output = {
        "registration": {"version": "3"},
        "deployment": {"output": {"result": {"outcome": "not_deployed"}}},
    }

    told = outcome({"status": "SUCCEEDED", "output": json.dumps(output)}, "NotDeployed")

    assert told.ending is Ending.NOT_DEPLOYED
    assert told.ending.is_normal
    assert "version 3 is registered" in told.sentence
    assert "deploy it by hand" in told.sentence


def test_what_serves_is_what_deploy_says_not_what_was_registered() -> None:
    output = {
        "registration": {"version": "3"},
        "deployment": {"output": {"result": {**RESULT, "outcome": "unchanged", "version": "4"}}},
    }

    told = outcome({"status": "SUCCEEDED", "output": json.dumps(output)}, "Succeeded")

    assert told.sentence == "model version 4 is serving."


@pytest.mark.parametrize("output", ["", "null", "[]", "{}", '{"result": 3}', '{"deployment": []}'])
@pytest.mark.parametrize("end", ["RolledBack", "NotDeployed", "Succeeded"])
def test_an_output_of_another_shape_is_told_without_a_crash(output: str, end: str) -> None:
    assert outcome({"status": "SUCCEEDED", "output": output}, end).ending.value == end


@pytest.mark.parametrize(
    ("cause", "expected"),
    [
        (None, "no cause given"),
        ("plain\n  words", "plain words"),
        ('{"FailureReason": "AlgorithmError: out of memory"}', "AlgorithmError: out of memory"),
        ('{"Cause": "{\\"errorMessage\\": \\"inner\\"}"}', "inner"),
        ('{"unknown": 1}', '{"unknown": 1}'),
        ("[1]", "[1]"),
    ],
)
def test_a_cause_is_reduced_to_its_sentence(cause: str | None, expected: str) -> None:
    assert readable(cause) == expected


def test_an_endless_cause_is_cut() -> None:
    assert len(readable("x" * 10_000)) <= 400


class FakeStepFunctions:
    """Shows one more event at each look, and is done when all were shown."""

    def __init__(self, history: History, end: dict[str, Any]) -> None:
        self._events, self._end, self._shown = history.events, end, 0
        self.started: list[dict[str, Any]] = []

    def start_execution(self, **request: Any) -> dict[str, Any]:
        self.started.append(request)
        return {"executionArn": ARN}

    def describe_execution(self, **_: Any) -> dict[str, Any]:
        self._shown += 1
        return self._end if self._shown >= len(self._events) else {"status": "RUNNING"}

    def get_paginator(self, _: str) -> FakeStepFunctions:
        return self

    def paginate(self, **_: Any) -> list[dict[str, Any]]:
        shown = self._events[: self._shown]
        return [{"events": shown[:1]}, {"events": shown[1:]}]


class FakeLogs:
    """CloudWatch Logs with one stream, read two events a page."""

    class exceptions:  # noqa: N801 - boto3's own name
        class ResourceNotFoundException(Exception):  # noqa: N818
            """As boto3's."""

    def __init__(self, lines: list[str] | None) -> None:
        self.lines = lines

    def describe_log_streams(self, **asked: Any) -> dict[str, Any]:
        if self.lines is None:
            raise self.exceptions.ResourceNotFoundException
        return {"logStreams": [{"logStreamName": asked["logStreamNamePrefix"] + "algo-1"}]}

    def get_log_events(self, **asked: Any) -> dict[str, Any]:
        assert self.lines is not None
        start = int(asked.get("nextToken", "0"))
        page = self.lines[start : start + 2]
        return {
            "events": [{"message": f"{line}\n"} for line in page],
            "nextForwardToken": str(start + len(page)),
        }


def training_history() -> History:
    history = History().entered("TrainModel", lease={"training_job_name": "job-1"})
    return history.exited("TrainModel").entered("Succeeded", "Succeed").exited("Succeeded")


def test_the_training_log_appears_before_the_end_of_its_state() -> None:
    said: list[str] = []
    end = {"status": "SUCCEEDED", "output": '{"registration": {"version": "1"}}'}
    log = TrainingLog(FakeLogs(["one", "two", "three"]))

    told = follow(FakeStepFunctions(training_history(), end), log, ARN, said.append, lambda: None)

    assert told.sentence == "model version 1 is serving."
    assert said[1:4] == ["    | one", "    | two", "    | three"]
    assert "TrainModel: " in said[4]


def test_a_log_that_grows_is_read_on_and_a_missing_one_is_no_error() -> None:
    logs = FakeLogs(None)
    log = TrainingLog(logs)
    assert log.new_lines("job-1") == []

    logs.lines = ["one", "two", "three"]
    assert log.new_lines("job-1") == ["one", "two", "three"]
    assert log.new_lines("job-1") == []

    logs.lines.append("four")
    assert log.new_lines("job-1") == ["four"]


def test_a_flood_of_log_lines_is_shortened_to_its_tail() -> None:
    said: list[str] = []
    log = TrainingLog(FakeLogs([str(n) for n in range(50)]))

    follow(
        FakeStepFunctions(training_history(), {"status": "FAILED"}),
        log,
        ARN,
        said.append,
        lambda: None,
    )

    assert said[1] == "    | … 30 lines"
    assert "    | 49" in said
    assert "    | 29" not in said


@pytest.fixture
def state_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    machines = {"train": "arn:train", "deploy": "arn:deploy"}
    (tmp_path / "endpoints.json").write_text(json.dumps({"state_machines": machines}))
    monkeypatch.setenv("LOCAL_STATE_DIR", str(tmp_path))
    return tmp_path


def connect(monkeypatch: pytest.MonkeyPatch, stepfunctions: Any) -> None:
    clients = {"stepfunctions": stepfunctions, "logs": FakeLogs([])}
    monkeypatch.setattr(Endpoints, "client", lambda _, service: clients[service])
    monkeypatch.setattr(following, "POLL_SECONDS", 0)


@pytest.mark.parametrize(
    ("final_state", "code"),
    [
        ("Succeeded", 0),
        ("Rejected", 0),
        ("RolledBack", 0),
        ("NotDeployed", 0),
        ("AlreadyRunning", 0),
        ("Failed", 1),
    ],
)
def test_the_exit_code_says_whether_the_workflow_did_its_work(
    state_dir: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    final_state: str,
    code: int,
) -> None:
    status = "FAILED" if code else "SUCCEEDED"
    history = History().add("ExecutionStarted").entered(final_state, "Succeed")
    connect(monkeypatch, FakeStepFunctions(history, {"status": status}))

    assert main([]) == code
    assert f"\n{final_state}: " in capsys.readouterr().out


def test_the_reason_and_the_input_reach_the_execution(
    state_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stepfunctions = FakeStepFunctions(History().add("ExecutionStarted"), {"status": "SUCCEEDED"})
    connect(monkeypatch, stepfunctions)

    main(["--machine", "deploy", "--input", '{"version": "2"}', "--reason", "back again"])

    assert stepfunctions.started[0]["stateMachineArn"] == "arn:deploy"
    assert json.loads(stepfunctions.started[0]["input"]) == {
        "version": "2",
        "reason": "back again",
    }


def test_interrupting_leaves_the_execution_running_and_says_how_to_find_it(
    state_dir: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Interrupted(FakeStepFunctions):
        def describe_execution(self, **_: Any) -> dict[str, Any]:
            raise KeyboardInterrupt

    connect(monkeypatch, Interrupted(History(), {}))

    assert main([]) == 130
    assert f"describe-execution --execution-arn {ARN}" in capsys.readouterr().err


def test_a_machine_that_is_not_known_is_refused_with_the_remedy(
    state_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--machine", "monitor"]) == 2
    assert "make up" in capsys.readouterr().err


def test_a_damaged_endpoints_file_is_refused_with_the_remedy(
    state_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (state_dir / "endpoints.json").write_text("{")

    assert main([]) == 2
    assert "make up" in capsys.readouterr().err


@pytest.mark.parametrize("given", ["{", "[]", "3"])
def test_an_input_that_is_no_object_is_refused(state_dir: Path, given: str) -> None:
    with pytest.raises(SystemExit) as refused:
        main(["--input", given])

    assert refused.value.code == 2
