"""Models: who answers, what is being tried and how it does, how others ended, and the way back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import streamlit as st

from areyouacat.markdown import table
from ui import deployment_words as say
from ui import words
from ui.answers import Serving
from ui.api_errors import ApiError, NoModelYetError
from ui.aws import AwsError
from ui.client import HttpApi
from ui.configuration import Configuration, NotConfiguredError
from ui.deployments import RUNNING, SUCCEEDED, Deployment, Deployments, Trial
from ui.views import comparison, history, sign_in, versions

BUSY_SECONDS, CALM_SECONDS = 3, 20
"""How often the page looks anew, while something is being tried or moved and otherwise."""
COLOURS: Final = ("#1c6fd1", "#c2570c")
"""Of champion and challenger; told from each other and from both backgrounds by everybody."""
NOW, VERSIONS, COMPARE = SECTIONS = ("Now", "Versions", "Compare")
DEFAULT_REASON: Final = "asked for on the Models page"


@dataclass(frozen=True)
class _Seen:
    """What is known now. `problem`: why AWS says nothing of deployments, if so."""

    serving: Serving | None
    recent: tuple[Deployment, ...]
    trial: Trial | None
    problem: str | None


@dataclass(frozen=True)
class _Leaving:
    """A rollback that was asked for in this visit, of the pointer as it stood at `since`."""

    version: str
    since: datetime
    execution_arn: str


def page() -> None:
    """Draw the page; what changes by itself is drawn again every few seconds."""
    st.title("Models", anchor=False)
    st.markdown("A new version earns its traffic. Here is who answers, and how a newcomer does.")
    try:
        configuration = Configuration.load()
    except NotConfiguredError as error:
        st.info(str(error), icon=":material/power_settings_new:")
        return
    asked = st.query_params.get("section", COMPARE if "compare" in st.query_params else NOW)
    section = st.segmented_control(
        "Section",
        SECTIONS,
        default=asked if asked in SECTIONS else NOW,
        required=True,
        label_visibility="collapsed",
        on_change=st.query_params.clear,
    )
    if section == NOW:
        st.fragment(_live, run_every=_pace())(configuration)
    else:
        _show_section(configuration, str(section))


def _show_section(configuration: Configuration, section: str) -> None:
    try:
        if section == COMPARE:
            comparison.show(configuration)
        else:
            versions.show(configuration, _serving(configuration), _deployments(configuration))
    except (AwsError, ApiError) as error:
        st.error(str(error), icon=":material/cloud_off:")
        st.button("Try again", icon=":material/refresh:")


def _pace() -> int:
    return int(st.session_state.get("models_pace", CALM_SECONDS))


@st.cache_resource(max_entries=1)
def _api(configuration: Configuration) -> HttpApi:
    return HttpApi(configuration)


@st.cache_resource(max_entries=1)
def _deployments(configuration: Configuration) -> Deployments:
    return Deployments(configuration)


def _live(configuration: Configuration) -> None:
    try:
        seen = _look(configuration)
    except ApiError as error:
        st.error(str(error), icon=":material/cloud_off:")
        st.button("Try again", icon=":material/refresh:")
        return
    if seen.serving is None:
        st.info(
            "There is no model yet. `make train` trains the first one; it takes a minute or two.",
            icon=":material/model_training:",
        )
    else:
        _show_traffic(seen.serving)
        _show_results(seen)
        _show_way_back(configuration, seen.serving, seen)
    history.show(seen.recent, seen.problem)
    pace = BUSY_SECONDS if _is_moving(seen) else CALM_SECONDS
    if pace != _pace():
        st.session_state["models_pace"] = pace
        st.rerun()


def _serving(configuration: Configuration) -> Serving | None:
    try:
        return _api(configuration).model()
    except NoModelYetError:
        return None


def _look(configuration: Configuration) -> _Seen:
    serving = _serving(configuration)
    try:
        deployments = _deployments(configuration)
        recent = deployments.recent()
        tried = serving.deployment if serving else None
        trial = deployments.trial(tried.began_at) if tried else None
    except AwsError as error:
        _deployments.clear()  # the next look may find other credentials
        return _Seen(serving, (), None, str(error))
    return _Seen(serving, recent, trial, None)


def _is_moving(seen: _Seen) -> bool:
    return (
        (seen.serving is not None and seen.serving.deployment is not None)
        or "models_leaving" in st.session_state
        or any(each.status == RUNNING for each in seen.recent)
    )


def _show_traffic(serving: Serving) -> None:
    st.subheader("Who answers", anchor=False)
    parts = "".join(
        f'<div style="width: {each.weight:.2%}; min-width: 4px; background: {colour}"></div>'
        for each, colour in zip(serving.variants, COLOURS, strict=False)
    )
    st.html(
        '<div aria-hidden="true" style="display: flex; gap: 2px; height: 1.25rem; '
        f'border-radius: 0.5rem; overflow: hidden">{parts}</div>'
    )
    with st.container(gap=None):
        for each, colour in zip(serving.variants, COLOURS, strict=False):
            who = (
                "everybody" if each.weight == 1 else f"{words.percent(each.weight)} of the callers"
            )
            st.markdown(
                f'<span aria-hidden="true" style="color: {colour}">■</span> '
                f"**Version {say.plain(each.version)}** ({say.plain(each.role)}) answers {who}",
                unsafe_allow_html=True,
            )
    deployment = serving.deployment
    if deployment is None:
        st.caption(f"Unchanged since {history.moment(serving.updated_at)}. Nothing is being tried.")
        return
    strategy = say.STRATEGIES.get(deployment.strategy, deployment.strategy)
    st.caption(f"{strategy[:1].upper()}{strategy[1:]} since {history.moment(deployment.began_at)}.")


def _show_results(seen: _Seen) -> None:
    if seen.serving is None or seen.serving.challenger is None:
        return
    version = seen.serving.challenger.version
    st.subheader(f"How version {version} does", anchor=False)
    trial = seen.trial
    if trial is None:
        st.warning(
            seen.problem or "The deployment that brought it into the traffic is over.",
            icon=":material/help:",
        )
        return
    left = (trial.ends_at - datetime.now(UTC)).total_seconds()
    st.markdown(
        f"{say.plain(say.what_next(trial))} "
        + (f"**{say.duration(left)} left.**" if left > 0 else "**The time is up.**")
    )
    if trial.check is None:
        st.caption("The first look at it is yet to come.")
        return
    champion, challenger = trial.check.champion, trial.check.challenger
    st.markdown(
        "\n".join(
            table(
                ("", f"Version {champion.version}", f"Version {challenger.version}"),
                zip(say.RESULT_ROWS, say.results(champion), say.results(challenger), strict=True),
            )
        )
    )
    if told := say.so_far(trial):
        st.markdown(f"**{say.plain(told)}**")
    st.caption(
        f"Looked at {_ago(trial.check.checked_at)}: {say.plain('; '.join(trial.check.reasons))}."
    )


def _show_way_back(configuration: Configuration, serving: Serving, seen: _Seen) -> None:
    st.subheader("Roll back", anchor=False)
    if _show_progress(configuration, serving, seen.recent):
        return
    todo = say.way_back(serving)
    reason = _why_not(serving, seen, todo)
    if todo is None or reason is not None or sign_in.who(configuration) is None:
        st.button(todo or "Go back", icon=":material/undo:", disabled=True)
        if reason:
            st.caption(reason)
        sign_in.offer(configuration)
    else:
        _confirm(configuration, serving, todo)
    if problem := st.session_state.get("models_problem"):
        st.error(problem, icon=":material/error:")


def _confirm(configuration: Configuration, serving: Serving, todo: str) -> None:
    with st.popover(todo, icon=":material/undo:"):
        st.write(f"**{todo}?** {say.consequence(serving)}")
        st.text_input("Why? (for the record)", key="models_reason", max_chars=200)
        st.button(
            f"Yes, {todo[:1].lower()}{todo[1:]}",
            type="primary",
            on_click=_roll_back,
            args=(configuration, serving),
        )


def _why_not(serving: Serving, seen: _Seen, todo: str | None) -> str | None:
    """Why the button is off for everybody; `None` if it is not."""
    if seen.problem:
        return seen.problem
    if todo is None:
        return f"There is no version before version {serving.champion.version} to go back to."
    return None


def _roll_back(configuration: Configuration, serving: Serving) -> None:
    """Runs before the page is drawn again, so the page then shows what came of it."""
    who = sign_in.who(configuration)
    if who is None:
        return
    leave = serving.challenger or serving.champion
    reason = st.session_state.get("models_reason", "").strip() or DEFAULT_REASON
    for told in ("models_done", "models_problem"):
        st.session_state.pop(told, None)
    try:
        arn = _deployments(configuration).roll_back(
            leave.version, serving.updated_at, f"{reason} ({who})"
        )
    except AwsError as error:
        st.session_state["models_problem"] = str(error)
    else:
        st.session_state["models_leaving"] = _Leaving(leave.version, serving.updated_at, arn)


def _show_progress(
    configuration: Configuration, serving: Serving, recent: Sequence[Deployment]
) -> bool:
    """Show a rollback on its way, whoever asked for it, or how this visit's ended."""
    _follow(configuration, serving)
    if done := st.session_state.get("models_done"):
        st.success(done, icon=":material/check_circle:")
    answering = {each.version for each in serving.variants}
    leaving: _Leaving | None = st.session_state.get("models_leaving")
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


def _follow(configuration: Configuration, serving: Serving) -> None:
    leaving: _Leaving | None = st.session_state.get("models_leaving")
    if leaving is None:
        return
    serves = f"Version {serving.champion.version} serves."
    if leaving.version not in {each.version for each in serving.variants}:
        st.session_state["models_done"] = f"Version {leaving.version} is out. {serves}"
        del st.session_state["models_leaving"]
        return
    try:
        one = _deployments(configuration).one(leaving.execution_arn)
    except AwsError:
        return  # the page says so already, and the next look may know more
    if one.status == SUCCEEDED and serving.updated_at != leaving.since:
        st.session_state["models_done"] = f"{say.ending(one)}."
        del st.session_state["models_leaving"]
    elif one.status not in {RUNNING, SUCCEEDED}:
        st.session_state["models_problem"] = f"{say.ending(one)}: {'; '.join(one.why)}"
        del st.session_state["models_leaving"]


def _ago(at: datetime) -> str:
    return f"{say.duration((datetime.now(UTC) - at).total_seconds())} ago"
