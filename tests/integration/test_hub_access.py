"""Who may call a hub that has a secret, and where one without may listen."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine

from infra.embedded import find_free_ports
from infra.environment import make_environment
from loader.hub.api.operations import list_operations
from loader.hub.application import ROUTES
from loader.hub.support.access import Access
from shared.platform.errors import SettingsError
from shared.platform.hub_tokens import Scope, make_token
from shared.platform.settings import Settings
from tests.event_maker import make_load
from tests.hub import ROOT, HubServer, read_error
from tests.hub_fixtures import PAGE, hub_engine, hub_settings

__all__ = ["hub_engine", "hub_settings"]

SECRET = "a secret of these tests alone"
OPEN_PATHS = {"/healthz", "/readyz", "/metrics", "/openapi.json", "/docs"}
QUESTIONS = ("weekly-average", "trip-groups", "trip-groups/detail", "flows", "hours", "histograms", "sql")
READ_BY_POST = {f"/api/v1/{name}" for name in ("inspect", "places/inspect", *QUESTIONS)}
# Addresses may hold a secret.
WRITE_BY_GET = {"/api/v1/webhooks", "/api/v1/webhooks/{webhook_id}/deliveries"}


@pytest.fixture(scope="module")
def hub(hub_settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubServer]:
    settings = hub_settings.model_copy(update={"hub_secret": SecretStr(SECRET)})
    server = HubServer.start(settings, tmp_path_factory.mktemp("hub"))
    yield server
    server.stop()


def bearer(scope: Scope, *, secret: str = SECRET, lifetime_s: float = 60) -> dict[str, str]:
    return {"Authorization": f"Bearer {make_token(secret, scope, lifetime_s=lifetime_s)}"}


def list_calls() -> list[tuple[str, str, str | None]]:
    path_of = {"{load_id}": "1", "{upload_id}": "00000000-0000-0000-0000-000000000000", "{name}": "regions_of_datasource"}
    calls = []
    for route, handler in ROUTES:
        path = route
        for name, value in path_of.items():
            path = path.replace(name, value)
        calls += [(method.upper(), path, each.scope) for method, each in list_operations(handler).items()]
    return calls


@pytest.mark.parametrize(("method", "path", "scope"), list_calls())
def test_every_call_wants_a_token_of_its_scope(hub: HubServer, method: str, path: str, scope: str | None) -> None:
    assert (scope is None) == (path in OPEN_PATHS)
    if scope is None:
        assert hub.ask(method, path).status in (200, 503)
        return
    is_reading = method == "GET" or path in READ_BY_POST
    assert (scope == "write") == (not is_reading or path in WRITE_BY_GET)
    refused = hub.ask(method, path)
    assert (*read_error(refused), refused.headers["WWW-Authenticate"]) == (401, "unauthorized", "Bearer")
    assert read_error(hub.ask(method, path, headers=bearer("write", secret="another secret"))) == (401, "unauthorized")
    assert read_error(hub.ask(method, path, headers=bearer("write", lifetime_s=-1))) == (401, "unauthorized")
    if scope != "feed":
        smaller: Scope = "feed" if scope == "read" else "read"
        assert read_error(hub.ask(method, path, headers=bearer(smaller))) == (403, "forbidden")
        assert hub.ask(method, path, headers=bearer("write"), body=b"{}").status not in (401, 403)


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Basic abc", "Bearer write.99999999999.x", "bearer a.b.c"])
def test_what_is_no_token_is_refused(hub: HubServer, header: str) -> None:
    assert read_error(hub.get("/api/v1/loads", headers={"Authorization": header})) == (401, "unauthorized")


def test_a_preflight_needs_no_token(hub: HubServer) -> None:
    assert hub.ask("OPTIONS", "/api/v1/loads", headers={"Origin": PAGE}).status == 204


def test_a_good_token_does_not_let_a_foreign_page_in(hub: HubServer) -> None:
    headers = bearer("write") | {"Origin": "http://evil.example"}
    assert read_error(hub.ask("POST", "/api/v1/loads/1/cancel", headers=headers)) == (403, "forbidden")


def test_with_a_secret_any_host_name_will_do(hub: HubServer) -> None:
    assert hub.get("/api/v1/loads", headers=bearer("read") | {"Host": "hub.example"}).status == 200


@pytest.mark.parametrize(
    "subprotocols", [["tripdeck.v1"], ["tripdeck.v1", "write.1.x"], ["tripdeck.v1", make_token("another secret", "feed")]]
)
def test_the_feed_closes_for_who_has_no_good_token(hub: HubServer, subprotocols: list[str]) -> None:
    with hub.follow("/ws/loads", origin=PAGE, subprotocols=subprotocols) as feed:
        code, reason = feed.receive_close()
    assert (code, "token" in reason) == (4401, True)


def test_the_feed_takes_a_token_as_subprotocol_or_header(hub: HubServer, hub_engine: Engine) -> None:
    load_id = make_load(hub_engine)
    token = make_token(SECRET, "feed")
    with hub.follow("/ws/loads", origin=PAGE, subprotocols=["tripdeck.v1", token]) as feed:
        assert feed.receive()["kind"] == "snapshot"
        assert feed.connection.getsubprotocol() == "tripdeck.v1"
    with hub.follow(f"/ws/loads/{load_id}", header=[f"Authorization: Bearer {token}"]) as feed:
        assert feed.receive()["kind"] == "snapshot"


def test_the_feed_ends_when_the_token_does(hub: HubServer) -> None:
    with hub.follow("/ws/loads", header=[f"Authorization: {bearer('feed', lifetime_s=2)['Authorization']}"]) as feed:
        assert feed.receive()["kind"] == "snapshot"
        assert feed.receive_close() == (4401, "The token has expired; ask for a new one.")


@pytest.mark.parametrize(
    ("secret", "reason"), [(SECRET, "store_unavailable"), (None, "The object store can't be reached: MaxRetryError.")]
)
def test_readiness_tells_strangers_codes_alone(hub_settings: Settings, tmp_path: Path, secret: str | None, reason: str) -> None:
    """Sentences may name addresses; only a hub without a secret, which is for this machine alone, tells them."""
    hub_port, absent_port = find_free_ports(2)
    changed = {"hub_port": hub_port, "s3_endpoint": f"http://127.0.0.1:{absent_port}", "hub_secret": secret and SecretStr(secret)}
    server = HubServer.start(hub_settings.model_copy(update=changed), tmp_path)
    answer = server.get("/readyz")
    server.stop()
    assert (answer.status, answer.json()["services"]["store"]) == (503, {"is_ready": False, "reason": reason})


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"hub_host": "0.0.0.0"}, "TRIPDECK_HUB_SECRET"),
        ({"hub_host": ""}, "TRIPDECK_HUB_SECRET"),
        ({"hub_host": "::"}, "TRIPDECK_HUB_SECRET"),
        ({"hub_host": "0.0.0.0", "hub_secret": SecretStr("")}, "TRIPDECK_HUB_SECRET"),
        ({"hub_secret": SecretStr("short")}, "at least 16 characters"),
    ],
)
def test_an_open_hub_stays_on_loopback(hub_settings: Settings, changed: dict[str, object], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        Access(hub_settings.model_copy(update=changed))


@pytest.mark.parametrize(
    "changed",
    [
        {"hub_host": "0.0.0.0", "hub_secret": SecretStr(SECRET)},
        {"hub_host": "0.0.0.0", "hub_allow_anyone": True},
        {"hub_host": "localhost"},
        {"hub_host": "::1"},
    ],
)
def test_a_hub_may_listen_elsewhere_with_a_secret_or_by_will(hub_settings: Settings, changed: dict[str, object]) -> None:
    Access(hub_settings.model_copy(update=changed))


def run_to_its_end(settings: Settings) -> tuple[int, list[str]]:
    done = subprocess.run(
        [sys.executable, "-m", "loader.hub.main"],
        env=make_environment(settings),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return done.returncode, done.stderr.strip().splitlines()


def test_what_keeps_the_hub_from_starting_is_one_clear_line(hub: HubServer, hub_settings: Settings) -> None:
    status, lines = run_to_its_end(hub_settings.model_copy(update={"hub_host": "0.0.0.0"}))
    assert (status, len(lines)) == (1, 1)
    assert lines[0].startswith("tripdeck-hub: Without TRIPDECK_HUB_SECRET the hub listens on loopback only, not on 0.0.0.0")
    status, lines = run_to_its_end(hub_settings)
    assert (status, lines) == (1, [f"tripdeck-hub: The hub can't listen on 127.0.0.1:{hub.port}: Address already in use."])
