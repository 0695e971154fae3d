"""Ask: a photo in, the verdict with its reasons out, and the person's word on it back."""

from __future__ import annotations

import hashlib
import uuid

import streamlit as st

from areyouacat.settings import IMAGES, LABELS, UNSURE
from ui import heat_map, photos, words
from ui.answers import Prediction
from ui.api_errors import ApiError, NoModelYetError, UnknownPredictionError
from ui.client import Api, HttpApi
from ui.configuration import Configuration, NotConfiguredError

UPLOAD, CAMERA = "Upload a photo", "Use the camera"
INTRODUCTION = (
    "Show a photo, see what the model makes of it and why. It learns from what you tell it."
)
STATUS_SECONDS = 10
"""How long the API's state is believed before it is asked again."""


def page() -> None:
    """Draw the page; Streamlit calls this again after every gesture."""
    st.title(words.QUESTION, anchor=False)
    st.markdown(INTRODUCTION)
    try:
        configuration = Configuration.load()
    except NotConfiguredError as error:
        st.info(str(error), icon=":material/power_settings_new:")
        return
    if _can_judge(configuration) and (photo := _chosen_photo()):
        _answer(_api(configuration), photo)


@st.cache_resource(max_entries=1)
def _api(configuration: Configuration) -> HttpApi:
    return HttpApi(configuration)


@st.cache_data(ttl=STATUS_SECONDS, show_spinner=False)
def _model_version(configuration: Configuration) -> str | None:
    return _api(configuration).health().model_version


def _can_judge(configuration: Configuration) -> bool:
    """Whether photos can be judged; if not, say why and what to do."""
    try:
        version = _model_version(configuration)
    except ApiError as error:
        st.error(str(error), icon=":material/cloud_off:")
        st.button("Try again", icon=":material/refresh:", on_click=_model_version.clear)
        return False
    if version is None:
        st.info(
            "There is no model yet. `make train` trains the first one; it takes a minute or two.",
            icon=":material/model_training:",
        )
        st.button("Look again", icon=":material/refresh:", on_click=_model_version.clear)
        return False
    return True


def _chosen_photo() -> bytes | None:
    way = st.segmented_control(
        "Where the photo comes from",
        [UPLOAD, CAMERA],
        default=UPLOAD,
        required=True,
        label_visibility="collapsed",
    )
    if way == CAMERA:
        chosen = st.camera_input("Take a photo", label_visibility="collapsed")
    else:
        chosen = st.file_uploader(
            "Choose a photo",
            type=[suffix.lower() for suffix in (*IMAGES.formats, "JPG")],
            label_visibility="collapsed",
        )
    return chosen.getvalue() if chosen else None


def _answer(api: Api, photo: bytes) -> None:
    name = hashlib.sha256(photo).hexdigest()
    erased: dict[str, str] = st.session_state.setdefault("erased", {})
    if name in erased:
        st.success(erased[name], icon=":material/delete:")
        return
    try:
        with st.spinner("Looking at your photo …"):
            prediction = _predict_once(api, name, photo)
    except NoModelYetError as error:
        st.info(str(error), icon=":material/model_training:")
        return
    except ApiError as error:
        st.error(str(error), icon=":material/error:")
        return
    _show_verdict(prediction)
    seen, said = st.columns([3, 2], gap="medium")
    with said:
        _ask_for_feedback(api, prediction)
        strength = _heat_map_strength(prediction)
        model = prediction.model
        st.caption(f"Answered by {model.name}, version {model.version} ({model.role}).")
        _offer_to_erase(api, name, prediction)
    with seen:
        _show_photo(photo, prediction, strength)


def _predict_once(api: Api, name: str, photo: bytes) -> Prediction:
    """One prediction per photo and visit: moving a slider is no new question."""
    known: dict[str, Prediction] = st.session_state.setdefault("predictions", {})
    if name not in known:
        known[name] = api.predict(photos.to_send(photo), session=_visit())
    return known[name]


def _visit() -> str:
    """Names this visit: all visitors share one API key, and each keeps the model that answers."""
    visit: str = st.session_state.setdefault("visit", str(uuid.uuid4()))
    return visit


def _show_verdict(prediction: Prediction) -> None:
    st.subheader(words.headline(prediction), anchor=False)
    st.progress(
        min(max(prediction.probability, 0.0), 1.0), text=words.likelihood(prediction.probability)
    )
    if prediction.verdict == UNSURE:
        st.caption("The model is not sure about this one. Your answer helps it most here.")


def _heat_map_strength(prediction: Prediction) -> float:
    """How strong the person wants the heat map, in [0, 1]; 0 without one."""
    if not prediction.explanation or not st.toggle("Show what decided", value=True):
        return 0.0
    strength = st.slider("Strength of the colours", 0, 100, 70, step=5, format="%d %%")
    st.html(
        '<div style="font-size: 0.875rem">'
        f"{_swatch(heat_map.FOR_RGB)} speaks for {LABELS.positive_words}<br>"
        f"{_swatch(heat_map.AGAINST_RGB)} speaks against it</div>"
    )
    return strength / 100


def _swatch(colour: tuple[int, int, int]) -> str:
    return f'<span aria-hidden="true" style="color: rgb{colour}">■</span>'


def _show_photo(photo: bytes, prediction: Prediction, strength: float) -> None:
    shown = photos.to_show(photo)
    if shown is None:
        return
    alt = f"Your photo. {words.headline(prediction)}"
    if strength > 0:
        shown = heat_map.overlay(shown, prediction.explanation, strength)
        alt += " Colours show the parts that decided."
    st.image(shown, width="stretch", alt=alt)


def _ask_for_feedback(api: Api, prediction: Prediction) -> None:
    given: dict[str, str] = st.session_state.setdefault("feedback", {})
    label = given.get(prediction.prediction_id)
    if label is not None:
        st.success(f"Thank you! Noted as {words.label_words(label)}.", icon=":material/favorite:")
        st.button(
            "That was a slip: change it",
            type="tertiary",
            icon=":material/undo:",
            on_click=_give_feedback,
            args=(api, prediction, LABELS.other(label)),
        )
    elif prediction.verdict == UNSURE:
        st.write("**What is it really?**")
        _feedback_buttons(
            api,
            prediction,
            (words.label_words(LABELS.positive).capitalize(), LABELS.positive),
            (words.label_words(LABELS.negative).capitalize(), LABELS.negative),
        )
    else:
        st.write("**Is that right?**")
        _feedback_buttons(
            api,
            prediction,
            (":material/thumb_up: Right", prediction.verdict),
            (":material/thumb_down: Wrong", LABELS.other(prediction.verdict)),
        )
    if problem := st.session_state.pop("feedback_problem", None):
        st.error(problem, icon=":material/error:")


def _feedback_buttons(api: Api, prediction: Prediction, *choices: tuple[str, str]) -> None:
    for column, (text, label) in zip(st.columns(len(choices)), choices, strict=True):
        column.button(
            text,
            key=f"feedback-{prediction.prediction_id}-{label}",
            width="stretch",
            on_click=_give_feedback,
            args=(api, prediction, label),
        )


def _give_feedback(api: Api, prediction: Prediction, label: str) -> None:
    """Runs before the page is drawn again, so the page then shows what came of it."""
    try:
        api.feedback(prediction.prediction_id, label)
    except ApiError as error:
        st.session_state["feedback_problem"] = str(error)
    else:
        st.session_state["feedback"][prediction.prediction_id] = label


def _offer_to_erase(api: Api, name: str, prediction: Prediction) -> None:
    with st.popover("Erase this photo", type="tertiary", icon=":material/delete:"):
        st.write("Delete the photo, this answer and what you said about it, for good?")
        st.button("Yes, erase it", on_click=_erase, args=(api, name, prediction))
    if problem := st.session_state.pop("erase_problem", None):
        st.error(problem, icon=":material/error:")


def _erase(api: Api, name: str, prediction: Prediction) -> None:
    """Runs before the page is drawn again, as `_give_feedback` does."""
    try:
        photo_erased = api.erase(prediction.prediction_id)
    except UnknownPredictionError as error:
        gone = str(error)
    except ApiError as error:
        st.session_state["erase_problem"] = str(error)
        return
    else:
        gone = words.erased(photo_erased=photo_erased)
    st.session_state["predictions"].pop(name, None)
    st.session_state["erased"][name] = gone
