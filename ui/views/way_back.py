"""Rolling back on the Models page: confirmed by the person, followed to its end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import streamlit as st

from ui import deployment_words as say
from ui.answers import Serving
from ui.aws import AwsError
from ui.configuration import Configuration
from ui.deployments import RUNNING, SUCCEEDED, Deployment, Deployments
from ui.views import sign_in

DEFAULT_REASON: Final = "asked for on the Models page"
_DONE, _PROBLEM, _LEAVING = "models_done", "models_problem", "models_leaving"
_Find = Callable[[], Deployments]
"""Raises `AwsError` where the workflow cannot be found."""


@dataclass(frozen=True)
class _Leaving:
    """A rollback that was asked for in this visit, of the pointer as it stood at `since`."""

    version: str
    since: datetime
    execution_arn: str


def show(
    configuration: Configuration,
    deployments: _Find,
    serving: Serving,
    recent: Sequence[Deployment],
    problem: str | None,
) -> None:
    """Draw what can be done, is being done, or was; `problem`: why AWS says nothing, if so."""
    st.header("Roll back", anchor=False)
    if _show_progress(deployments, serving, recent):
        return
    todo = say.way_back(serving)
    reason = _why_not(serving, problem, todo)
    if todo is None or reason is not None or sign_in.who(configuration) is None:
        st.button(todo or "Go back", icon=":material/undo:", disabled=True)
        if reason:
            st.caption(reason)
        sign_in.offer(configuration)
    else:
        _confirm(configuration, deployments, serving, todo)
    if told := st.session_state.get(_PROBLEM):
        st.error(told, icon=":material/error:")


def is_awaited() -> bool:
    """Whether this visit has asked for a rollback that is on its way."""
    return _LEAVING in st.session_state


def _confirm(configuration: Configuration, deployments: _Find, serving: Serving, todo: str) -> None:
    with st.popover(todo, icon=":material/undo:"):
        st.write(f"**{todo}?** {say.consequence(serving)}")
        st.text_input("Why? (for the record)", key="models_reason", max_chars=200)
        st.button(
            f"Yes, {todo[:1].lower()}{todo[1:]}",
            on_click=_roll_back,
            args=(configuration, deployments, serving),
        )


def _why_not(serving: Serving, problem: str | None, todo: str | None) -> str | None:
    """Why the button is off for everybody; `None` if it is not."""
    if problem:
        return problem
    if todo is None:
        return f"There is no version before version {serving.champion.version} to go back to."
    return None


def _roll_back(configuration: Configuration, deployments: _Find, serving: Serving) -> None:
    """Runs before the page is drawn again, so the page then shows what came of it."""
    who = sign_in.who(configuration)
    if who is None:
        return
    leave = serving.challenger or serving.champion
    reason = st.session_state.get("models_reason", "").strip() or DEFAULT_REASON
    for told in (_DONE, _PROBLEM):
        st.session_state.pop(told, None)
    try:
        arn = deployments().roll_back(leave.version, serving.updated_at, f"{reason} ({who})")
    except AwsError as error:
        st.session_state[_PROBLEM] = str(error)
    else:
        st.session_state[_LEAVING] = _Leaving(leave.version, serving.updated_at, arn)


def _show_progress(deployments: _Find, serving: Serving, recent: Sequence[Deployment]) -> bool:
    """Show a rollback on its way, whoever asked for it, or how this visit's ended."""
    _follow(deployments, serving)
    if done := st.session_state.get(_DONE):
        st.success(done, icon=":material/check_circle:")
    answering = {each.version for each in serving.variants}
    leaving: _Leaving | None = st.session_state.get(_LEAVING)
    by_others = (
        each.asked_version
        for each in recent
        if each.is_rollback and each.status == RUNNING and each.asked_version in answering
    )
    version = leaving.version if leaving else next(by_others, None)
    if version is None:
        return False
    st.status(f"Version {version} is being taken out of the traffic …", state="running")
    return True


def _follow(deployments: _Find, serving: Serving) -> None:
    leaving: _Leaving | None = st.session_state.get(_LEAVING)
    if leaving is None:
        return
    serves = f"Version {serving.champion.version} serves."
    if leaving.version not in {each.version for each in serving.variants}:
        st.session_state[_DONE] = f"Version {leaving.version} is out. {serves}"
        del st.session_state[_LEAVING]
        return
    try:
        one = deployments().one(leaving.execution_arn)
    except AwsError:
        return  # the page says so already, and the next look may know more
    if one.status == SUCCEEDED and serving.updated_at != leaving.since:
        st.session_state[_DONE] = f"{say.ending(one)}."
        del st.session_state[_LEAVING]
    elif one.status not in {RUNNING, SUCCEEDED}:
        st.session_state[_PROBLEM] = f"{say.ending(one)}: {'; '.join(one.why)}"
        del st.session_state[_LEAVING]
