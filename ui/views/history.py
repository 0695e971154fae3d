"""The last deployments: how each ended, why, when, and how long it took."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo

import streamlit as st

from ui import deployment_words as say
from ui.deployments import RUNNING, SUCCEEDED, Deployment


def show(recent: Sequence[Deployment], problem: str | None) -> None:
    """Draw them, the newest first; `problem`: why they are not known, if so."""
    st.header("The last deployments", anchor=False)
    if problem:
        st.warning(problem, icon=":material/cloud_off:")
    elif not recent:
        st.caption("None yet. Training deploys what passes its gate.")
    for each in recent:
        _show_deployment(each)


def _show_deployment(one: Deployment) -> None:
    facts = [moment(one.started_at)]
    if one.ended_at:
        facts.append(f"took {say.duration((one.ended_at - one.started_at).total_seconds())}")
    if one.strategy:
        facts.append(say.STRATEGIES.get(one.strategy, one.strategy))
    if one.asked_reason and one.asked_reason not in one.why:
        facts.append(f"asked for: {one.asked_reason}")
    why = "; ".join(one.why)
    with st.container(gap=None):
        st.markdown(
            f"{_icon(one)} **{say.plain(say.ending(one))}**"
            + (f"  \n{say.plain(why[:1].upper() + why[1:])}" if why else "")
        )
        st.caption(say.plain(" · ".join(facts)))


def _icon(one: Deployment) -> str:
    if one.status == RUNNING:
        return ":material/hourglass_top:"
    if one.status != SUCCEEDED:
        return ":red[:material/error:]"
    return ":material/undo:" if one.outcome == "rolled_back" else ":material/check:"


def moment(at: datetime) -> str:
    """A moment in the reader's time zone."""
    return say.moment(at.astimezone(_zone()))


def _zone() -> tzinfo:
    """The reader's, as the browser names it."""
    try:
        return ZoneInfo(st.context.timezone or "UTC")
    except (KeyError, ValueError):
        return UTC
