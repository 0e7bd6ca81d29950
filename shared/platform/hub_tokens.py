"""Hub tokens: a scope and an expiry, signed with the hub's secret (HMAC-SHA256).

    token = make_token(secret, "write", lifetime_s=3600)
    check_token(secret, token, "read")        # write includes read, read includes feed

A token is `scope.expiry.signature`, made of characters that a header, a URL and a WebSocket subprotocol take as they are.
Units: expiry in seconds since 1970.
"""

import base64
import hashlib
import hmac
import time
from typing import Final, Literal, get_args

from shared.platform.errors import TerminalError

Scope = Literal["feed", "read", "write"]
"""What a token allows; each includes those before it: follow the feed, ask questions, upload and change loads."""

SCOPES: Final[tuple[Scope, ...]] = get_args(Scope)
_CONTEXT: Final = b"tripdeck hub token 1\n"


class UnauthorizedError(TerminalError):
    """No token, or one that isn't good: get a new one."""

    code = "unauthorized"


class ForbiddenError(TerminalError):
    """A good token, or no need of one, but not for this."""

    code = "forbidden"


def make_token(secret: str, scope: Scope, *, lifetime_s: float = 3600) -> str:
    """Make a token that expires lifetime_s from now."""
    body = f"{scope}.{int(time.time() + lifetime_s)}"
    return f"{body}.{_sign(secret, body)}"


def check_token(secret: str, token: str, scope: Scope) -> int:
    """Check a token for what it is to allow; returns its expiry.

    Raises: UnauthorizedError when it isn't ours or is too old, ForbiddenError when its scope is too small.
    """
    body, _, signature = token.rpartition(".")
    if not hmac.compare_digest(signature.encode(), _sign(secret, body).encode()):
        raise UnauthorizedError("The token isn't one of this hub; ask for a new one.")
    granted, _, expiry = body.partition(".")
    if int(expiry) <= time.time():
        raise UnauthorizedError("The token has expired; ask for a new one.")
    if granted not in SCOPES[SCOPES.index(scope) :]:
        raise ForbiddenError(f"This needs a token for {scope}; this one is for {granted}.")
    return int(expiry)


def _sign(secret: str, body: str) -> str:
    digest = hmac.new(secret.encode(), _CONTEXT + body.encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")
