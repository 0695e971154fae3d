"""Ask: photos in, the verdict on each with its reasons out, and the person's word on it back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import streamlit as st

from areyouacat.settings import IMAGES
from ui import words
from ui.api_errors import ApiError, NoModelYetError
from ui.aws import AwsError
from ui.client import Api, HttpApi
from ui.configuration import Configuration, NotConfiguredError
from ui.lake import Lake
from ui.samples import Samples
from ui.views import answer, past_answers
from ui.visit import Visit

UPLOAD, CAMERA, SAMPLE = "Upload photos", "Use the camera", "Try a sample"
INTRODUCTION: Final = (
    "Show a photo, see what the model makes of it and why. It learns from what you tell it."
)
STATUS_SECONDS: Final = 10
"""How long the API's state is believed before it is asked again."""
MOST_AT_ONCE: Final = 20
SAMPLE_PX: Final = 104  # three in a row on a phone
_VISIT = "visit"
_SAMPLE = "ask_sample"

Photos = Sequence[tuple[str, bytes]]
"""What a person chose: titles and bytes."""


def page() -> None:
    """Draw the page; Streamlit calls this again after every gesture."""
    st.title(words.QUESTION, anchor=False)
    st.markdown(INTRODUCTION)
    try:
        configuration = Configuration.load()
    except NotConfiguredError as error:
        st.info(str(error), icon=":material/power_settings_new:")
        return
    if not _can_judge(configuration):
        return
    visit: Visit = st.session_state.setdefault(_VISIT, Visit())
    api = _api(configuration)
    _look_at(api, visit, _chosen(configuration))
    if shown := visit.get(st.session_state.get(past_answers.SHOWN)):
        answer.show(api, visit, shown)
    past_answers.show(visit)


@st.cache_resource(max_entries=1, show_spinner=False)
def _api(configuration: Configuration) -> HttpApi:
    return HttpApi(configuration)


@st.cache_resource(max_entries=1, show_spinner=False)
def _samples(configuration: Configuration) -> Samples:
    return Samples(Lake(configuration))


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


def _chosen(configuration: Configuration) -> Photos:
    """The photos that the person gives now."""
    way = st.segmented_control(
        "Where the photos come from",
        [UPLOAD, CAMERA, SAMPLE],
        default=UPLOAD,
        required=True,
        label_visibility="collapsed",
        on_change=st.session_state.pop,
        args=(_SAMPLE, None),
    )
    if way == CAMERA:
        taken = st.camera_input("Take a photo", label_visibility="collapsed")
        return [("Camera photo", taken.getvalue())] if taken else []
    if way == SAMPLE:
        return _chosen_sample(configuration)
    files = st.file_uploader(
        "Choose photos",
        type=[suffix.lower() for suffix in (*IMAGES.formats, "JPG")],
        accept_multiple_files=True,
        label_visibility="collapsed",
    )
    if len(files) > MOST_AT_ONCE:
        st.warning(
            f"These are {len(files)} photos. The first {MOST_AT_ONCE} are looked at; "
            "give the others afterwards.",
            icon=":material/filter_none:",
        )
    return [(file.name, file.getvalue()) for file in files[:MOST_AT_ONCE]]


def _chosen_sample(configuration: Configuration) -> Photos:
    try:
        with st.spinner("Looking for samples …"):
            samples = _samples(configuration)
            names = samples.names()
        if not names:
            st.info("No photos have been put into the data lake yet.", icon=":material/inbox:")
        _offer_samples(samples, names)
        chosen: str | None = st.session_state.get(_SAMPLE)
        if chosen is None or chosen not in names:
            return []
        return [(f"Sample {names.index(chosen) + 1}", samples.photo(chosen))]
    except AwsError as error:
        _samples.clear()  # the next look may find other credentials
        st.error(str(error), icon=":material/cloud_off:")
        st.button("Try again", icon=":material/refresh:")
        return []


def _offer_samples(samples: Samples, names: Sequence[str]) -> None:
    if names:
        st.caption("From the photos that the model was built on: it should do well here.")
    with st.container(horizontal=True):
        for number, name in enumerate(names, start=1):
            with st.container(width=SAMPLE_PX, gap="small"):
                image = samples.previews.get(name)
                if image is not None:
                    st.image(past_answers.square(image, SAMPLE_PX), alt=f"Sample photo {number}")
                st.button(
                    f"Sample {number}",
                    width="stretch",
                    on_click=_choose_sample,
                    args=(name,),
                )


def _choose_sample(name: str) -> None:
    """Also one that was asked before is shown again."""
    st.session_state[_SAMPLE] = name
    st.session_state[past_answers.SHOWN] = name


def _look_at(api: Api, visit: Visit, chosen: Photos) -> None:
    """Ask what was not asked yet; the first answer is shown. Left half-way, it goes on later."""
    new = [(title, photo) for title, photo in chosen if not visit.knows(photo)]
    if not new:
        return
    progress = st.progress(0.0, text=_looking_at(0, len(new)))
    try:
        for number, (title, photo) in enumerate(new):
            progress.progress(number / len(new), text=_looking_at(number, len(new)))
            one = visit.ask(api, photo, title)
            if number == 0:
                st.session_state[past_answers.SHOWN] = one.name
    except NoModelYetError as error:
        st.info(str(error), icon=":material/model_training:")
    finally:
        progress.empty()


def _looking_at(number: int, count: int) -> str:
    return "Looking at your photo …" if count == 1 else f"Looking at photo {number + 1} of {count}"
