"""The key figures of the Health page: what each is now, and how it came there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

import streamlit as st

from areyouacat import metrics
from areyouacat.dashboard import Series
from areyouacat.metrics import Metric
from areyouacat.settings import DRIFT, MONITORING
from ui import deployment_words as say
from ui import sparkline
from ui.metric_values import Line, MetricValues, Span
from ui.monitor_runs import Seen, Share

_HEIGHT_PX: Final = 105  # known before they come, so that nothing below them jumps
_LABELS_PX: Final = 80
_IN_A_ROW: Final = 3


@dataclass(frozen=True)
class Figure:
    """A key figure. `in_words`: its value as people read it. `total`: added up, else the newest.

    `good`: which way it should go; `None` where neither is better.
    """

    title: str
    metric: Metric
    statistic: str
    in_words: Callable[[float], str]
    total: bool = False
    good: Literal["up", "down"] | None = None
    note: str = ""

    @property
    def delta_color(self) -> Literal["normal", "inverse", "off"]:
        """How Streamlit colours its change."""
        if self.good is None:
            return "off"
        return "normal" if self.good == "up" else "inverse"


def _percent(share: float) -> str:
    return f"{share:.1%}"


def _count(value: float) -> str:
    return f"{value:,.0f}"


FIGURES: Final = (
    Figure("Requests", metrics.REQUESTS, "Sum", _count, total=True),
    Figure("Failed requests", metrics.SERVER_ERRORS, "Sum", _count, total=True, good="down"),
    Figure("Latency, p95", metrics.LATENCY, "p95", lambda value: f"{value:,.0f} ms", good="down"),
    Figure(
        "Right, by people's labels",
        metrics.FEEDBACK_ACCURACY,
        "Minimum",
        _percent,
        good="up",
        note=f"Below {MONITORING.min_feedback_accuracy:.0%} it retrains.",
    ),
    Figure(
        "Right, by its own confidence",
        metrics.EXPECTED_ACCURACY.value,
        "Minimum",
        _percent,
        good="up",
        note="It needs no labels, and is blind where the model is sure and wrong.",
    ),
    Figure("Answers people confirm", metrics.SATISFACTION, "Average", _percent, good="up"),
    Figure("Unsure", metrics.UNSURE_SHARE, "Average", _percent, good="down"),
    Figure(
        "Drift",
        metrics.DATA_DRIFT,
        "Maximum",
        lambda value: f"{value:.2f}",
        good="down",
        note=f"From {DRIFT.min_psi:g} it retrains.",
    ),
    Figure(
        "Cost of 1,000 predictions",
        metrics.COST_PER_THOUSAND,
        "Average",
        lambda value: f"${value:.4f}",
        good="down",
        note="AWS list prices; nothing on a laptop.",
    ),
)


def read(values: MetricValues, span: Span, now: datetime) -> Sequence[Line]:
    """The lines of `FIGURES`, in their order, up to `now`; raises `AwsError`."""
    return values.read([_series(each) for each in FIGURES], span, now)


def show(lines: Sequence[Line], span: Span) -> None:
    """Draw what `read` found for a stretch of time."""
    st.header("Key figures", anchor=False)
    for first in range(0, len(FIGURES), _IN_A_ROW):
        row = list(zip(FIGURES, lines, strict=True))[first : first + _IN_A_ROW]
        for column, (figure, line) in zip(st.columns(_IN_A_ROW), row, strict=True):
            with column:
                _show(figure, line, span)


def _series(figure: Figure) -> Series:
    return Series(metrics.NAMESPACE, figure.metric.name, figure.statistic)


def _show(figure: Figure, line: Line, span: Span) -> None:
    value = sum(line.values) if figure.total and line.values else line.last
    with st.container(border=True, gap="small"):
        _show_value(figure, line, value, span)
        st.html(sparkline.image(line.values, _trend(figure, line, span)))


def _show_value(figure: Figure, line: Line, value: float | None, span: Span) -> None:
    change = None if figure.total else line.change
    st.metric(
        figure.title,
        say.NONE if value is None else figure.in_words(value),
        delta=_change(figure, change),
        delta_color=figure.delta_color,
        delta_arrow="off" if not change else "up" if change > 0 else "down",
        height=_HEIGHT_PX,
        help=f"{figure.metric.meaning}. {figure.note} "
        + (f"In the last {span.words}." if value is not None else "Nothing is known yet."),
    )


def _trend(figure: Figure, line: Line, span: Span) -> str:
    if not line.values:
        return ""
    low, high = min(line.values), max(line.values)
    return (
        f"{figure.title} over the last {span.words}: from {figure.in_words(low)} to "
        f"{figure.in_words(high)}."
    )


def _change(figure: Figure, change: float | None) -> str | None:
    """How far it went since the stretch began; Streamlit takes the sign from the words."""
    if change is None:
        return None
    words = figure.in_words(abs(change))
    return "unchanged" if words == figure.in_words(0.0) else f"{'-' if change < 0 else '+'}{words}"


def show_labels(seen: Seen) -> None:
    """What people said of the answers, as the monitor's last run has it."""
    st.subheader("What people say", anchor=False)
    given, confirmed, right = st.columns(3)
    given.metric(
        "Labels",
        f"{seen.labels:,}",
        height=_LABELS_PX,
        help=f"Of {seen.predictions:,} predictions.",
    )
    confirmed.metric("Confirm the answer", _share(seen.satisfaction), height=_LABELS_PX)
    right.metric(
        "Serving version right",
        _share(seen.accuracy.value if seen.accuracy else None),
        height=_LABELS_PX,
        help=_limits(seen.accuracy),
    )
    precision, recall, f1 = st.columns(3)
    for column, name, value in (
        (precision, "Precision", seen.precision),
        (recall, "Recall", seen.recall),
        (f1, "F1", seen.f1),
    ):
        column.metric(name, _share(value), height=_LABELS_PX, help="Of the serving version.")


def _share(value: float | None) -> str:
    return say.NONE if value is None else _percent(value)


def _limits(share: Share | None) -> str:
    return f"95 % limits: {share.low:.1%} to {share.high:.1%}." if share else "Too few to say."
