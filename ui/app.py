"""The web page's entry point: `python -m streamlit run ui/app.py` from the repository's root."""

from __future__ import annotations

import streamlit as st

from ui.views import ask, models
from ui.words import QUESTION

ICON = ":material/image_search:"

st.set_page_config(page_title=QUESTION, page_icon=ICON, layout="centered")
st.html("<style>.stMainBlockContainer { padding-top: 3rem; }</style>")
st.navigation(
    [
        st.Page(ask.page, title="Ask", icon=ICON, url_path="ask", default=True),
        st.Page(models.page, title="Models", icon=":material/alt_route:", url_path="models"),
    ],
    position="top",
).run()
