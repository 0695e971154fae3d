"""Training: start it, watch each step, stop it, and look back at how others went."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

import streamlit as st

from ui import deployment_words as say
from ui import execution_words as words
from ui.aws import AwsError
from ui.configuration import Configuration, NotConfiguredError
from ui.executions import Execution, Executions
from ui.training_jobs import TrainingJobs
from ui.views import execution, sign_in
from ui.views.history import moment

BUSY_SECONDS, CALM_SECONDS = 3, 20
"""How often the page looks anew, while something runs and otherwise."""
PAGE: Final = 10
DEFAULT_REASON: Final = "asked for on the Training page"
NO_WORKFLOW: Final = "The workflows are not there. Run `make up` again, then reload this page."
TRAIN: Final = "train"
_START_OPEN, _STOP_OPEN = "training_start_open", "training_stop_open"
"""Whether these are open; set, so that what starts a training closes and nothing else opens."""
_PROBLEM, _DONE, _PACE = "training_problem", "training_done", "training_pace"


def page() -> None:
    """Draw the page; what changes by itself is drawn again every few seconds."""
    st.title("Training", anchor=False)
    st.markdown(
        "A training freezes photos and labels, learns from them, and deploys what is better than "
        "the model that serves. Alarms and the schedule start it; so can you."
    )
    try:
        configuration = Configuration.load()
    except NotConfiguredError as error:
        st.info(str(error), icon=":material/power_settings_new:")
        return
    machines = _machines(configuration)
    if not machines:
        st.info(NO_WORKFLOW, icon=":material/power_settings_new:")
        return
    asked = st.query_params.get("machine", TRAIN)
    shown = st.segmented_control(
        "Workflow",
        list(machines),
        default=asked if asked in machines else next(iter(machines)),
        required=True,
        format_func=str.capitalize,
        on_change=_forget_choice,
        key=f"training_machine_{asked}",
    )
    st.fragment(_live, run_every=_pace())(configuration, str(shown), machines[str(shown)])


def _machines(configuration: Configuration) -> dict[str, str]:
    """Workflows by their short names."""
    known: Mapping[str, str | None] = {
        TRAIN: configuration.train_machine,
        "deploy": configuration.deploy_machine,
        "monitor": configuration.monitor_machine,
    }
    return {name: arn for name, arn in known.items() if arn}


def _forget_choice() -> None:
    st.query_params.clear()


def _pace() -> int:
    return int(st.session_state.get(_PACE, CALM_SECONDS))


@st.cache_resource(max_entries=1, show_spinner=False)
def _executions(configuration: Configuration) -> Executions:
    return Executions(configuration)


@st.cache_resource(max_entries=1, show_spinner=False)
def _jobs(configuration: Configuration) -> TrainingJobs:
    return TrainingJobs(configuration)


def _live(configuration: Configuration, name: str, machine: str) -> None:
    count = int(st.session_state.get("training_count", PAGE))
    try:
        recent = _executions(configuration).recent(machine, count)
        _show_actions(configuration, name, machine, recent)
        _show_chosen(configuration, machine, recent)
    except AwsError as error:
        _executions.clear()  # the next look may find other credentials
        _jobs.clear()
        st.error(str(error), icon=":material/cloud_off:")
        st.button("Try again", icon=":material/refresh:")
        return
    _show_past(recent, count)
    pace = BUSY_SECONDS if any(each.is_running for each in recent) else CALM_SECONDS
    if pace != _pace():
        st.session_state[_PACE] = pace
        st.rerun()


def _show_actions(
    configuration: Configuration, name: str, machine: str, recent: Sequence[Execution]
) -> None:
    if done := st.session_state.get(_DONE):
        st.success(done, icon=":material/check_circle:")
    if problem := st.session_state.get(_PROBLEM):
        st.error(problem, icon=":material/error:")
    running = next((each for each in recent if each.is_running), None)
    if name != TRAIN:
        st.caption(f"Only shown here; its executions are started elsewhere. {_state(running)}")
        return
    allowed = sign_in.who(configuration) is not None
    with st.container(horizontal=True):
        _offer_start(configuration, machine, allowed=allowed and running is None)
        _offer_stop(configuration, running, allowed=allowed)
    st.caption(_state(running))
    sign_in.offer(configuration)


def _state(running: Execution | None) -> str:
    if running is None:
        return "Nothing runs now."
    return f"Running for {say.duration(running.seconds(datetime.now(UTC)))}."


def _offer_start(configuration: Configuration, machine: str, *, allowed: bool) -> None:
    # One name for each form: however often it is sent, it starts once.
    name = st.session_state.setdefault("training_name", f"page-{uuid.uuid4()}")
    with st.popover(
        "Start a training",
        icon=":material/play_arrow:",
        disabled=not allowed,
        key=_START_OPEN,
        on_change="rerun",
    ):
        st.write(
            "It takes a minute or more. A model that is not better is kept out, and one that is "
            "shows itself to some of the callers first."
        )
        st.text_input("Why? (for the record)", key="training_reason", max_chars=200)
        st.button("Start it", on_click=_start, args=(configuration, machine, name))


def _start(configuration: Configuration, machine: str, name: str) -> None:
    """Runs before the page is drawn again, so the page then shows what came of it."""
    who = sign_in.who(configuration)
    if who is None:
        return
    _forget_news()
    reason = st.session_state.get("training_reason", "").strip() or DEFAULT_REASON
    try:
        arn = _executions(configuration).start(machine, name, f"{reason} ({who})")
    except AwsError as error:
        st.session_state[_PROBLEM] = str(error)
        return
    st.session_state.pop("training_name", None)
    st.session_state[_START_OPEN] = False
    st.session_state[_PACE] = BUSY_SECONDS
    execution.choose(arn)


def _offer_stop(configuration: Configuration, running: Execution | None, *, allowed: bool) -> None:
    with st.popover(
        "Stop it",
        icon=":material/stop:",
        disabled=not allowed or running is None,
        key=_STOP_OPEN,
        on_change="rerun",
    ):
        st.write(
            "The training job stops and what it has learnt is lost. The model that serves stays; "
            "a version that is being tried is taken out of the traffic."
        )
        st.text_input("Why? (for the record)", key="training_stop_reason", max_chars=200)
        st.button("Yes, stop it", on_click=_stop, args=(configuration, running))


def _stop(configuration: Configuration, running: Execution | None) -> None:
    who = sign_in.who(configuration)
    if who is None or running is None:
        return
    _forget_news()
    reason = st.session_state.get("training_stop_reason", "").strip() or DEFAULT_REASON
    try:
        _executions(configuration).stop(running.arn, f"{reason} ({who})")
    except AwsError as error:
        st.session_state[_PROBLEM] = str(error)
    else:
        st.session_state[_DONE] = "Stopped. The steps below say how far it had come."
        st.session_state[_STOP_OPEN] = False
        execution.choose(running.arn)


def _forget_news() -> None:
    for told in (_DONE, _PROBLEM):
        st.session_state.pop(told, None)


def _show_chosen(configuration: Configuration, machine: str, recent: Sequence[Execution]) -> None:
    """The one that the address names, else what runs, else the last that did any work."""
    executions = _executions(configuration)
    name = st.query_params.get("execution")
    if name:
        try:
            one = executions.one(f"{machine.replace(':stateMachine:', ':execution:')}:{name}")
        except AwsError:
            st.warning(
                "The execution that this address names is not there (any more).",
                icon=":material/search_off:",
            )
            return
    elif recent:
        worked = (each for each in recent if not (each.ending and each.ending.is_turned_away))
        one = next((each for each in recent if each.is_running), next(worked, recent[0]))
    else:
        st.info("None has run yet.", icon=":material/hourglass_empty:")
        return
    on_aws = configuration.aws_endpoint_url is None
    execution.show(
        executions,
        _jobs(configuration),
        one,
        deploy_machine=configuration.deploy_machine
        if machine == configuration.train_machine
        else None,
        on_aws=on_aws,
    )


def _show_past(recent: Sequence[Execution], count: int) -> None:
    st.header("Executions", anchor=False)
    for one in recent:
        title, icon = words.headline(one)
        took = say.duration(one.seconds(datetime.now(UTC)))
        with st.container(horizontal=True, vertical_alignment="center"):
            with st.container(gap=None):
                st.markdown(f"{icon} **{say.plain(title)}**")
                facts = [moment(one.started_at), took, f"by {words.started_by(one)}"]
                if one.model_version:
                    facts.append(f"model version {one.model_version}")
                if one.reason:
                    facts.append(one.reason)
                st.caption(say.plain(" · ".join(facts)))
            st.button(
                "Open",
                key=f"open-{one.arn}",
                type="tertiary",
                help=f"The execution of {moment(one.started_at)}",
                on_click=execution.choose,
                args=(one.arn,),
            )
    if len(recent) == count:
        st.button("Older ones", icon=":material/expand_more:", on_click=_more, args=(count,))


def _more(count: int) -> None:
    st.session_state["training_count"] = count + PAGE
