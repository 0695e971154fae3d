"""Models: who answers, what is being tried and how it does, how others ended, and the way back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from html import escape
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
from ui.deployments import RUNNING, Deployment, Deployments, Trial
from ui.views import comparison, history, versions, way_back

BUSY_SECONDS, CALM_SECONDS = 3, 20
"""How often the page looks anew, while something is being tried or moved and otherwise."""
COLOURS: Final = ("#1c6fd1", "#c2570c")
"""Of champion and challenger; told from each other and from both backgrounds by everybody."""
NOW, VERSIONS, COMPARE = SECTIONS = ("Now", "Versions", "Compare")


@dataclass(frozen=True)
class _Seen:
    """What is known now. `problem`: why AWS says nothing of deployments, if so."""

    serving: Serving | None
    recent: tuple[Deployment, ...]
    trial: Trial | None
    problem: str | None


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
        find = partial(_deployments, configuration)
        way_back.show(configuration, find, seen.serving, seen.recent, seen.problem)
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
        or way_back.is_awaited()
        or any(each.status == RUNNING for each in seen.recent)
    )


def _show_traffic(serving: Serving) -> None:
    st.header("Who answers", anchor=False)
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
            st.html(
                f'<span aria-hidden="true" style="color: {colour}">■</span> '
                f"<b>Version {escape(each.version)}</b> ({escape(each.role)}) answers {who}"
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
    st.header(f"How version {version} does", anchor=False)
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


def _ago(at: datetime) -> str:
    return f"{say.duration((datetime.now(UTC) - at).total_seconds())} ago"
