"""`tripdeck publish` and REST against a hub and a worker: one load, all, and those to come."""

import signal
from pathlib import Path
from typing import Any

import pytest

from shared.platform.settings import Settings
from shared.services.objects import ObjectStore
from tests.cli_fixtures import tripdeck
from tests.command_line import CommandLine, make_file
from tests.hub import HubServer, read_error
from tests.hub_fixtures import hub, hub_engine, hub_redis, hub_settings
from tests.loading import wait_until

__all__ = ["hub", "hub_engine", "hub_redis", "hub_settings", "tripdeck"]


@pytest.fixture
def store(hub_settings: Settings) -> ObjectStore:
    return ObjectStore(hub_settings)


def load(tripdeck: CommandLine, folder: Path, seed: int) -> int:
    answer = tripdeck.run("load", str(make_file(folder, seed=seed)), "--json")
    assert answer.status == 0, answer
    number: int = answer.json["load_id"]
    return number


def test_a_load_is_published_once_and_undone_with_its_files(tripdeck: CommandLine, store: ObjectStore, tmp_path: Path) -> None:
    number = load(tripdeck, tmp_path, 31)
    answer = tripdeck.run("publish", str(number), "--json")
    assert answer.status == 0, answer
    [found] = answer.json["publications"]
    assert (found["state"], found["files"]) == ("published", 1)
    assert found["folder"].endswith(f"/exports/{number}/")
    names = [key.rsplit("/", 1)[1] for key in store.list_keys(f"exports/{number}/")]
    assert sorted(names) == ["manifest.json", "part-00000.parquet"]
    assert tripdeck.run("publish", str(number), "--json").json == answer.json
    table = tripdeck.run("publish", str(number))
    assert (table.status, "published" in table.output) == (0, True)
    assert tripdeck.run("undo", str(number)).status == 0
    wait_until(lambda: not store.list_keys(f"exports/{number}/"), what="for the files to go")
    refused = tripdeck.run("publish", str(number))
    assert (refused.status, f"Load {number} is undone" in refused.errors) == (1, True)


def test_all_and_those_to_come(tripdeck: CommandLine, hub: HubServer, tmp_path: Path) -> None:
    first = load(tripdeck, tmp_path, 32)
    answer = tripdeck.run("publish", "--all", "--json")
    assert {found["load_id"]: found["state"] for found in answer.json["publications"]}[first] == "published"
    with tripdeck.start("publish", "--follow", stderr=None) as follower:
        assert follower.stdout is not None
        for line in follower.stdout:
            if b"Ctrl-C" in line:
                break
        second = load(tripdeck, tmp_path, 33)
        path = f"/api/v1/loads/{second}/publication"
        wait_until(lambda: hub.get(path).json().get("state") == "published", what="for the new load's files")
        follower.send_signal(signal.SIGINT)
        assert follower.wait(timeout=20) == 130


def test_wrong_usage_is_one_line(tripdeck: CommandLine) -> None:
    for words in ([], ["3", "--all"], ["--all", "--follow"]):
        answer = tripdeck.run("publish", *words)
        assert (answer.status, "Name a load, or give --all or --follow." in answer.errors) == (2, True)


def test_rest_says_what_stands(hub: HubServer, tripdeck: CommandLine, tmp_path: Path) -> None:
    assert read_error(hub.post("/api/v1/loads/987654/publication")) == (404, "not_found")
    number = load(tripdeck, tmp_path, 34)
    path = f"/api/v1/loads/{number}/publication"
    assert read_error(hub.get(path)) == (404, "not_found")
    answer = hub.post(path)
    requested: dict[str, Any] = answer.json()
    assert (answer.status, requested["state"], requested["files"]) == (202, "queued", 0)
    wait_until(lambda: hub.get(path).json()["state"] == "published", what="for the files")
