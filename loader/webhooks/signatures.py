"""Signatures of messages, as Standard Webhooks defines them: HMAC-SHA256 over id, instant and body.

secret = make_secret()
headers = sign(secret, "msg_7f…", body, at=time.time())
verify(secret, headers, body, now=time.time())

Source: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from typing import Final

from shared.platform.hub_tokens import UnauthorizedError

_PREFIX: Final = "whsec_"
_KEY_BYTES: Final = 32
_VERSION: Final = "v1"
TOLERANCE_S: Final = 300.0
"""Age from which a message is refused, so that a recorded one can't be sent again later."""


def make_secret() -> str:
    """Make a random key, in the form that receivers' libraries take."""
    return _PREFIX + base64.b64encode(secrets.token_bytes(_KEY_BYTES)).decode()


def sign(secret: str, message_id: str, body: bytes, *, at: float) -> dict[str, str]:
    """Make the headers of a message. Units: at in seconds since 1970."""
    timestamp = str(int(at))
    signature = f"{_VERSION},{_compute(secret, message_id.encode(), timestamp.encode(), body)}"
    return {"webhook-id": message_id, "webhook-timestamp": timestamp, "webhook-signature": signature}


def verify(secret: str, headers: Mapping[str, str], body: bytes, *, now: float) -> str:
    """Check a message, and return its id. headers: names in lower case. Units: now in seconds since 1970.

    Raises: UnauthorizedError when a header is missing, no signature is that of the message, or the message is too old or too new.
    """
    try:
        message_id, timestamp, signatures = (headers[f"webhook-{name}"] for name in ("id", "timestamp", "signature"))
        age_s = abs(now - int(timestamp))
    except (KeyError, ValueError) as error:
        raise UnauthorizedError("The message has no webhook headers that can be read.") from error
    wanted = f"{_VERSION},{_compute(secret, message_id.encode(), timestamp.encode(), body)}"
    if not any(hmac.compare_digest(wanted.encode(), given.encode()) for given in signatures.split(" ")):
        raise UnauthorizedError("No signature of the message is made with this secret.")
    if age_s > TOLERANCE_S:
        raise UnauthorizedError(f"The message was signed {age_s:.0f} s ago, or ahead of this clock.")
    return message_id


def _compute(secret: str, *content: bytes) -> str:
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except binascii.Error as error:
        raise ValueError("a webhook's secret is whsec_ and base64") from error
    return base64.b64encode(hmac.new(key, b".".join(content), hashlib.sha256).digest()).decode()
