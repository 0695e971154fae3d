"""The web page's entry point: `python -m streamlit run ui/app.py` from the repository's root."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from ui.views import ask, health, label, models, training
from ui.words import QUESTION

ICON = ":material/image_search:"

# A file of ours: the picture of a named icon the browser would get from elsewhere.
TAB_ICON = Path(__file__).with_name("icon.svg")

st.set_page_config(page_title=QUESTION, page_icon=TAB_ICON, layout="centered")
FIRST = st.Page(ask.page, title="Ask", icon=ICON, default=True)
st.navigation(
    [
        FIRST,
        st.Page(lambda: st.switch_page(FIRST), title="Ask", url_path="ask", visibility="hidden"),
        st.Page(
            training.page,
            title="Training",
            icon=":material/model_training:",
            url_path="training",
        ),
        st.Page(models.page, title="Models", icon=":material/alt_route:", url_path="models"),
        st.Page(health.page, title="Health", icon=":material/monitor_heart:", url_path="health"),
        st.Page(label.page, title="Label", icon=":material/label:", url_path="label"),
    ],
    position="top",
).run()
