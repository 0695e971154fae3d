"""Two versions side by side on the Models page."""

from __future__ import annotations

from typing import Final

import altair as alt
import pandas as pd
import streamlit as st

from areyouacat import comparison_text
from areyouacat.comparison import Comparison, ModelFigures
from areyouacat.comparison_record import ComparisonRecord, Question
from areyouacat.lake import photo_key
from areyouacat.markdown import TITLES, in_words, table
from areyouacat.quality import FIGURES
from areyouacat.settings import LABELS
from ui import deployment_words as say
from ui.comparisons import Comparisons
from ui.configuration import Configuration
from ui.lake import Lake
from ui.previews import Previews
from ui.versions import Version
from ui.views import mistakes, versions

EVERY_SECONDS: Final = 2
COLOURS: Final = ("#1c6fd1", "#c2570c")
_CHART_PX: Final = 320


@st.cache_resource(max_entries=1, show_spinner=False)
def _comparisons(configuration: Configuration) -> Comparisons:
    return Comparisons(configuration, Lake(configuration))


@st.cache_resource(max_entries=1, show_spinner=False)
def _photos(configuration: Configuration) -> Previews:
    lake = Lake(configuration)
    return Previews(lambda photo: lake.read(photo_key(photo)))


def show(configuration: Configuration) -> None:
    """Draw the choice and the answer; raises `AwsError` where it cannot be had."""
    found = versions.reader(configuration).all()
    if len(found) < 2:
        st.info("There are no two versions yet to compare.", icon=":material/compare_arrows:")
        return
    numbers = [one.number for one in found]
    asked = [int(part) for part in st.query_params.get("compare", "").split(",") if part.isdigit()]
    first, second = (asked if len(asked) == 2 else [numbers[1], numbers[0]])[:2]
    one, other = st.columns(2)
    left = one.selectbox("Version", numbers, index=_place(numbers, first))
    right = other.selectbox("and version", numbers, index=_place(numbers, second))
    if left == right:
        st.info("Choose two that are not the same.", icon=":material/compare_arrows:")
        return
    st.query_params["compare"] = f"{left},{right}"
    pair = sorted((each for each in found if each.number in {left, right}), key=_number)
    question = Question(
        versions=tuple(str(each.number) for each in pair),
        dataset_version=pair[-1].dataset_version,
        split="test",
    )
    _show_answer(configuration, question)


def _place(numbers: list[int], wanted: int) -> int:
    return numbers.index(wanted) if wanted in numbers else 0


def _number(one: Version) -> int:
    return one.number


def _show_answer(configuration: Configuration, question: Question) -> None:
    """Looks again by itself until there is one: it may be left meanwhile, and found again."""
    record = _comparisons(configuration).answer(question)
    if record is None:
        st.fragment(_wait, run_every=EVERY_SECONDS)(configuration, question)
    else:
        _show_record(record)
        mistakes.show(_photos(configuration), record)


def _wait(configuration: Configuration, question: Question) -> None:
    st.status(
        "Both answer the same photos, as they would serve. It takes up to some minutes; you may "
        "leave and come back.",
        state="running",
    )
    if _comparisons(configuration).answer(question) is not None:
        st.rerun()


def _show_record(record: ComparisonRecord) -> None:
    comparison = record.comparison
    st.caption(say.plain(comparison_text.photos(record)))
    _show_figures(comparison)
    _show_pair(comparison)
    charts = st.columns(2)
    with charts[0]:
        _show_roc(comparison)
    with charts[1]:
        _show_reliability(comparison)
    _show_confusions(comparison)


def _show_figures(comparison: Comparison) -> None:
    (pair,) = comparison.pairs
    names = [f"Version {model.version}" for model in comparison.models]
    rows = [
        (
            f"{TITLES[name][:1].upper()}{TITLES[name][1:]}",
            *(in_words(model.figures.get(name)) for model in comparison.models),
            in_words(pair.differences.get(name), "+"),
        )
        for name in FIGURES
    ]
    rows.append(
        ("Time of one inference", *(f"{model.latency_ms:.1f} ms" for model in comparison.models))
    )
    st.markdown("\n".join(table(("", *names, "Difference"), rows)))


def _show_pair(comparison: Comparison) -> None:
    (pair,) = comparison.pairs
    sure = "more than luck" if pair.p_adjusted < 0.05 else "as luck would have it"
    st.markdown(
        f"Both are right on {pair.both_right:,} photos; only version {pair.first} on "
        f"{pair.only_first_right:,}, only version {pair.second} on {pair.only_second_right:,}, "
        f"none on {pair.both_wrong:,}. That is {sure} (exact McNemar test, p = {pair.p_value:.3g})."
    )


def _show_roc(comparison: Comparison) -> None:
    st.header("Found against falsely found", anchor=False)
    frames = [
        pd.DataFrame(
            {
                "falsely found": model.roc.false_positive_rate,
                "found": model.roc.true_positive_rate,
                "version": model.version,
            }
        )
        for model in comparison.models
        if model.roc
    ]
    if not frames:
        st.caption("A label is absent from these photos.")
        return
    line = alt.Chart(pd.concat(frames)).mark_line(
        interpolate="step-after", strokeWidth=2, aria=False
    )
    st.altair_chart(
        line.encode(
            x=alt.X("falsely found:Q", scale=alt.Scale(domain=[0, 1])),
            y=alt.Y("found:Q", scale=alt.Scale(domain=[0, 1])),
            color=_colour(comparison),
            strokeDash=alt.StrokeDash("version:N", legend=None),
        ),
        width="stretch",
        height=_CHART_PX,
    )


def _show_reliability(comparison: Comparison) -> None:
    st.header("Is a probability worth what it says?", anchor=False)
    rows = pd.DataFrame(
        [
            {"said": each.mean_probability, "was": each.share_positive, "version": model.version}
            for model in comparison.models
            for each in model.reliability
        ]
    )
    diagonal = (
        alt.Chart(pd.DataFrame({"said": [0, 1], "was": [0, 1]}))
        .mark_line(strokeDash=[4, 4], color="#8a94a0", aria=False)
        .encode(x="said:Q", y="was:Q")
    )
    points = (
        alt.Chart(rows)
        .mark_line(point=True, aria=False)
        .encode(
            x=alt.X("said:Q", scale=alt.Scale(domain=[0, 1])),
            y=alt.Y("was:Q", scale=alt.Scale(domain=[0, 1])),
            color=_colour(comparison),
            strokeDash=alt.StrokeDash("version:N", legend=None),
        )
    )
    st.altair_chart(diagonal + points, width="stretch", height=_CHART_PX)


def _colour(comparison: Comparison) -> alt.Color:
    scale = alt.Scale(domain=[model.version for model in comparison.models], range=list(COLOURS))
    return alt.Color("version:N", scale=scale, legend=alt.Legend(orient="bottom"))


def _show_confusions(comparison: Comparison) -> None:
    st.header("What was taken for what", anchor=False)
    for column, model in zip(st.columns(2), comparison.models, strict=True):
        with column:
            st.markdown("\n".join(_confusion(model)))


def _confusion(model: ModelFigures) -> list[str]:
    found = model.confusion
    positive, negative = LABELS.positive_words, LABELS.negative_words
    return list(
        table(
            (f"Version {model.version}", f"said {positive}", f"said {negative}"),
            (
                (f"is {positive}", f"{found.true_positive:,}", f"{found.false_negative:,}"),
                (f"is {negative}", f"{found.false_positive:,}", f"{found.true_negative:,}"),
            ),
        )
    )
