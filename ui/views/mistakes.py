"""The worst mistakes of two compared versions, as photos."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from areyouacat.comparison_record import ComparisonRecord, Mistake
from ui import deployment_words as say
from ui import words
from ui.aws import AwsError
from ui.lake import GoneError
from ui.previews import Previews
from ui.views.past_answers import CARD_PX, square


def show(previews: Previews, record: ComparisonRecord) -> None:
    """Draw those of each version, the surest first; what is gone from the lake is said so."""
    st.header("The worst mistakes", anchor=False)
    shown = [found for each in record.models for found in record.mistakes.get(each.version, ())]
    previews.ahead(dict.fromkeys(one.photo for one in shown))
    for model in record.models:
        st.subheader(f"Of version {model.version}", anchor=False)
        _show_version(previews, model.version, record.mistakes.get(model.version, ()))


def _show_version(previews: Previews, version: str, found: Sequence[Mistake]) -> None:
    if not found:
        st.caption("It made none on these photos.")
        return
    with st.container(horizontal=True):
        for place, one in enumerate(found, start=1):
            with st.container(width=CARD_PX, gap="small"):
                _show_photo(previews, one, f"Mistake {place} of version {version}: {_line(one)}")
                st.caption(say.plain(_line(one)))


def _show_photo(previews: Previews, one: Mistake, alt: str) -> None:
    try:
        image = previews.get(one.photo)
    except GoneError:
        st.caption(":material/delete: Erased since.")
        return
    except AwsError as error:
        st.caption(f":material/cloud_off: {say.plain(str(error))}")
        return
    if image is None:
        st.caption(":material/broken_image: It cannot be shown.")
    else:
        st.image(square(image), alt=alt)


def _line(one: Mistake) -> str:
    others = "the other version gets it right" if one.others_right else "the other is wrong, too"
    return (
        f"Labelled {words.label_words(one.label)}; {words.likelihood(one.probability)}; {others}."
    )
