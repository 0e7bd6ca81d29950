"""Hub tokens: what they allow, when they end, and that nobody else can make them."""

import re

import pytest

from shared.platform.hub_tokens import SCOPES, ForbiddenError, Scope, UnauthorizedError, check_token, make_token

SECRET = "a secret of the tests"


@pytest.mark.parametrize("granted", SCOPES)
@pytest.mark.parametrize("wanted", SCOPES)
def test_a_scope_includes_those_before_it(granted: Scope, wanted: Scope) -> None:
    token = make_token(SECRET, granted)
    if SCOPES.index(wanted) <= SCOPES.index(granted):
        assert check_token(SECRET, token, wanted) > 0
    else:
        with pytest.raises(ForbiddenError):
            check_token(SECRET, token, wanted)


def test_an_expired_token_is_refused() -> None:
    with pytest.raises(UnauthorizedError, match="expired"):
        check_token(SECRET, make_token(SECRET, "write", lifetime_s=-1), "feed")


@pytest.mark.parametrize(
    "forge",
    [
        lambda token: "",
        lambda token: "write",
        lambda token: "..",
        lambda token: "write.é.x",
        lambda token: token.replace("read", "write"),
        lambda token: re.sub(r"\.(\d+)\.", lambda found: f".{int(found[1]) + 1}.", token),
        lambda token: token[:-1],
        lambda token: make_token("another secret", "read"),
    ],
)
def test_a_forged_token_is_refused(forge: "object") -> None:
    assert callable(forge)
    with pytest.raises(UnauthorizedError):
        check_token(SECRET, forge(make_token(SECRET, "read")), "feed")


def test_a_token_fits_a_header_and_a_subprotocol() -> None:
    assert re.fullmatch(r"[A-Za-z0-9._-]+", make_token(SECRET, "write"))
