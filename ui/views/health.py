"""Health: key figures with their trends, alarms, what has moved, charts, labels, and the report."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from typing import Final, NoReturn, TypeVar

import streamlit as st

from areyouacat.settings import DRIFT
from ui import bars
from ui.alarms import Alarms
from ui.aws import AwsError
from ui.configuration import Configuration, NotConfiguredError
from ui.metric_values import SPANS, MetricValues, Span
from ui.monitor_runs import MonitorRuns, Runs, Seen
from ui.views import drift_report, health_alarms, health_charts, health_figures
from ui.views.history import moment

EVERY_SECONDS: Final = 30
DEFAULT_SPAN: Final = "day"
_SPAN = "span"
_AT_ONCE: Final = 4
_CHARTED: Final = 12  # features, the farthest first

Source = TypeVar("Source")
Found = TypeVar("Found")


def page() -> None:
    """Draw the page; it is drawn again by itself."""
    st.title("Health", anchor=False)
    st.markdown(
        "How the system does. The monitor looks at answers and labels every hour, and when it is "
        "asked to."
    )
    try:
        configuration = Configuration.load()
    except NotConfiguredError as error:
        st.info(str(error), icon=":material/power_settings_new:")
        return
    span = _chosen_span()
    st.fragment(_live, run_every=EVERY_SECONDS)(configuration, span)


def _chosen_span() -> Span:
    by_name = {each.name: each for each in SPANS}
    asked = st.query_params.get(_SPAN, DEFAULT_SPAN)
    chosen = st.segmented_control(
        "The last",
        list(by_name),
        default=asked if asked in by_name else DEFAULT_SPAN,
        required=True,
        format_func=lambda name: by_name[name].words,
        key="health_span",
        on_change=_keep_span,
    )
    return by_name[str(chosen)]


def _keep_span() -> None:
    st.query_params[_SPAN] = st.session_state["health_span"]


@st.cache_resource(max_entries=1, show_spinner=False)
def _runs(configuration: Configuration) -> MonitorRuns:
    return MonitorRuns(configuration)


@st.cache_resource(max_entries=1, show_spinner=False)
def _values(configuration: Configuration) -> MetricValues:
    return MetricValues(configuration)


@st.cache_resource(max_entries=1, show_spinner=False)
def _alarms(configuration: Configuration) -> Alarms:
    return Alarms(configuration)


def _live(configuration: Configuration, span: Span) -> None:
    """Every part by itself: where one is not to be had, the others are.

    AWS is asked for all of them at once, and each is drawn when its turn comes.
    """
    now = datetime.now(UTC)
    st.caption(f"Looked at {moment(now)}. It looks again every {EVERY_SECONDS} s.")
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        figures = _ahead(
            pool,
            lambda: _values(configuration),
            lambda values: health_figures.read(values, span, now),
        )
        alarms = _ahead(pool, lambda: _alarms(configuration), lambda found: found.all())
        runs = _ahead(pool, lambda: _runs(configuration), lambda found: found.last())
        charts = _ahead(
            pool,
            lambda: (_values(configuration), health_charts.chosen(configuration)),
            lambda asked: health_charts.read(*asked, span, now),
        )
        _part(lambda: health_figures.show(figures(), span))
        _part(lambda: health_alarms.show(alarms()))
        _part(lambda: _show_monitored(runs().seen))
        _part(lambda: health_charts.show(configuration, charts(), span, now))
        _part(lambda: _show_reports(configuration, runs))


def _ahead(
    pool: Executor, find: Callable[[], Source], read: Callable[[Source], Found]
) -> Callable[[], Found]:
    """Begin to read from what `find` gives; what is returned waits for it, or raises why not."""
    try:
        source = find()
    except AwsError as error:
        return partial(_fail, error)
    return pool.submit(read, source).result


def _fail(error: AwsError) -> NoReturn:
    raise error


def _show_reports(configuration: Configuration, runs: Callable[[], Runs]) -> None:
    try:
        found = runs().reports
    except AwsError:
        return  # said above already
    if found:
        drift_report.show(_runs(configuration), found)


def _part(draw: Callable[[], None]) -> None:
    try:
        draw()
    except AwsError as error:
        for cached in (_runs, _values, _alarms):  # the next look may find other credentials
            cached.clear()
        st.error(str(error), icon=":material/cloud_off:")


def _show_monitored(seen: Seen | None) -> None:
    st.header("What the monitor saw last", anchor=False)
    if seen is None:
        st.info(
            "The monitor has not run yet. It does so within the hour.",
            icon=":material/hourglass_empty:",
        )
        return
    st.caption(
        f"At {moment(seen.at)}, of the {_hours(seen.hours)} before; version "
        f"{seen.version or 'unknown'} serves."
    )
    if seen.waiting:
        st.warning(
            f"A training waits for its time: {', '.join(seen.waiting)}.",
            icon=":material/schedule:",
        )
    health_figures.show_labels(seen)
    _show_drift(seen)


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
    st.caption("Distance from the photos that the model was built on, the farthest first:")
    st.html(bars.html(farthest))


def _hours(hours: float) -> str:
    return f"{hours:g} hours" if hours >= 1 else f"{hours * 60:.0f} minutes"
