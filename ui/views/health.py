"""Health: what the monitor saw last, how far photos have moved, and the report on it."""

from __future__ import annotations

from typing import Final

import streamlit as st

from areyouacat.settings import DRIFT, MONITORING
from ui.aws import AwsError
from ui.configuration import Configuration, NotConfiguredError
from ui.monitor_runs import MonitorRuns, Report, Seen, Share

EVERY_SECONDS: Final = 30
_UNKNOWN: Final = "?"
_CHARTED: Final = 12  # features, the farthest first
_FIGURE_PX, _CHART_PX = 80, 380  # known before they come, so that nothing below them jumps


def page() -> None:
    """Draw the page; it is drawn again by itself."""
    st.title("Health", anchor=False)
    st.markdown("What the monitor saw last. It looks every hour, and when it is asked to.")
    try:
        configuration = Configuration.load()
    except NotConfiguredError as error:
        st.info(str(error), icon=":material/power_settings_new:")
        return
    st.fragment(_live, run_every=EVERY_SECONDS)(configuration)


@st.cache_resource(max_entries=1)
def _runs(configuration: Configuration) -> MonitorRuns:
    return MonitorRuns(configuration)


def _live(configuration: Configuration) -> None:
    try:
        runs = _runs(configuration)
        last = runs.last()
    except AwsError as error:
        st.error(str(error), icon=":material/cloud_off:")
        st.button("Try again", icon=":material/refresh:")
        return
    if last.seen is None:
        st.info(
            "The monitor has not run yet. It does so within the hour.",
            icon=":material/hourglass_empty:",
        )
        return
    _show_figures(last.seen)
    _show_drift(last.seen)
    if last.report:
        _show_report(runs, last.report)


def _show_figures(seen: Seen) -> None:
    st.caption(
        f"{seen.at:%Y-%m-%d %H:%M} UTC, the {_hours(seen.hours)} before; version "
        f"{seen.version or _UNKNOWN} serves"
    )
    right, certain, people = st.columns(3)
    right.metric(
        "Right, by people's labels",
        _percent(seen.accuracy.value if seen.accuracy else None),
        height=_FIGURE_PX,
        help=f"{_limits(seen.accuracy)} Below {MONITORING.min_feedback_accuracy:.0%} it retrains.",
    )
    certain.metric(
        "Right, by its own confidence",
        _percent(seen.expected.value if seen.expected else None),
        height=_FIGURE_PX,
        help=f"{_limits(seen.expected)} It needs no labels, and is blind where the model is sure "
        "and wrong.",
    )
    people.metric("Answers people confirm", _percent(seen.satisfaction), height=_FIGURE_PX)
    asked, unsure, cost = st.columns(3)
    asked.metric(
        "Predictions",
        f"{seen.predictions:,}",
        height=_FIGURE_PX,
        help=f"{seen.labels:,} labels",
    )
    unsure.metric("Unsure", _percent(seen.unsure), height=_FIGURE_PX)
    cost.metric(
        "Cost of 1,000 predictions",
        _UNKNOWN if seen.cost is None else f"${seen.cost:.4f}",
        height=_FIGURE_PX,
        help="AWS list prices; nothing on a laptop.",
    )
    if seen.waiting:
        st.warning(
            f"A training waits for its time: {', '.join(seen.waiting)}.",
            icon=":material/schedule:",
        )


def _show_drift(seen: Seen) -> None:
    st.subheader("Has the world changed?", anchor=False)
    if seen.drift is None:
        st.info(f"Nobody can say: {seen.unknown}.", icon=":material/help:")
        return
    if seen.drifted:
        st.warning(
            f"Yes. Moved most: {', '.join(seen.drifted[:5])} (distance {seen.drift:.2f}; "
            f"{DRIFT.min_psi:g} retrains).",
            icon=":material/moving:",
        )
    else:
        st.success("No: photos are as the model knows them.", icon=":material/check_circle:")
    farthest = sorted(seen.distances.items(), key=lambda one: -one[1])[:_CHARTED]
    st.bar_chart(
        {"feature": [name for name, _ in farthest], "distance": [value for _, value in farthest]},
        x="feature",
        y="distance",
        horizontal=True,
        sort=False,
        x_label="",
        y_label="distance from the photos the model was built on",
        height=_CHART_PX,
    )


def _show_report(runs: MonitorRuns, report: Report) -> None:
    st.subheader("Drift report", anchor=False)
    st.markdown(f"Of the photos until {report.window_end:%Y-%m-%d %H:%M} UTC, feature by feature.")

    def load() -> bytes:
        return runs.page_of(report)

    st.download_button(
        "Download the report",
        data=load,  # some megabytes, read only for those who ask
        file_name=report.file_name,
        mime="text/html",
        icon=":material/download:",
        on_click="ignore",
    )


def _percent(share: float | None) -> str:
    return _UNKNOWN if share is None else f"{share:.1%}"


def _limits(share: Share | None) -> str:
    return f"95 % limits: {share.low:.1%} to {share.high:.1%}." if share else "Too few to say."


def _hours(hours: float) -> str:
    return f"{hours:g} hours" if hours >= 1 else f"{hours * 60:.0f} minutes"
