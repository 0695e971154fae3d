"""The versions on the Models page: what each is worth, and how one gets its traffic."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Final

import streamlit as st

from areyouacat.lake import FEEDBACK_SOURCE, SEED_SOURCE
from areyouacat.review_queue import REVIEW_SOURCE
from areyouacat.serving_pointer import Strategy
from areyouacat.settings import AB_TEST, CANARY, MAX_BAKE_SECONDS
from ui import deployment_words as say
from ui.answers import Serving
from ui.aws import AwsError
from ui.configuration import Configuration
from ui.deployments import Deployments
from ui.lake import Lake
from ui.versions import FIGURES, Version, Versions, roles
from ui.views import sign_in
from ui.views.history import moment

DEFAULT_REASON: Final = "asked for on the Models page"
_OPEN, _NAME, _DONE, _PROBLEM = (
    "versions_open", "versions_name", "versions_done", "versions_problem",
)  # fmt: skip
_LABELLED_BY: Final[Mapping[str, str]] = {
    SEED_SOURCE: "seeded with their labels",
    FEEDBACK_SOURCE: "labelled by callers",
    REVIEW_SOURCE: "labelled in a review",
}
_WHAT_HAPPENS: Final[Mapping[str, str]] = {
    Strategy.CANARY.value: "Some of the callers get it first. It takes all the traffic when the "
    "time is up, unless it does harm before: then it is taken out at once.",
    Strategy.AB_TEST.value: "Callers are divided until feedback shows which is better, or the "
    "time is up.",
    Strategy.ALL_AT_ONCE.value: "Everybody gets it at once; nothing is tried first.",
}


@st.cache_resource(max_entries=1, show_spinner=False)
def reader(configuration: Configuration) -> Versions:
    """Reads versions for all visitors."""
    return Versions(Lake(configuration))


def show(configuration: Configuration, serving: Serving | None, deployments: Deployments) -> None:
    """Draw the table and the form; raises `AwsError` where the lake cannot be read."""
    found = reader(configuration).all()
    if not found:
        st.info("No version is registered yet.", icon=":material/model_training:")
        return
    _show_table(configuration, found, roles(serving))
    _show_form(configuration, found, deployments)


def _show_table(
    configuration: Configuration, found: Sequence[Version], what: Mapping[str, str]
) -> None:
    for one in found:
        role = what.get(str(one.number))
        with st.container(border=True, gap="small"):
            badge = f" :blue-badge[{say.plain(role)}]" if role else ""
            st.markdown(f"**Version {one.number}**{badge}")
            facts = [
                f"registered {moment(one.registered_at)}",
                f"data set {one.dataset_version}",
                one.mode,
            ]
            st.caption(say.plain(" · ".join(facts)))
            if one.figures:
                columns = st.columns(len(FIGURES))
                for column, name in zip(columns, FIGURES, strict=True):
                    value = one.figures.get(name)
                    column.metric(
                        name.capitalize(),
                        say.NONE if value is None else f"{value:.1%}",
                        height=80,
                        help=f"On {one.test_photos:,} test photos of its own data set.",
                    )
            if one.gate:
                st.caption(say.plain(f"Quality gate: {one.gate}"))
            _show_origin(configuration, one)


def _show_origin(configuration: Configuration, one: Version) -> None:
    """Where it comes from: photos and labels, data set, job, execution, version."""
    st.caption(
        say.plain(
            f"{_photos(one)} → data set {one.dataset_version} → training job "
            f"{one.training_job_name} → version {one.number}"
        )
    )
    links = []
    if one.execution_arn:
        links.append(f"[its training](/training?execution={one.execution_arn.rpartition(':')[2]})")
    if configuration.mlflow_url and (page := one.mlflow_page(configuration.mlflow_url)):
        links.append(f"[in MLflow]({page})")
    if links:
        st.markdown(" · ".join(links))


def _photos(one: Version) -> str:
    """What its data set was made of."""
    if not one.labelled_by:
        return "Photos and labels"
    parts = (
        f"{photos:,} {_LABELLED_BY.get(source, source)}"
        for source, photos in sorted(one.labelled_by.items(), key=lambda each: -each[1])
    )
    return f"{sum(one.labelled_by.values()):,} photos ({', '.join(parts)})"


def _show_form(
    configuration: Configuration, found: Sequence[Version], deployments: Deployments
) -> None:
    st.header("Deploy a version", anchor=False)
    if done := st.session_state.get(_DONE):
        st.success(done, icon=":material/check_circle:")
    if problem := st.session_state.get(_PROBLEM):
        st.error(problem, icon=":material/error:")
    name = st.session_state.setdefault(_NAME, f"page-{uuid.uuid4()}")
    off = sign_in.who(configuration) is None
    with st.popover(
        "Deploy …", icon=":material/rocket_launch:", disabled=off, key=_OPEN, on_change="rerun"
    ):
        version = st.selectbox("Version", [one.number for one in found])
        strategy = st.selectbox(
            "How",
            [each.value for each in Strategy],
            format_func=_strategy_name,
        )
        st.caption(_WHAT_HAPPENS[strategy])
        asked: dict[str, object] = {"version": str(version), "strategy": strategy}
        if strategy != Strategy.ALL_AT_ONCE:
            default = CANARY.weight if strategy == Strategy.CANARY else AB_TEST.weight
            share = st.slider("Share of the callers", 1, 99, round(100 * default), format="%d %%")
            minutes = st.number_input(
                "For how many minutes (0: as the settings say)", 0, MAX_BAKE_SECONDS // 60, 0
            )
            asked["canary_weight"] = share / 100
            if minutes:
                asked["bake_seconds"] = 60 * int(minutes)
        reason = st.text_input("Why? (for the record)", max_chars=200, key="versions_reason")
        st.button(
            f"Yes, deploy version {version}",
            on_click=_deploy,
            args=(configuration, deployments, name, asked, reason),
        )
    sign_in.offer(configuration)


def _strategy_name(strategy: str) -> str:
    words = say.STRATEGIES[strategy]
    return f"{words[:1].upper()}{words[1:]}"


def _deploy(
    configuration: Configuration,
    deployments: Deployments,
    name: str,
    asked: Mapping[str, object],
    reason: str,
) -> None:
    """Runs before the page is drawn again."""
    who = sign_in.who(configuration)
    if who is None:
        return
    for told in (_DONE, _PROBLEM):
        st.session_state.pop(told, None)
    why = f"{reason.strip() or DEFAULT_REASON} ({who})"
    try:
        deployments.deploy(name, {**asked, "reason": why})
    except AwsError as error:
        st.session_state[_PROBLEM] = str(error)
        return
    st.session_state.pop(_NAME, None)
    st.session_state[_OPEN] = False
    st.session_state[_DONE] = (
        f"Version {asked['version']} is on its way. What becomes of it is under Now."
    )
