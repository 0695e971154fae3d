"""The drift reports on the Health page: one shown in place, or taken away as a file."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Final

import streamlit as st

from ui.monitor_runs import MonitorRuns, Report
from ui.views.history import moment

_FRAME_PX: Final = 900


def show(runs: MonitorRuns, reports: Sequence[Report]) -> None:
    """Draw the choice, the newest first, once it is opened; raises `AwsError`.

    A report has some megabytes, and is read when asked for.
    """
    st.header("Drift reports", anchor=False)
    folder = st.expander(
        f"The last {len(reports)}" if len(reports) > 1 else "The last one",
        key="health_reports",
        icon=":material/folder_open:",
        on_change="rerun",
    )
    if folder.open:
        with folder:
            _show_one(runs, reports)


def _show_one(runs: MonitorRuns, reports: Sequence[Report]) -> None:
    report = st.selectbox(
        "Of the photos until",
        reports,
        format_func=lambda one: moment(one.window_end),
        key="health_report",
    )

    def load() -> bytes:
        return runs.page_of(report)

    st.download_button(
        "Download the report",
        data=load,
        file_name=report.file_name,
        mime="text/html",
        icon=":material/download:",
        on_click="ignore",
    )
    if st.toggle("Show it here", key="health_report_shown"):
        # As data it has an origin of its own: its scripts do not reach this page.
        page = f"data:text/html;charset=utf-8;base64,{base64.b64encode(load()).decode()}"
        st.iframe(page, height=_FRAME_PX, alt=f"Drift report of {moment(report.window_end)}")
