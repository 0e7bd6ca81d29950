"""The hub pass: a page that stays open gets a new token in time, so that tokens can be short.

Its uploads and feeds take it from the window; a feed that the hub closed because its token had expired comes back with the next.
"""

from functools import cache
from typing import Final

import streamlit as st
from streamlit.components.v2.types import ComponentRenderer

from ui.services.hub_client import TOKEN_LIFETIME_S
from ui.services.resources import get_resources
from ui.services.sign_in import is_admitted

# Two renewals may come late before the token expires.
_RENEWAL_S: Final = TOKEN_LIFETIME_S / 3

_SCRIPT: Final = """
export default function ({ data }) {
  window.__tripdeckToken = data.token;
  window.dispatchEvent(new Event('tripdeck:token'));
}
"""


@st.fragment(run_every=_RENEWAL_S)
def render_hub_pass() -> None:
    """Hand the page a token, and another one before it expires, for as long as its visitor is signed in."""
    resources = get_resources()
    if is_admitted(resources.settings):
        with st.container(key="hub_pass"):
            _get_component()(key="hub_token", data={"token": resources.hub.make_token("write")}, height=0)


@cache
def _get_component() -> ComponentRenderer:
    return st.components.v2.component("tripdeck_hub_pass", js=_SCRIPT)
