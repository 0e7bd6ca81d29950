"""The command line following loads: over a hub that goes away, with no worker, and interrupted.

Apart from test_cli.py: each test has a hub and a Redis of its own, which the worker of a whole module must not share.
"""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.embedded import find_free_ports
from infra.environment import make_environment
from shared.platform.settings import Settings
from tests.command_line import CommandLine, assert_one_line, finish, make_file
from tests.hub import HubServer
from tests.loading import running_worker, wait_until


@pytest.fixture
def own_hub(settings: Settings, tmp_path: Path) -> Iterator[HubServer]:
    server = HubServer.start(settings, tmp_path)
    yield server
    server.stop()


@pytest.fixture
def own_line(own_hub: HubServer, settings: Settings) -> CommandLine:
    assert own_hub.port == settings.hub_port
    return CommandLine(settings)


def test_load_outlives_the_hub(own_hub: HubServer, own_line: CommandLine, settings: Settings, tmp_path: Path) -> None:
    process = own_line.start("load", str(make_file(tmp_path, seed=29)), "--json")
    wait_for_follower(own_hub)
    own_hub.kill()
    with running_worker(make_environment(settings), tmp_path / "worker.log"):
        own_hub.restart()
        answer = finish(process)
    assert (answer.status, answer.json["state"], answer.json["rows_loaded"]) == (0, "succeeded", 50)
    assert answer.errors == ""


def test_interrupted_wait_says_how_to_go_on(own_hub: HubServer, own_line: CommandLine, tmp_path: Path) -> None:
    process = own_line.start("load", str(make_file(tmp_path, seed=30)))
    wait_for_follower(own_hub)
    [load] = own_hub.get("/api/v1/loads").json()["loads"]
    process.send_signal(signal.SIGINT)
    answer = finish(process)
    assert answer.status == 130
    assert f"`tripdeck watch {load['load_id']}`" in answer.errors
    assert "Traceback" not in answer.errors


def test_cancelled_load_ends_a_watch_with_failure(own_line: CommandLine, tmp_path: Path) -> None:
    number = str(own_line.run("load", str(make_file(tmp_path, seed=28)), "--no-wait", "--json").json["load_id"])
    watching = own_line.start("watch", number)  # nobody loads it: no worker runs
    cancelled = own_line.run("cancel", number, "--json")
    assert (cancelled.status, cancelled.json["state"]) == (0, "cancelled")
    answer = finish(watching)
    assert answer.status == 1
    assert f"load {number} cancelled" in answer.output
    assert_one_line(own_line.run("cancel", number), 1, number)


def test_database_that_is_down_is_one_line(settings: Settings, tmp_path: Path) -> None:
    [port] = find_free_ports(1)
    url = f"postgresql://tripdeck@127.0.0.1:{port}/tripdeck"
    broken = settings.model_copy(update={"database_url": type(settings.database_url)(url)})
    server = HubServer.start(broken, tmp_path)
    try:
        assert_one_line(CommandLine(broken).run("loads"), 1, "database")
        assert_one_line(CommandLine(broken).run("weekly", "--region", "Turin", "--json"), 1, "database")
    finally:
        server.stop()


def wait_for_follower(server: HubServer) -> None:
    wait_until(lambda: "tripdeck_hub_feed_clients 1" in server.get("/metrics").data.decode(), what="for the feed's client")
