"""The answer to one photo: verdict, probability, reasons on the photo; what to say back."""

from __future__ import annotations

import streamlit as st

from areyouacat.settings import LABELS, UNSURE
from ui import deployment_words as say
from ui import heat_map, words
from ui.answers import Prediction
from ui.client import Api
from ui.visit import Asked, Visit


def show(api: Api, visit: Visit, one: Asked) -> None:
    """Draw it as it stands: answered, refused or erased."""
    if one.erased:
        st.success(one.erased, icon=":material/delete:")
    elif one.prediction is None:
        st.error(
            f"**{say.plain(one.title)}** {say.plain(one.problem or '')}", icon=":material/error:"
        )
        if one.may_retry:
            st.button(
                "Try again", icon=":material/refresh:", on_click=visit.ask_again, args=(api, one)
            )
    else:
        _show_prediction(api, visit, one, one.prediction)


def _show_prediction(api: Api, visit: Visit, one: Asked, prediction: Prediction) -> None:
    st.header(words.headline(prediction), anchor=False)
    st.progress(
        min(max(prediction.probability, 0.0), 1.0), text=words.likelihood(prediction.probability)
    )
    if prediction.verdict == UNSURE:
        st.caption("The model is not sure about this one. Your answer helps it most here.")
    else:
        st.caption(words.calibration(prediction.probability))
    seen, said = st.columns([3, 2], gap="medium")
    with said:
        _show_feedback(api, visit, one, prediction)
        strength = _heat_map_strength(prediction)
        model = prediction.model
        st.caption(
            f"{say.plain(one.title)}, answered by {say.plain(model.name)}, version "
            f"{say.plain(model.version)} ({model.role})."
        )
        _offer_to_erase(api, visit, one)
        if one.trouble:
            st.error(one.trouble, icon=":material/error:")
    with seen:
        _show_photo(one, prediction, strength)


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


def _show_photo(one: Asked, prediction: Prediction, strength: float) -> None:
    if one.shown is None:
        return
    shown = one.shown
    alt = f"Your photo. {words.headline(prediction)}"
    if strength > 0:
        shown = heat_map.overlay(shown, prediction.explanation, strength)
        alt += " Colours show the parts that decided."
    st.image(shown, width="stretch", alt=alt)


def _show_feedback(api: Api, visit: Visit, one: Asked, prediction: Prediction) -> None:
    if one.label is not None:
        st.success(
            f"Thank you! Noted as {words.label_words(one.label)}.", icon=":material/favorite:"
        )
        st.button(
            "Undo",
            help="Take back what you said, as if you had said nothing.",
            type="tertiary",
            icon=":material/undo:",
            on_click=visit.withdraw,
            args=(api, one),
        )
    elif prediction.verdict == UNSURE:
        st.write("**What is it really?**")
        choices = [
            (words.label_words(label).capitalize(), label)
            for label in (LABELS.positive, LABELS.negative)
        ]
        _offer_feedback(api, visit, one, choices)
    else:
        st.write("**Is that right?**")
        choices = [
            (":material/thumb_up: Right", prediction.verdict),
            (":material/thumb_down: Wrong", LABELS.other(prediction.verdict)),
        ]
        _offer_feedback(api, visit, one, choices)


def _offer_feedback(api: Api, visit: Visit, one: Asked, choices: list[tuple[str, str]]) -> None:
    with st.container(horizontal=True):
        for text, label in choices:
            st.button(
                text,
                key=f"feedback-{one.name}-{label}",
                width="stretch",
                on_click=visit.say,
                args=(api, one, label),
            )


def _offer_to_erase(api: Api, visit: Visit, one: Asked) -> None:
    with st.popover("Erase this photo", type="tertiary", icon=":material/delete:"):
        st.write("Delete the photo, this answer and what you said about it, for good?")
        st.button("Yes, erase it", on_click=visit.erase, args=(api, one))
