"""Access: which hosts, origins and tokens are accepted.

Without a secret the hub trusts whoever reaches loopback. A page of somebody else reaches it too, through the user's browser: its
Origin gives it away, or, when its name was made to point here (DNS rebinding), the Host it asks for.
"""

import ipaddress
import time
from collections.abc import Iterable, Mapping
from typing import Final
from urllib.parse import urlsplit

from shared.platform.errors import SettingsError
from shared.platform.hub_tokens import ForbiddenError, Scope, UnauthorizedError, check_token
from shared.platform.settings import Settings

PROTOCOL: Final = "tripdeck.v1"
_MIN_SECRET_CHARACTERS: Final = 16


class Access:
    """Checks requests against the settings."""

    def __init__(self, settings: Settings) -> None:
        self.secret = settings.hub_secret.get_secret_value() if settings.hub_secret else ""
        self._origins = frozenset(origin.rstrip("/") for origin in settings.allowed_origins)
        self._hosts = None if self.secret or settings.hub_allow_anyone else _list_own_hosts(settings)
        if self.secret and len(self.secret) < _MIN_SECRET_CHARACTERS:
            raise SettingsError(f"TRIPDECK_HUB_SECRET must have at least {_MIN_SECRET_CHARACTERS} characters.")
        if self._hosts is not None and not is_loopback(settings.hub_host):
            raise SettingsError(
                f"Without TRIPDECK_HUB_SECRET the hub listens on loopback only, not on {settings.hub_host}: set the secret, or "
                "TRIPDECK_HUB_ALLOW_ANYONE=true if everybody who reaches it may change everything."
            )

    def allows_origin(self, origin: str) -> bool:
        """Whether pages of this origin may call."""
        return origin in self._origins

    def check_origin(self, headers: Mapping[str, str]) -> None:
        """Check that a change does not come from a page of another origin. Raises: ForbiddenError."""
        origin = headers.get("Origin")
        if (origin is not None and not self.allows_origin(origin)) or (
            origin is None and headers.get("Sec-Fetch-Site") == "cross-site"
        ):
            raise ForbiddenError("Pages of this origin may not change anything; TRIPDECK_ALLOWED_ORIGINS lists those that may.")

    def check_host(self, host: str) -> None:
        """Check the Host header. Raises: ForbiddenError."""
        if self._hosts is not None and _host_name(host) not in self._hosts:
            raise ForbiddenError("The hub isn't known by this host name; use 127.0.0.1, or set TRIPDECK_API_PUBLIC_URL to it.")

    def check_token(self, token: str | None, scope: Scope) -> int | None:
        """Check the token where one is needed; returns its expiry. Raises: UnauthorizedError, ForbiddenError."""
        if not self.secret:
            return None
        if not token:
            raise UnauthorizedError("This needs a token: send it as Authorization: Bearer TOKEN.")
        return check_token(self.secret, token, scope)

    @staticmethod
    def count_seconds_to(expires_at: int) -> float:
        """Return the seconds until a token expires."""
        return max(0.0, expires_at - time.time())

    @staticmethod
    def is_good_until(expires_at: int | None) -> bool:
        """Whether a token is still good; None where none is needed."""
        return expires_at is None or time.time() < expires_at


def parse_bearer(header: str | None) -> str | None:
    """Return the bearer token of an Authorization header."""
    scheme, _, token = (header or "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def parse_subprotocols(offered: Iterable[str]) -> str | None:
    """Return the token among the WebSocket subprotocols that a browser offers."""
    return next((entry for entry in offered if entry != PROTOCOL), None)


def is_loopback(host: str) -> bool:
    """Whether an address to listen on is reached from this machine only."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _list_own_hosts(settings: Settings) -> frozenset[str]:
    urls = (settings.api_url, settings.browser_api_url)
    return frozenset({"localhost", "127.0.0.1", "::1", settings.hub_host, *(urlsplit(url).hostname or "" for url in urls)})


def _host_name(host: str) -> str:
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""
