"""Pages by key: a token says after which row a page begins, so that pages stay right while rows come in before it.

    token = make_token(17, "u0j2w1", "u0j2w2")
    parse_token(token, (int, str, str))     # [17, "u0j2w1", "u0j2w2"]

Tokens are opaque to callers; what is in them may change.
"""

import base64
import binascii
import json
from collections.abc import Sequence
from typing import Any

from shared.platform.errors import RequestError

_MAX_NUMBER = 2**62


def make_token(*values: int | str) -> str:
    """Make the token of a row from its key."""
    return base64.urlsafe_b64encode(json.dumps(values, separators=(",", ":")).encode()).decode().rstrip("=")


def parse_token(token: str, kinds: Sequence[type]) -> list[Any]:
    """Read a token whose values are of the given kinds. Raises: RequestError."""
    try:
        values = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    except (binascii.Error, ValueError) as error:
        raise make_token_error() from error
    if not isinstance(values, list) or [type(value) for value in values] != list(kinds):
        raise make_token_error()
    if any(isinstance(value, int) and not 0 <= value < _MAX_NUMBER for value in values):
        raise make_token_error()
    return values


def make_token_error() -> RequestError:
    """Make the error of a token that isn't one."""
    return RequestError("after is the token of a former page, as it came.", parameter="after")
