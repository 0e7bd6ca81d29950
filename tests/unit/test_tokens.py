"""Hub tokens: what they allow, when they end, and that nobody else can make them."""

import json
import re
import time
from datetime import datetime

import pytest
from typer.testing import CliRunner

from infra.cli import app
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


def test_the_command_prints_a_token_of_the_scope_and_time_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRIPDECK_HUB_SECRET", SECRET)
    printed = CliRunner().invoke(app, ["token", "--scope", "read", "--hours", "2"])
    expiry = check_token(SECRET, printed.stdout.strip(), "read")
    assert expiry == pytest.approx(time.time() + 2 * 3_600, abs=60)
    with pytest.raises(ForbiddenError):
        check_token(SECRET, printed.stdout.strip(), "write")
    document = json.loads(CliRunner().invoke(app, ["token", "--json"]).stdout)
    assert document["scope"] == "write"
    assert datetime.fromisoformat(document["expires_at"]).timestamp() == check_token(SECRET, document["token"], "write")


def test_without_a_secret_there_is_no_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TRIPDECK_HUB_SECRET", raising=False)
    result = CliRunner().invoke(app, ["token"])
    assert (result.exit_code, result.stdout) == (2, "")
    assert "TRIPDECK_HUB_SECRET" in result.stderr
