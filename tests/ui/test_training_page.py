"""The Training page: what it shows of executions, and what starts and stops them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from html import unescape
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Block, Button

from tests.ui.fake_api import FakeApi
from tests.ui.fake_workflows import (
    JOB,
    MACHINES,
    START,
    FakeExecution,
    FakeWorkflows,
    Told,
    arn_of,
    leased,
    train_output,
)
from ui import permission
from ui.configuration import Configuration
from ui.executions import Executions
from ui.training_jobs import TrainingJobs
from ui.views import training

CONFIGURATION = Configuration("https://api/", "key", None)


@pytest.fixture
def workflows(
    api: FakeApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[FakeWorkflows]:
    """What the page finds, on a local cloud and asked by ann."""
    api.write_endpoints(tmp_path, state_machines=MACHINES, aws_endpoint_url="https://localhost:1")
    fake = FakeWorkflows()
    executions, jobs = Executions(CONFIGURATION, fake), TrainingJobs(CONFIGURATION, fake, fake)
    for name, found in (("_executions", executions), ("_jobs", jobs)):
        finder = lambda _configuration, found=found: found  # noqa: E731
        finder.clear = lambda: None  # type: ignore[attr-defined]
        monkeypatch.setattr(training, name, finder)
    monkeypatch.setattr("getpass.getuser", lambda: "ann")
    st.cache_resource.clear()
    yield fake
    st.cache_resource.clear()


def training_page() -> None:
    """What AppTest runs."""
    from ui.views import training  # noqa: PLC0415 - AppTest takes the function's body alone

    training.page()


def page() -> AppTest:
    return checked(AppTest.from_function(training_page, default_timeout=20).run())


def checked(drawn: AppTest) -> AppTest:
    assert not drawn.exception
    return drawn


def told(drawn: AppTest) -> str:
    parts = (*drawn.markdown, *drawn.caption, *drawn.info, *drawn.warning, *drawn.error,
             *drawn.success)  # fmt: skip
    return "\n".join(str(each.value).replace("\\", "") for each in parts)


def texts(drawn: AppTest) -> list[str]:
    """What is shown as it stands, such as lines of a log."""
    found = (
        re.fullmatch("<pre[^>]*>(.*)</pre>", each.proto.body, re.S) for each in drawn.get("html")
    )
    return [unescape(each[1]) for each in found if each]


def bars(drawn: AppTest) -> str:
    """What stands over the progress bars."""
    return "\n".join(str(each.proto.text).replace("\\", "") for each in drawn.get("progress"))


def disabled(drawn: AppTest) -> dict[str, bool]:
    """Of what opens a form, by its label."""
    found: dict[str, bool] = {}
    todo = [drawn.main]
    while todo:
        block = todo.pop()
        todo += [each for each in block.children.values() if isinstance(each, Block)]
        if block.type == "popover":
            found[block.proto.popover.label] = block.proto.popover.disabled
    return found


def button(drawn: AppTest, label: str) -> Button:
    return next(each for each in drawn.button if each.label == label)


def test_before_the_first_training_the_page_says_so_and_offers_one(
    workflows: FakeWorkflows,
) -> None:
    del workflows

    drawn = page()

    assert "None has run yet" in told(drawn)
    assert "Nothing runs now" in told(drawn)
    assert disabled(drawn) == {"Start a training": False, "Stop it": True}


def test_what_runs_is_shown_with_its_steps_and_the_newest_lines_of_its_job(
    workflows: FakeWorkflows,
) -> None:
    history = leased().entered("TrainModel")
    workflows.executions.append(FakeExecution("one", "RUNNING", history=history))
    workflows.job = {
        "TrainingJobArn": f"arn:aws:sagemaker:eu-west-1:1:training-job/{JOB}",
        "TrainingJobStatus": "InProgress",
        "SecondaryStatusTransitions": [{"Status": "Training", "StartTime": START}],
    }
    workflows.log = [f"features {n}/100" for n in range(100)]

    drawn = page()

    assert "TrainModel** running" in told(drawn)
    assert "InProgress" in told(drawn)
    assert "99%" in bars(drawn)
    assert "TrainModel: step" in bars(drawn)
    newest, every, *_ = texts(drawn)
    assert newest.splitlines() == workflows.log[-10:]
    assert every.splitlines() == workflows.log
    assert disabled(drawn) == {"Start a training": True, "Stop it": False}


def test_what_a_running_training_has_found_so_far_is_shown(workflows: FakeWorkflows) -> None:
    rule = {"name": "recall", "passed": True, "value": 0.97, "limit": 0.9, "detail": "0.97 of 0.9"}
    found = {**train_output(), "evaluation": {"gate": {"passed": True, "reason": "good",
                                                       "rules": [rule]}}}  # fmt: skip
    history = leased().passed("EvaluateCandidate", **found).entered("DeployModel")
    asked = {"AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID": arn_of("one")}
    workflows.executions += [
        FakeExecution("one", "RUNNING", history=history),
        FakeExecution("child", "RUNNING", asked, machine="deploy", history=Told()),
    ]

    drawn = page()

    assert "data set 0123abcd" in told(drawn)
    assert "recall** passed: 0.97 of 0.9" in told(drawn)
    checked(button(drawn, "Open what it started").click().run())
    assert drawn.query_params["machine"] == "deploy"
    assert drawn.query_params["execution"] == "child"


def test_the_last_training_is_shown_with_its_verdict_when_nothing_runs(
    workflows: FakeWorkflows,
) -> None:
    workflows.executions.append(FakeExecution("one", output=train_output(), history=leased()))

    drawn = page()

    assert "Model version 4 is serving." in told(drawn)
    assert "Passed: all 9 rules passed" in told(drawn)
    assert json.loads(texts(drawn)[-2]) == {"reason": "more photos"}


def test_a_start_that_was_turned_away_does_not_hide_the_last_training(
    workflows: FakeWorkflows,
) -> None:
    away = {"lease": {"acquired": False, "outcome": "already_running", "holder": arn_of("one")}}
    workflows.executions += [
        FakeExecution("one", output=train_output(), history=leased()),
        FakeExecution("two", output=away, history=leased(), started=START + timedelta(minutes=1)),
    ]

    drawn = page()

    assert "Model version 4 is serving." in told(drawn)
    assert "Another training was running" in told(drawn)


def test_a_training_is_started_once_with_the_reason_and_who_asked(
    workflows: FakeWorkflows,
) -> None:
    drawn = page()
    drawn.text_input(key="training_reason").set_value("new cameras")

    checked(button(drawn, "Start it").click().run())

    (started,) = workflows.executions
    assert started.input == {"reason": "new cameras (ann)"}
    assert "Running" in told(drawn)
    assert drawn.query_params["execution"] == started.name


def test_a_running_training_can_be_stopped(workflows: FakeWorkflows) -> None:
    running = FakeExecution("one", "RUNNING", history=leased().entered("TrainModel"))
    workflows.executions.append(running)
    drawn = page()

    checked(button(drawn, "Yes, stop it").click().run())

    assert (running.status, running.cause) == ("ABORTED", f"{training.DEFAULT_REASON} (ann)")
    assert "Stopped by hand" in told(drawn)
    assert "TrainModel** stopped" in told(drawn)


def test_against_aws_nobody_starts_anything_until_acting_is_switched_on(
    workflows: FakeWorkflows, api: FakeApi, tmp_path: Path
) -> None:
    api.write_endpoints(tmp_path, state_machines=MACHINES, aws_endpoint_url=None)

    drawn = page()
    checked(button(drawn, "Start it").click().run())  # a page that was changed on its way

    assert permission.OFF_ON_AWS in told(drawn)
    assert disabled(drawn) == {"Start a training": True, "Stop it": True}
    assert workflows.executions == []


def test_an_earlier_execution_can_be_opened_and_its_address_kept(
    workflows: FakeWorkflows,
) -> None:
    workflows.executions += [
        FakeExecution("old", "FAILED", cause="The disk is full."),
        FakeExecution("new", output=train_output(), started=START + timedelta(hours=1)),
    ]
    drawn = page()
    assert "The disk is full." not in told(drawn)

    checked(drawn.button(key=f"open-{arn_of('old')}").click().run())

    assert "AnError: The disk is full." in told(drawn)
    assert drawn.query_params["execution"] == "old"


def test_an_address_of_an_execution_that_is_gone_says_so(workflows: FakeWorkflows) -> None:
    workflows.executions.append(FakeExecution("one", output=train_output()))
    drawn = AppTest.from_function(training_page, default_timeout=20)
    drawn.query_params["execution"] = "gone"

    assert "is not there" in told(checked(drawn.run()))


def test_older_executions_come_when_asked_for(workflows: FakeWorkflows) -> None:
    workflows.executions += [
        FakeExecution(f"n{n:02}", output=train_output(), started=START + timedelta(hours=n))
        for n in range(training.PAGE + 2)
    ]
    drawn = page()
    assert len([each for each in drawn.button if each.label == "Open"]) == training.PAGE

    checked(button(drawn, "Older ones").click().run())

    assert len([each for each in drawn.button if each.label == "Open"]) == training.PAGE + 2


def test_the_other_workflows_are_shown_but_not_started(workflows: FakeWorkflows) -> None:
    workflows.executions.append(FakeExecution("one", machine="deploy", output={"result": {}}))
    drawn = AppTest.from_function(training_page, default_timeout=20)
    drawn.query_params["machine"] = "deploy"

    checked(drawn.run())

    assert "Only shown here" in told(drawn)
    assert not [each for each in drawn.button if each.label == "Start it"]


def test_what_is_wrong_with_aws_is_said_in_words(workflows: FakeWorkflows) -> None:
    workflows.broken = True

    assert "not allowed" in page().error[0].value
