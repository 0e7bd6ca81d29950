"""Webhooks against a real receiver: each end of a load arrives at least once, under one id, whatever fails on the way."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine

from infra.embedded import find_free_ports
from infra.environment import make_environment
from loader.webhooks.signatures import make_secret
from shared.platform.hub_tokens import UnauthorizedError, make_token
from shared.platform.settings import Settings
from shared.services.database import execute, transaction
from tests.command_line import CommandLine, make_file
from tests.hub import HubServer, read_error
from tests.hub_fixtures import hub, hub_engine, hub_redis
from tests.hub_fixtures import hub_settings as plain_settings
from tests.loading import BAD_ROW, HEADER, running_worker, wait_until
from tests.webhook_receiver import Receiver

__all__ = ["hub", "hub_engine", "hub_redis", "plain_settings"]

TIMEOUT_S = 2.0


@pytest.fixture(scope="module")
def hub_settings(plain_settings: Settings) -> Settings:
    return plain_settings.model_copy(update={"webhook_private_hosts": ("127.0.0.1",), "webhook_timeout_s": TIMEOUT_S})


@pytest.fixture(scope="module")
def worker(hub: HubServer, hub_settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with running_worker(make_environment(hub_settings), tmp_path_factory.mktemp("worker") / "worker.log"):
        yield


@pytest.fixture(scope="module")
def tripdeck(worker: None, hub_settings: Settings) -> CommandLine:
    return CommandLine(hub_settings)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver().running() as running:
        yield running


def test_exactly_the_ends_of_real_loads_arrive_signed(
    tripdeck: CommandLine, hub: HubServer, hub_engine: Engine, receiver: Receiver, tmp_path: Path
) -> None:
    before = tripdeck.run("load", str(make_file(tmp_path, seed=70)), "--json").json["load_id"]
    added = tripdeck.run("webhook", "add", receiver.url, "--json").json
    only = tripdeck.run("webhook", "add", f"{receiver.url}&only=undone", "--state", "undone", "--json").json
    good = [tripdeck.run("load", str(make_file(tmp_path, seed=seed)), "--json").json["load_id"] for seed in (71, 72, 73)]
    (tmp_path / "bad.csv").write_bytes(HEADER + BAD_ROW)
    bad = tripdeck.run("load", str(tmp_path / "bad.csv"), "--json").json["load_id"]
    assert tripdeck.run("load", str(make_file(tmp_path, seed=71)), "--json").json["load_id"] == good[0]
    again = hub.get("/api/v1/loads", state="cancelled").json()["loads"][0]["load_id"]
    assert tripdeck.run("undo", str(good[0])).status == 0
    expected = {("load.succeeded", load_id) for load_id in good} | {("load.failed", bad), ("load.cancelled", again)}
    expected |= {("load.undone", good[0])}
    wait_until(lambda: len(receiver.messages) >= len(expected) + 1, what="for the messages")
    messages = [message for message in receiver.messages if "only=" not in message.path]
    found = [json.loads(message.body) for message in messages]
    assert sorted((each["type"], each["data"]["load_id"]) for each in found) == sorted(expected)
    [undone] = [json.loads(message.body) for message in receiver.messages if "only=" in message.path]
    assert (undone["type"], undone["data"]["load_id"]) == ("load.undone", good[0])
    assert before not in {each["data"]["load_id"] for each in found}
    assert len({message.message_id for message in receiver.messages}) == len(receiver.messages)
    for message in messages:
        assert message.verify(added["secret"]) == message.message_id
        assert message.headers["content-type"] == "application/json"
        for secret in (only["secret"], make_secret()):
            with pytest.raises(UnauthorizedError, match="No signature"):
                message.verify(secret)
    # The data of each is the event as the feed has it.
    with hub.follow("/ws/loads?last=0") as feed, transaction(hub_engine) as connection:
        last = execute(connection, "fetch_last_position").scalar_one()
        events = {event["position"]: event for event in feed.receive_to(last)}
    for each in found:
        assert each["data"] == events[each["data"]["position"]]
        assert each["timestamp"] == each["data"]["at"]
    table = tripdeck.run("webhook", "list")
    assert (table.status, added["url"] in table.output, added["secret"] in table.output) == (0, True, False)
    sent = tripdeck.run("webhook", "deliveries", str(added["webhook_id"]), "--json").json["deliveries"]
    assert {(each["type"], each["load_id"], each["state"], each["status"]) for each in sent} == {
        (*pair, "delivered", 204) for pair in expected
    }
    for webhook in (added, only):
        assert tripdeck.run("webhook", "remove", str(webhook["webhook_id"])).status == 0
    assert tripdeck.run("webhook", "list", "--json").json == {"webhooks": []}


def test_a_receiver_that_was_down_gets_its_messages_when_it_is_back(tripdeck: CommandLine, tmp_path: Path) -> None:
    receiver = Receiver()
    with receiver.running():
        webhook = tripdeck.run("webhook", "add", receiver.url, "--json").json
    number = str(webhook["webhook_id"])
    load_id = tripdeck.run("load", str(make_file(tmp_path, seed=74)), "--json").json["load_id"]

    def fetch() -> dict[str, Any]:
        deliveries = tripdeck.run("webhook", "deliveries", number, "--json").json["deliveries"]
        return deliveries[0] if deliveries else {}

    waiting = wait_until(lambda: fetch() if fetch().get("error_message") else None, what="for the first attempt")
    assert (waiting["state"], waiting["load_id"], waiting["status"]) == ("pending", load_id, None)
    assert "ConnectionRefusedError" in waiting["error_message"]
    with receiver.running():
        wait_until(lambda: fetch()["state"] == "delivered", what="for the message")
    assert [message.message_id for message in receiver.messages] == [waiting["message_id"]]
    tripdeck.run("webhook", "remove", number)


def test_a_test_message_says_what_the_receiver_answers(tripdeck: CommandLine, receiver: Receiver) -> None:
    webhook = tripdeck.run("webhook", "add", receiver.url, "--json").json
    number = str(webhook["webhook_id"])
    answer = tripdeck.run("webhook", "test", number, "--json")
    assert (answer.status, answer.json["state"], answer.json["type"]) == (0, "delivered", "test")
    [message] = receiver.messages
    assert message.verify(webhook["secret"]) == answer.json["message_id"]
    assert json.loads(message.body)["type"] == "test"
    receiver.status = 500
    refused = tripdeck.run("webhook", "test", number)
    assert (refused.status, "The receiver answered 500." in refused.output) == (1, True)
    tripdeck.run("webhook", "remove", number)
    assert tripdeck.run("webhook", "test", number).status == 2


def test_a_receiver_that_never_answers_holds_no_load_and_no_other_receiver(
    tripdeck: CommandLine, receiver: Receiver, tmp_path: Path
) -> None:
    with Receiver().running() as quick:
        receiver.free.clear()
        webhooks = [tripdeck.run("webhook", "add", each.url, "--json").json["webhook_id"] for each in (receiver, quick)]
        loads = [tripdeck.run("load", str(make_file(tmp_path, seed=seed)), "--json").json for seed in (76, 77, 78)]
        assert [load["state"] for load in loads] == ["succeeded"] * 3
        wait_until(lambda: len(quick.messages) == 3, what="for the other receiver's messages")
        sent = tripdeck.run("webhook", "deliveries", str(webhooks[0]), "--json").json["deliveries"]
        assert {each["state"] for each in sent} == {"pending"}
        receiver.free.set()
        for webhook_id in webhooks:
            tripdeck.run("webhook", "remove", str(webhook_id))


def test_rest_says_what_is_wrong(hub: HubServer) -> None:
    assert read_error(hub.post("/api/v1/webhooks", {"url": "https://10.0.0.1/"})) == (400, "bad_request")
    assert read_error(hub.post("/api/v1/webhooks", {"url": "https://nobody.invalid/"})) == (400, "bad_request")
    assert read_error(hub.post("/api/v1/webhooks", {})) == (400, "bad_request")
    assert read_error(hub.post("/api/v1/webhooks", {"url": "http://127.0.0.1/", "states": ["loading"]})) == (400, "bad_request")
    for method, path in (("DELETE", "987"), ("POST", "987/test"), ("GET", "987/deliveries")):
        assert read_error(hub.ask(method, f"/api/v1/webhooks/{path}")) == (404, "not_found")


def test_webhooks_need_write_scope(hub_settings: Settings, tmp_path: Path) -> None:
    secret = "a secret of sixteen or more"
    [port] = find_free_ports(1)
    settings = hub_settings.model_copy(update={"hub_port": port, "hub_secret": SecretStr(secret)})
    closed = HubServer.start(settings, tmp_path)
    try:
        bearer = {"Authorization": f"Bearer {make_token(secret, 'read', lifetime_s=60)}"}
        calls = (("GET", ""), ("POST", ""), ("DELETE", "/1"), ("POST", "/1/test"), ("GET", "/1/deliveries"))
        for method, path in calls:
            assert closed.ask(method, f"/api/v1/webhooks{path}", headers=bearer).status == 403
            assert closed.ask(method, f"/api/v1/webhooks{path}").status == 401
    finally:
        closed.stop()
