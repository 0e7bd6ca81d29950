"""Signatures: the published example of Standard Webhooks, and whatever was changed on the way is refused."""

import re
import textwrap
from pathlib import Path
from typing import Any

import pytest

from loader.webhooks.signatures import TOLERANCE_S, make_secret, sign, verify
from shared.platform.hub_tokens import UnauthorizedError

# Source: the test vector of the Standard Webhooks specification's reference libraries.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
MESSAGE_ID, AT = "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330
BODY = b'{"test": 2432232314}'
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_the_published_example() -> None:
    headers = sign(SECRET, MESSAGE_ID, BODY, at=AT)
    assert headers == {"webhook-id": MESSAGE_ID, "webhook-timestamp": str(AT), "webhook-signature": SIGNATURE}
    assert verify(SECRET, headers, BODY, now=AT) == MESSAGE_ID


@pytest.mark.parametrize(
    ("change", "body"),
    [
        ({}, BODY + b" "),
        ({"webhook-id": "msg_other"}, BODY),
        ({"webhook-timestamp": str(AT + 1)}, BODY),
        ({"webhook-signature": "v1," + "A" * 43 + "="}, BODY),
        ({"webhook-signature": SIGNATURE.replace("v1", "v2")}, BODY),
        ({"webhook-signature": ""}, BODY),
        ({"webhook-signature": "v1,é"}, BODY),
        ({"webhook-timestamp": "soon"}, BODY),
    ],
)
def test_a_changed_message_is_refused(change: dict[str, str], body: bytes) -> None:
    with pytest.raises(UnauthorizedError):
        verify(SECRET, sign(SECRET, MESSAGE_ID, BODY, at=AT) | change, body, now=AT)


def test_another_secret_is_refused() -> None:
    with pytest.raises(UnauthorizedError):
        verify(make_secret(), sign(make_secret(), MESSAGE_ID, BODY, at=AT), BODY, now=AT)


@pytest.mark.parametrize("age_s", [TOLERANCE_S + 1, -TOLERANCE_S - 1])
def test_a_message_of_another_time_is_refused(age_s: float) -> None:
    with pytest.raises(UnauthorizedError, match="signed 301 s ago"):
        verify(SECRET, sign(SECRET, MESSAGE_ID, BODY, at=AT), BODY, now=AT + age_s)


def test_one_of_several_signatures_is_enough() -> None:
    headers = sign(SECRET, MESSAGE_ID, BODY, at=AT)
    headers["webhook-signature"] = f"v1a,other {headers['webhook-signature']}"
    assert verify(SECRET, headers, BODY, now=AT) == MESSAGE_ID


def test_the_checker_of_the_documentation_agrees() -> None:
    text = (Path(__file__).parents[2] / "docs/api.md").read_text(encoding="utf-8")
    block = re.search(r"((?:    .*\n|\n)*    def is_genuine(?:.*\n|\n)(?:        .*\n)*)", text)
    assert block
    names: dict[str, Any] = {}
    exec(textwrap.dedent(block[1]), names)
    headers = sign(SECRET, MESSAGE_ID, BODY, at=AT)
    assert names["is_genuine"](SECRET, headers, BODY)
    assert not names["is_genuine"](make_secret(), headers, BODY)
    assert not names["is_genuine"](SECRET, headers, BODY + b" ")
