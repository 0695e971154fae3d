"""Who acts in this visit, and the way to sign in where that is asked."""

from __future__ import annotations

import getpass
import time
from collections import deque
from typing import Final

import streamlit as st

from ui.configuration import Configuration
from ui.permission import Policy, Way

TRIES, TRIES_SECONDS = 5, 60.0
"""Wrong secrets in that time, by everybody together, before nobody may try."""
_SIGNED_IN: Final = "signed_in"
_PROBLEM: Final = "sign_in_problem"
_SOMEBODY: Final = "somebody who knows the secret of the page"


def who(configuration: Configuration) -> str | None:
    """Who acts, for the record; `None` if nobody may. Ask again in what a button calls."""
    policy = _policy(configuration)
    if policy.way is Way.OPEN:
        return _user()
    if policy.way is Way.SECRET and st.session_state.get(_SIGNED_IN):
        return _SOMEBODY
    if policy.way is Way.OIDC and st.user.get("is_logged_in"):
        return policy.names(st.user.to_dict())
    return None


def offer(configuration: Configuration) -> None:
    """Say why nobody may act yet, and how to sign in; nothing where somebody may. Once a page."""
    policy = _policy(configuration)
    if who(configuration) is not None:
        return
    if policy.way is Way.OFF:
        st.caption(policy.refusal or "")
    elif policy.way is Way.SECRET:
        with st.popover("Sign in to act", icon=":material/key:"):
            st.text_input("Secret", type="password", key="sign_in_secret")
            st.button("Sign in", on_click=_try_secret, args=(policy,))
            if problem := st.session_state.pop(_PROBLEM, None):
                st.error(problem, icon=":material/error:")
    elif st.user.get("is_logged_in"):
        st.caption("You are signed in, but UI_ACTORS does not name you: you may look, not act.")
        st.button("Sign out", on_click=st.logout)
    else:
        st.button("Sign in to act", icon=":material/key:", on_click=st.login)


def _policy(configuration: Configuration) -> Policy:
    return Policy.load(local=configuration.aws_endpoint_url is not None)


@st.cache_resource
def _wrong() -> deque[float]:
    """When wrong secrets were tried, by everybody."""
    return deque(maxlen=TRIES)


def _try_secret(policy: Policy) -> None:
    """Runs before the page is drawn again."""
    wrong, now = _wrong(), time.monotonic()
    offered = str(st.session_state.pop("sign_in_secret", ""))
    if len(wrong) == TRIES and now - wrong[0] < TRIES_SECONDS:
        st.session_state[_PROBLEM] = "Too many wrong secrets. Wait a minute."
    elif policy.knows_secret(offered):
        st.session_state[_SIGNED_IN] = True
    else:
        wrong.append(now)
        st.session_state[_PROBLEM] = "That is not the secret."


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container's user without a name
        return "somebody"
