"""Who may see the pages: whoever signed in by OpenID Connect where that is set up, else one local user on this machine.

With TRIPDECK_SIGN_IN_FILE set, nothing but the sign-in is drawn for a session without a signed-in user: no page, no number,
and no hub token, which pages make for their own session only. Source of the file's form: Streamlit's st.login, section [auth].
"""

import ipaddress
from typing import Final

import streamlit as st

from shared.platform.errors import SettingsError
from shared.platform.settings import Settings

_LOCAL_HOSTS: Final = ("localhost",)


def check_access(settings: Settings) -> None:
    """Refuse settings that would show the pages, or open the hub, to strangers. Raises: SettingsError."""
    if settings.sign_in_file is None:
        if not settings.ui_allow_anyone and not _is_loopback(settings.ui_host):
            raise SettingsError(
                f"Without TRIPDECK_SIGN_IN_FILE the web app listens on loopback only, not on {settings.ui_host}: set up the "
                "sign-in, or TRIPDECK_UI_ALLOW_ANYONE=true if everybody who reaches it may change everything."
            )
        return
    if not settings.sign_in_file.is_file():
        raise SettingsError(f"TRIPDECK_SIGN_IN_FILE: there is no file {settings.sign_in_file}.")
    if settings.hub_secret is None:
        raise SettingsError("TRIPDECK_SIGN_IN_FILE needs TRIPDECK_HUB_SECRET too: else the hub asks nobody who they are.")


def is_admitted(settings: Settings) -> bool:
    """Whether this session may see the pages."""
    return settings.sign_in_file is None or bool(st.user.get("is_logged_in"))


def render_sign_in() -> None:
    """The only thing that somebody sees who hasn't signed in."""
    _, middle, _ = st.columns([1, 1, 1])
    with middle:
        st.title("Tripdeck")
        st.write("Sign in to see the trips.")
        st.button("Sign in", key="sign_in", type="primary", icon=":material/login:", on_click=st.login, width="stretch")


def render_sign_out() -> None:
    """Forget who signed in; a page, so that it stands in the navigation."""
    st.logout()


def name_user() -> str:
    """Who signed in, as the provider names them."""
    return str(st.user.get("email") or st.user.get("name") or "signed in")


def _is_loopback(host: str) -> bool:
    try:
        return host in _LOCAL_HOSTS or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
