"""The alarms on the Health page: those that ring in full, the others in one place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import streamlit as st

from ui import deployment_words as say
from ui.alarms import Alarm, AlarmState
from ui.views.history import moment

_WORDS: Final = {
    AlarmState.ALARM: ":red[:material/notifications_active:] **in alarm**",
    AlarmState.OK: ":green[:material/check_circle:] **fine**",
    AlarmState.UNKNOWN: ":material/help: **no data yet**",
}


def show(found: Sequence[Alarm]) -> None:
    """Draw all alarms of the stack."""
    st.header("Alarms", anchor=False)
    ringing = [each for each in found if each.state is AlarmState.ALARM]
    calm = [each for each in found if each.state is not AlarmState.ALARM]
    if not found:
        st.info("The stack has no alarms.", icon=":material/notifications_off:")
        return
    if not ringing:
        st.success(_calm_words(calm), icon=":material/notifications:")
    for each in ringing:
        with st.container(border=True, gap="small"):
            st.markdown(_line(each))
            st.caption(say.plain(f"{each.meaning} {each.reason}"))
    every = st.expander(
        f"All {len(found)} alarms", key="health_alarms", icon=":material/list:", on_change="rerun"
    )
    with every:
        for each in found if every.open else ():
            st.markdown(_line(each))
            st.caption(say.plain(each.meaning))


def _line(one: Alarm) -> str:
    return f"{_WORDS[one.state]} {say.plain(one.title)}, since {say.plain(moment(one.since))}"


def _calm_words(calm: Sequence[Alarm]) -> str:
    unknown = sum(each.state is AlarmState.UNKNOWN for each in calm)
    if not unknown:
        return f"None of {len(calm)} alarms rings."
    return f"None of {len(calm)} alarms rings; {unknown} have had nothing to judge yet."
