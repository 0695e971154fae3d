"""The dashboard's rows on the Health page, one at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import streamlit as st

from areyouacat.dashboard import Deployed, Panel, Row, Unit, rows
from ui import deployment_words as say
from ui.alarms import NO_STACK
from ui.aws import AwsError
from ui.configuration import Configuration
from ui.metric_values import Line, MetricValues, Span

CHART_PX: Final = 260  # known before it comes, so that nothing below it jumps
_WINDOW_SECONDS: Final = 3_600  # how often the monitor writes
_WORDS: Final[Mapping[Unit, Callable[[float], str]]] = {
    Unit.COUNT: lambda value: f"{value:,.0f}",
    Unit.SHARE: lambda value: f"{value:.1%}",
    Unit.PERCENT: lambda value: f"{value:.0f} %",
    Unit.DISTANCE: lambda value: f"{value:.2f}",
    Unit.MILLISECONDS: lambda value: f"{value:,.0f} ms",
    Unit.MEGABYTES: lambda value: f"{value:,.0f} MB",
    Unit.DOLLARS: lambda value: f"${value:.4f}",
}
_HIGHEST: Final[Mapping[Unit, Mapping[str, int]]] = {
    Unit.SHARE: {"domainMax": 1},
    Unit.PERCENT: {"domainMax": 100},
}
_CHOSEN: Final = "health_row"
_SHOWN: Final = 4  # series whose newest value stands below a chart


def chosen(configuration: Configuration) -> Row | None:
    """The row that this visit has asked for, if any; raises `AwsError`."""
    question = st.session_state.get(_CHOSEN)
    return next((row for row in _rows(configuration) if row.question == question), None)


def read(
    values: MetricValues, row: Row | None, span: Span, now: datetime
) -> Sequence[tuple[Panel, Sequence[Line]]]:
    """The lines of each panel of a row, up to `now`; raises `AwsError`."""
    panels = row.panels if row else ()
    return [(one, values.read([*one.left, *one.right], span, now)) for one in panels]


def show(
    configuration: Configuration,
    panels: Sequence[tuple[Panel, Sequence[Line]]],
    span: Span,
    now: datetime,
) -> None:
    """Draw what `read` found of the row that is `chosen`.

    None is at first: what draws charts is most of what a browser has to load for this page.
    """
    st.header("Charts", anchor=False)
    st.pills(
        "What would you like to know?",
        [row.question for row in _rows(configuration)],
        key=_CHOSEN,
    )
    for panel, lines in panels:
        _show(panel, lines, span, now)


def _rows(configuration: Configuration) -> tuple[Row, ...]:
    if configuration.stack is None or configuration.monitor_machine is None:
        raise AwsError(NO_STACK)
    prefix = configuration.monitor_machine.removesuffix("monitor")
    return rows(Deployed(configuration.stack, _WINDOW_SECONDS, lambda name: f"{prefix}{name}"))


def _show(panel: Panel, lines: Sequence[Line], span: Span, now: datetime) -> None:
    st.subheader(panel.title, anchor=False)
    known = [line for line in lines if line.values]
    if not known:
        st.caption(f"Nothing was measured in the last {span.words}.")
        return
    st.vega_lite_chart(
        chart_data(panel, known, span, now),
        _drawing(panel),
        height=CHART_PX,
        alt=f"{panel.title}, the last {span.words}. {newest(panel, known)}",
    )
    st.caption(say.plain(newest(panel, known)))


def _drawing(panel: Panel) -> dict[str, Any]:
    """A chart in Vega-Lite's words, https://vega.github.io/vega-lite/docs/."""
    return {
        # Its marks have no names of their own; the whole has one, and its values stand below.
        "mark": {
            "type": "area" if panel.stacked else "line",
            "aria": False,
            "tooltip": True,
            **({} if panel.stacked else {"point": {"size": 20}}),
        },
        "encoding": {
            "x": {"field": "time", "type": "temporal", "title": None},
            "y": {
                "field": "value",
                "type": "quantitative",
                "title": panel.unit.value,
                "scale": {"domainMin": 0, **_HIGHEST.get(panel.unit, {})},
            },
            "color": {
                "field": "line",
                "type": "nominal",
                "title": None,
                "legend": {"orient": "bottom", "columns": 2, "labelLimit": 300},
            },
        },
    }


def chart_data(
    panel: Panel, lines: Sequence[Line], span: Span, now: datetime
) -> dict[str, list[object]]:
    """Columns `time`, `value` and `line`, point by point; limits are lines from end to end."""
    points: list[tuple[datetime, float, str]] = [
        (at, value, line.label)
        for line in lines
        for at, value in zip(line.times, line.values, strict=True)
    ]
    step = timedelta(seconds=span.period_seconds)
    first = min((at for at, _, _ in points), default=now)
    for name, value in panel.limits.items():
        label = f"{name} {in_words(panel.unit, value)}"
        points += [(first, value, label), (max(now, first + step), value, label)]
    times, values, labels = zip(*points, strict=True) if points else ((), (), ())
    return {"time": list(times), "value": list(values), "line": list(labels)}


def newest(panel: Panel, lines: Sequence[Line]) -> str:
    """The newest values in a sentence, for those who do not see the lines."""
    told = [
        f"{line.label} {in_words(panel.unit, line.last)}"
        for line in lines[:_SHOWN]
        if line.last is not None
    ]
    rest = f", and {len(lines) - _SHOWN} more" if len(lines) > _SHOWN else ""
    return f"Newest: {', '.join(told)}{rest}."


def in_words(unit: Unit, value: float) -> str:
    """A value as people read it."""
    return _WORDS[unit](value)
