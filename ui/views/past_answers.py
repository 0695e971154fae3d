"""The photos of this visit, small, each with its verdict and the way back to it."""

from __future__ import annotations

from typing import Final

import streamlit as st
from PIL import Image, ImageOps

from ui import deployment_words as say
from ui import words
from ui.visit import Asked, Visit

SHOWN: Final = "ask_shown"
"""Where the session's state has the name of the photo that is shown large."""
CARD_PX: Final = 150


def show(visit: Visit) -> None:
    """Draw them, the newest first; nothing while there is but one."""
    if len(visit) < 2:
        return
    st.header("This visit", anchor=False)
    with st.container(horizontal=True):
        for number, one in zip(range(len(visit), 0, -1), visit, strict=True):
            with st.container(width=CARD_PX, gap="small"):
                _show_card(number, one)


def square(image: Image.Image, side_px: int = CARD_PX) -> Image.Image:
    """A photo's middle, `side_px` a side."""
    return ImageOps.fit(image, (side_px, side_px))


def _show_card(number: int, one: Asked) -> None:
    if one.shown is not None:
        st.image(square(one.shown), alt=f"Photo {number}: {one.title}")
    st.caption(_line(one))
    st.button(
        f"Show photo {number}",
        key=f"show-{one.name}",
        width="stretch",
        disabled=one.name == st.session_state.get(SHOWN),
        on_click=_choose,
        args=(one.name,),
    )


def _line(one: Asked) -> str:
    if one.erased:
        return ":material/delete: Erased"
    if one.prediction is None:
        return ":material/error: No answer"
    said = words.headline(one.prediction).rstrip(".")
    likely = words.percent(one.prediction.probability)
    noted = f", noted as {words.label_words(one.label)}" if one.label else ""
    return say.plain(f"{said} ({likely}){noted}")


def _choose(name: str) -> None:
    st.session_state[SHOWN] = name
