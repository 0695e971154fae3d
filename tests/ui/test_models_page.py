"""The logic of the Models page, run by Streamlit's own test runner against fakes of API and AWS."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from areyouacat.lake import utc_text
from tests.ui.fake_api import MOMENT, FakeApi, error, serving
from tests.ui.fake_step_functions import (
    MACHINE,
    Execution,
    FakeStepFunctions,
    check,
    result,
    role,
    state,
)
from ui import permission


@pytest.fixture
def aws(
    api: FakeApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[FakeStepFunctions]:
    """The local cloud's Step Functions, which the page finds and may use."""
    fake = FakeStepFunctions()
    configure(api, fake, tmp_path)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "an-id")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a-secret")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    monkeypatch.setattr("getpass.getuser", lambda: "ann")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    st.cache_resource.clear()
    yield fake
    fake.close()


def configure(api: FakeApi, aws: FakeStepFunctions, folder: Path, **changes: Any) -> None:
    known = {
        "aws_endpoint_url": aws.url,
        "region": "us-east-1",
        "state_machines": {"deploy": MACHINE},
        **changes,
    }
    api.write_endpoints(folder, **known)


def models_page() -> None:
    """What AppTest runs: pages of `st.navigation` have no file of their own."""
    from ui.views import models  # noqa: PLC0415 - AppTest takes the function's body alone

    models.page()


def run_page() -> AppTest:
    page = AppTest.from_function(models_page, default_timeout=20).run()
    assert not page.exception
    return page


def again(page: AppTest) -> AppTest:
    page.run()
    assert not page.exception
    return page


def button(page: AppTest, words: str) -> None:
    next(each for each in page.button if words in each.label).click().run()
    assert not page.exception


def plain(html: Any) -> str:
    """What a person reads of an element of HTML."""
    return unescape(re.sub("<[^>]*>", "", html.proto.body))


def words_of(page: AppTest) -> str:
    shown = [
        page.subheader,
        page.success,
        page.warning,
        page.error,
        page.info,
        page.caption,
        page.markdown,
    ]
    told = "\n".join(
        [*(element.value for kind in shown for element in kind), *map(plain, page.get("html"))]
    )
    return told.replace("\\", "")


def confirmation(page: AppTest) -> list[str]:
    return [each.label for each in page.button if each.label.startswith("Yes")]


def assert_off(page: AppTest, words: str) -> None:
    """There is a button of these words, which cannot be pressed, and no way around it."""
    assert [each.disabled for each in page.button if each.label == words] == [True]
    assert not confirmation(page)


def trying(
    api: FakeApi, aws: FakeStepFunctions, strategy: str = "canary", **changes: Any
) -> Execution:
    """Version 4 stands beside version 3 since a minute; the execution that put it there."""
    began_at = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=1)
    weight = 0.1 if strategy == "canary" else 0.5
    api.answers["/model"] = (
        200,
        serving(
            updated_at=utc_text(began_at),
            variants=[
                {"version": "3", "role": "champion", "weight": 1 - weight},
                {"version": "4", "role": "challenger", "weight": weight},
            ],
            deployment={"strategy": strategy, "began_at": utc_text(began_at)},
        ),
    )
    known = state(strategy, began_at, **changes)
    tried = Execution("try-4", {"version": "4"}, started=began_at, states=[known])
    aws.executions.append(tried)
    return tried


def went_back(api: FakeApi, version: str) -> None:
    alone = [{"version": version, "role": "champion", "weight": 1.0}]
    later = "2026-11-23T10:01:00.000000Z"
    gone = serving(variants=alone, previous_version=None, updated_at=later)
    api.answers["/model"] = (200, gone)


def test_a_version_that_serves_alone_is_told_with_nothing_being_tried(
    api: FakeApi, aws: FakeStepFunctions
) -> None:
    told = words_of(run_page())

    assert "Version 3 (champion) answers everybody" in told
    assert "Nothing is being tried" in told
    assert "None yet." in told
    assert "How version" not in told


def test_a_canary_is_told_with_its_share_its_time_and_what_happens_next(
    api: FakeApi, aws: FakeStepFunctions
) -> None:
    trying(api, aws)

    told = words_of(run_page())

    assert "Version 3 (champion) answers 90 % of the callers" in told
    assert "Version 4 (challenger) answers 10 % of the callers" in told
    assert "Canary since" in told
    assert "takes all the traffic when the time is up" in told
    assert "28 min" in told or "29 min" in told
    assert "first look at it is yet to come" in told


def test_results_stand_side_by_side(api: FakeApi, aws: FakeStepFunctions) -> None:
    trying(api, aws, check=check())

    told = words_of(run_page())

    assert "| Requests in the last hour | 1,234 | 12 |" in told
    assert "| Failures in the last hour | 0 | 1 |" in told
    assert "| 95 of 100 answered within | 21 ms | 21 ms |" in told
    assert "| Right, people say | 9 of 10 (90 %) | – |" in told  # noqa: RUF001
    assert "| Golden photos right | 50 of 50 (100 %) | 50 of 50 (100 %) |" in told
    assert "12 requests, 0 failed; 50 of 50 golden photos right" in told
    assert "Odds" not in told


def test_an_ab_test_tells_its_odds_and_how_many_are_asked(
    api: FakeApi, aws: FakeStepFunctions
) -> None:
    trying(api, aws, "ab_test", check=check(test={"pairs": 9, "better": 3.04, "worse": 0.1}))

    told = words_of(run_page())

    assert "A/B test since" in told
    assert "Odds 3 to 1 that version 4 is better; 20 are asked." in told
    assert "once the odds that it is better reach 20 to 1" in told


@pytest.mark.parametrize(
    ("verdict", "expected"),
    [("promote", "it takes all the traffic now"), ("roll_back", "is taken out of the traffic now")],
)
def test_a_verdict_is_what_happens_next(
    api: FakeApi, aws: FakeStepFunctions, verdict: str, expected: str
) -> None:
    trying(api, aws, check=check(verdict=verdict))

    assert expected in words_of(run_page())


def test_the_page_follows_by_itself_what_goes_on(api: FakeApi, aws: FakeStepFunctions) -> None:
    tried = trying(api, aws)
    page = run_page()

    tried.states.append({**tried.states[0], "check": check(challenger=role("4", requests=77))})
    again(page)

    assert "77" in words_of(page)
    assert page.session_state["models_pace"] == 3


def test_nothing_going_on_is_looked_at_less_often(api: FakeApi, aws: FakeStepFunctions) -> None:
    tried = trying(api, aws)
    page = run_page()

    tried.status, tried.output = "SUCCEEDED", result("promoted", version="4")
    went_back(api, "4")
    again(page)

    assert page.session_state["models_pace"] == 20


def test_the_history_tells_how_each_ended_why_when_and_how_long_it_took(
    api: FakeApi, aws: FakeStepFunctions
) -> None:
    cause = json.dumps({"errorMessage": "Version 9 is not there.", "stackTrace": ["File x.py"]})
    aws.executions += [
        Execution("a", {"version": "4"}, "SUCCEEDED", {**state(), **result("promoted")}),
        Execution("b", {"version": 5}, "SUCCEEDED", result("rolled_back", moved_version="5")),
        Execution("c", {"version": "9"}, "FAILED", error="ModelNotFoundError", cause=cause),
        Execution("d", {"version": "6"}, "ABORTED"),
    ]

    told = words_of(run_page())

    assert "**Version 4 took all the traffic**  \nNo harm was seen" in told
    assert "**Version 5 was taken out; version 3 serves**" in told
    assert "**Deploying version 9 failed**  \nVersion 9 is not there." in told
    assert "stackTrace" not in told
    assert "x.py" not in told
    assert "**Deploying version 6 was stopped by hand**" in told
    assert "23 Nov 2026, 10:00 · took 2 min 5 s · canary" in told


def test_only_the_last_ten_are_shown_the_newest_first(api: FakeApi, aws: FakeStepFunctions) -> None:
    aws.executions += [Execution(f"n{n}", {"version": str(n)}, "ABORTED") for n in range(100, 112)]

    told = words_of(run_page())

    assert told.count("was stopped by hand") == 10
    assert told.index("version 111") < told.index("version 102")
    assert "version 101" not in told


def test_what_people_wrote_is_shown_as_they_wrote_it(api: FakeApi, aws: FakeStepFunctions) -> None:
    reason = "![x](http://evil) <b> :red[no]"
    aws.executions.append(Execution("a", {"version": "4", "reason": reason}, "ABORTED"))

    page = run_page()

    caption = next(each.value for each in page.caption if "evil" in each.value)
    assert r"\!\[x\]\(http\://evil\) \<b\> \:red\[no\]" in caption


def test_a_challenger_is_taken_out_after_a_confirmation(
    api: FakeApi, aws: FakeStepFunctions
) -> None:
    trying(api, aws)
    page = run_page()
    assert confirmation(page) == ["Yes, take version 4 out of the traffic"]
    assert "Version 3 then answers everybody" in words_of(page)

    page.text_input[0].set_value("it calls dogs cats").run()
    button(page, "Yes")

    assert aws.executions[-1].input == {
        "strategy": "roll_back",
        "from_version": "4",
        "reason": "it calls dogs cats (ann)",
        "source": "ui",
    }
    assert page.status[0].label == "Version 4 is being taken out of the traffic …"
    assert not confirmation(page)

    went_back(api, "3")
    again(page)
    assert "Version 4 is out. Version 3 serves." in words_of(page)
    assert not page.status


def test_a_champion_gives_way_to_the_one_before(api: FakeApi, aws: FakeStepFunctions) -> None:
    page = run_page()
    assert confirmation(page) == ["Yes, go back to version 2"]

    button(page, "Yes")
    went_back(api, "2")
    again(page)

    assert aws.executions[-1].input["from_version"] == "3"
    assert "Version 3 is out. Version 2 serves." in words_of(page)


def test_two_visitors_who_roll_back_at_once_do_it_once(
    api: FakeApi, aws: FakeStepFunctions
) -> None:
    one, other = run_page(), run_page()

    button(one, "Yes")
    button(other, "Yes")

    assert len(aws.executions) == 1
    assert one.status
    assert other.status


def test_a_rollback_that_was_left_is_found_again(api: FakeApi, aws: FakeStepFunctions) -> None:
    button(run_page(), "Yes")

    page = run_page()

    assert page.status[0].label == "Version 3 is being taken out of the traffic …"
    assert not confirmation(page)


def test_a_rollback_that_fails_says_why_and_can_be_tried_again(
    api: FakeApi, aws: FakeStepFunctions
) -> None:
    page = run_page()
    button(page, "Yes")

    aws.executions[-1].status = "FAILED"
    aws.executions[-1].cause = json.dumps({"errorMessage": "The files are not whole."})
    again(page)
    assert "Going back from version 3 failed: The files are not whole." in words_of(page)

    button(page, "Yes")
    assert len(aws.executions) == 2
    assert page.status
    assert not page.error


def test_a_rollback_that_cannot_be_started_says_why(api: FakeApi, aws: FakeStepFunctions) -> None:
    page = run_page()
    aws.refusals["StartExecution"] = "AccessDeniedException"

    button(page, "Yes")

    assert "not allowed to do that" in words_of(page)
    assert confirmation(page)


def test_without_a_version_before_the_button_is_off_and_says_why(
    api: FakeApi, aws: FakeStepFunctions
) -> None:
    api.answers["/model"] = (200, serving(previous_version=None))

    page = run_page()

    assert_off(page, "Go back")
    assert "no version before version 3" in words_of(page)


def test_on_aws_the_page_only_shows_until_acting_is_switched_on(
    api: FakeApi, aws: FakeStepFunctions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(api, aws, tmp_path, aws_endpoint_url=None)
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws.url)
    aws.executions.append(Execution("a", {"version": "4"}, "ABORTED"))

    page = run_page()

    assert_off(page, "Go back to version 2")
    assert permission.OFF_ON_AWS in words_of(page)
    assert "was stopped by hand" in words_of(page)


def test_without_credentials_the_traffic_is_still_told(
    api: FakeApi, aws: FakeStepFunctions, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    trying(api, aws)

    page = run_page()

    assert "answers 90 %" in words_of(page)
    assert "has no AWS credentials" in words_of(page)
    assert_off(page, "Take version 4 out of the traffic")


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("ExpiredTokenException", "wrong or have expired"),
        ("AccessDeniedException", "not allowed"),
        ("StateMachineDoesNotExist", "make up"),
        ("InternalServerError", "AWS refused: InternalServerError"),
    ],
)
def test_refusals_of_aws_are_told_in_plain_words(
    api: FakeApi, aws: FakeStepFunctions, code: str, expected: str
) -> None:
    aws.refusals["*"] = code

    page = run_page()

    assert expected in words_of(page)
    assert "Words for programmers" not in words_of(page)


def test_aws_that_is_away_is_told_and_found_again(api: FakeApi, aws: FakeStepFunctions) -> None:
    aws.refusals["*"] = "ThrottlingException"
    page = run_page()
    assert "asked too often" in words_of(page)

    aws.refusals.clear()
    again(page)

    assert confirmation(page)
    assert "asked too often" not in words_of(page)


def test_nothing_listening_for_aws_is_told_in_plain_words(
    api: FakeApi, aws: FakeStepFunctions
) -> None:
    aws.close()

    assert "AWS cannot be reached" in words_of(run_page())


def test_an_endpoints_file_without_the_workflow_is_told(
    api: FakeApi, aws: FakeStepFunctions, tmp_path: Path
) -> None:
    configure(api, aws, tmp_path, state_machines={})

    assert "The workflow is not there" in words_of(run_page())


def test_a_workflow_that_says_nonsense_is_told(api: FakeApi, aws: FakeStepFunctions) -> None:
    trying(api, aws, check={"verdict": "wait"})

    assert "makes no sense" in words_of(run_page())


def test_inputs_of_any_kind_do_not_stop_the_page(api: FakeApi, aws: FakeStepFunctions) -> None:
    aws.executions += [
        Execution("a", [], "FAILED", error="States.Runtime"),
        Execution("b", '"text"', "SUCCEEDED"),
        Execution("c", {"version": {"a": 1}, "reason": 7}, "TIMED_OUT"),
    ]

    told = words_of(run_page())

    assert "**Deploying a version failed**  \nStates.Runtime" in told
    assert "**Deploying a version ended**" in told
    assert "took too long" in told


def test_without_a_model_the_page_says_how_to_get_one(api: FakeApi, aws: FakeStepFunctions) -> None:
    api.answers["/model"] = (503, error("no_model_yet"))

    told = words_of(run_page())

    assert "no model yet" in told
    assert "None yet." in told


def test_an_api_that_is_down_is_told_and_found_again(api: FakeApi, aws: FakeStepFunctions) -> None:
    api.answers["/model"] = (500, b"")
    page = run_page()
    assert "Something went wrong" in words_of(page)

    del api.answers["/model"]
    button(page, "Try again")

    assert "answers everybody" in words_of(page)


@pytest.mark.parametrize("answer", [{}, serving(variants=[]), serving(updated_at=MOMENT[:-1])])
def test_an_answer_of_the_wrong_shape_is_told_in_plain_words(
    api: FakeApi, aws: FakeStepFunctions, answer: object
) -> None:
    api.answers["/model"] = (200, answer)

    assert "makes no sense" in words_of(run_page())


def test_a_system_that_was_never_started_is_told_in_plain_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOCAL_STATE_DIR", str(tmp_path / "nowhere"))

    assert "make up" in words_of(run_page())
