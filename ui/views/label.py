"""Label: photos that wait for a person's word, one after the other, by key or click."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

import streamlit as st

from areyouacat.lake import parse_utc
from areyouacat.settings import LABELS
from ui import deployment_words as say
from ui import words
from ui.aws import AwsError
from ui.configuration import Configuration, NotConfiguredError
from ui.lake import GoneError, Lake
from ui.previews import Previews
from ui.reviews import Answer, Question, Reviews
from ui.unsure import HOURS, UnsurePhotos
from ui.views import sign_in
from ui.views.history import moment
from ui.views.past_answers import square

HELD, UNSURE = "Labels of callers", "Unsure photos"
POSITIVE_KEY, NEGATIVE_KEY, UNKNOWN_KEY, UNDO_KEY = "1", "2", "3", "0"
COMING: Final = 6
"""Photos that are shown small, and loaded ahead."""
_COMING_PX: Final = 104
_ANSWERS, _PROBLEM = "label_answers", "label_problem"


def page() -> None:
    """Draw the page; Streamlit calls this again after every gesture."""
    st.title("Label", anchor=False)
    st.markdown(
        "What you say here teaches: it counts more than what callers say, and the next training "
        "learns of it."
    )
    try:
        configuration = Configuration.load()
    except NotConfiguredError as error:
        st.info(str(error), icon=":material/power_settings_new:")
        return
    kind = st.segmented_control(
        "Which photos", [HELD, UNSURE], default=HELD, required=True, label_visibility="collapsed"
    )
    try:
        questions = _questions(configuration, str(kind))
        _show(configuration, str(kind), questions)
    except AwsError as error:
        st.error(str(error), icon=":material/cloud_off:")
        st.button("Try again", icon=":material/refresh:", on_click=_forget)


@st.cache_resource(max_entries=1, show_spinner=False)
def _reviews(configuration: Configuration) -> Reviews:
    return Reviews(Lake(configuration), UnsurePhotos(configuration))


@st.cache_resource(max_entries=1, show_spinner=False)
def _previews(configuration: Configuration) -> Previews:
    return Previews(_reviews(configuration).photo)


def _questions(configuration: Configuration, kind: str) -> tuple[Question, ...]:
    """What waited when this visit asked first; answers leave their place, so progress is seen."""
    known: dict[str, tuple[Question, ...]] = st.session_state.setdefault("label_questions", {})
    if kind not in known:
        with st.spinner("Looking for photos …"):
            reviews = _reviews(configuration)
            known[kind] = reviews.held() if kind == HELD else reviews.unsure(datetime.now(UTC))
    return known[kind]


def _forget() -> None:
    st.session_state.pop("label_questions", None)
    st.session_state.pop(_ANSWERS, None)
    _reviews.clear()
    _previews.clear()


def _answers() -> list[Answer]:
    answers: list[Answer] = st.session_state.setdefault(_ANSWERS, [])
    return answers


def _show(configuration: Configuration, kind: str, questions: Sequence[Question]) -> None:
    answered = {each.question.photo for each in _answers()}
    left = [each for each in questions if each.photo not in answered]
    if problem := st.session_state.pop(_PROBLEM, None):
        st.error(problem, icon=":material/error:")
    done = len(questions) - len(left)
    if questions:
        st.progress(done / len(questions), text=f"{done} of {len(questions)} looked at")
    if not left:
        _show_end(kind, anything=bool(questions))
        _show_undo(configuration)
        return
    previews = _previews(configuration)
    previews.ahead(each.photo for each in left[: COMING + 1])
    asked = left[0]
    photo, said = st.columns([3, 2], gap="medium")
    with photo:
        _show_photo(previews, asked)
    with said:
        _show_question(asked)
        _show_choices(configuration, asked)
        _show_undo(configuration)
        sign_in.offer(configuration)
    _show_coming(previews, left[1 : COMING + 1])


def _show_end(kind: str, *, anything: bool) -> None:
    if anything:
        st.success("That was the last one. Thank you!", icon=":material/task_alt:")
    elif kind == HELD:
        st.info("No label waits for anybody.", icon=":material/inbox:")
    else:
        st.info(
            f"There is no photo of the last {HOURS // 24} days that the model was unsure about "
            "and nobody has labelled.",
            icon=":material/inbox:",
        )
    st.button("Look for more", icon=":material/refresh:", on_click=_forget)


def _show_photo(previews: Previews, asked: Question) -> None:
    try:
        image = previews.get(asked.photo)
    except GoneError:
        st.warning("This photo is gone: it has expired or was erased.", icon=":material/delete:")
        return
    if image is None:
        st.warning("This photo cannot be shown.", icon=":material/broken_image:")
        return
    st.image(image, width="stretch", alt="The photo in question")


def _show_question(asked: Question) -> None:
    if asked.held:
        label = say.plain(words.label_words(asked.held.label))
        st.markdown(f"A caller says it is **{label}**.")
        st.caption(say.plain(f"Held because: {asked.held.reason}."))
        st.caption(f"Said on {moment(parse_utc(asked.held.labelled_at))}.")
    elif asked.prediction:
        one = asked.prediction
        st.markdown(f"The model is not sure: **{words.likelihood(one.probability)}**.")
        st.caption(f"Version {say.plain(one.model_version)}, {moment(one.predicted_at)}.")
    st.markdown("**What does it show?**")


def _show_choices(configuration: Configuration, asked: Question) -> None:
    off = sign_in.who(configuration) is None
    for text, label, key in (
        (words.label_words(LABELS.positive).capitalize(), LABELS.positive, POSITIVE_KEY),
        (words.label_words(LABELS.negative).capitalize(), LABELS.negative, NEGATIVE_KEY),
        ("Nobody can tell", None, UNKNOWN_KEY),
    ):
        st.button(
            text,
            key=f"label-{label}",
            shortcut=key,
            width="stretch",
            disabled=off,
            on_click=_answer,
            args=(configuration, asked, label),
        )


def _answer(configuration: Configuration, asked: Question, label: str | None) -> None:
    """Runs before the page is drawn again, which then shows the next photo."""
    who = sign_in.who(configuration)
    if who is None or any(each.question.photo == asked.photo for each in _answers()):
        return
    try:
        _answers().append(_reviews(configuration).answer(asked, label, who))
    except AwsError as error:
        st.session_state[_PROBLEM] = f"Not noted. {error}"


def _show_undo(configuration: Configuration) -> None:
    answers = _answers()
    if not answers:
        return
    label = answers[-1].label
    st.button(
        f"Undo: {words.label_words(label) if label else 'nobody can tell'}",
        key="label-undo",
        type="tertiary",
        icon=":material/undo:",
        shortcut=UNDO_KEY,
        on_click=_take_back,
        args=(configuration,),
    )


def _take_back(configuration: Configuration) -> None:
    if sign_in.who(configuration) is None or not _answers():
        return
    try:
        _reviews(configuration).take_back(_answers()[-1])
    except AwsError as error:
        st.session_state[_PROBLEM] = f"Not taken back. {error}"
    else:
        _answers().pop()


def _show_coming(previews: Previews, coming: Sequence[Question]) -> None:
    if not coming:
        return
    st.caption("Next")
    with st.container(horizontal=True):
        for place, one in enumerate(coming[:COMING], start=1):
            try:
                image = previews.get(one.photo)
            except AwsError:
                image = None
            if image is None:
                st.caption("gone")
            else:
                st.image(square(image, _COMING_PX), width=_COMING_PX, alt=f"Coming photo {place}")
