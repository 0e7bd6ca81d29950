"""`tripdeck load s3://…` and `tripdeck watch-source` against a hub and a worker."""

from collections.abc import Iterator

import pytest

from shared.platform.settings import Settings
from tests.cli_fixtures import tripdeck
from tests.command_line import CommandLine
from tests.hub import HubServer
from tests.hub_fixtures import hub, hub_engine, hub_redis
from tests.hub_fixtures import hub_settings as plain_settings
from tests.integration.test_sources import OTHER_HEADER, OTHER_ROW, Drop, rows
from tests.loading import wait_until
from tests.services import S3Server

__all__ = ["hub", "hub_engine", "hub_redis", "plain_settings", "tripdeck"]


@pytest.fixture(scope="module")
def drop(s3_server: S3Server) -> Drop:
    return Drop(s3_server.connect(), s3_server.make_bucket())


@pytest.fixture(scope="module")
def hub_settings(plain_settings: Settings, drop: Drop) -> Iterator[Settings]:
    return plain_settings.model_copy(update={"source_allow": (f"s3://{drop.bucket}/",), "reconcile_interval_s": 0.5})


def test_an_address_is_loaded_as_a_file_is(tripdeck: CommandLine, drop: Drop) -> None:
    drop.put("one/a b.csv", rows(1))
    answer = tripdeck.run("load", f"s3://{drop.bucket}/one/a b.csv", "--region", "Turin", "--map", "datasource=-", "--json")
    assert answer.status == 0, answer
    assert (answer.json["file_name"], answer.json["rows_loaded"]) == ("a b.csv", 1)
    drop.put("two/1.csv", rows(2))
    drop.put("two/2.csv", rows(3))
    answer = tripdeck.run("load", f"s3://{drop.bucket}/two/", "--json")
    assert [load["state"] for load in answer.json["loads"]] == ["succeeded", "succeeded"]
    shown = tripdeck.run("load", f"s3://{drop.bucket}/two/1.csv")
    assert (shown.status, "Already loaded" in shown.output) == (0, True)


@pytest.mark.parametrize(
    ("address", "word"),
    [
        ("s3://{}/nothing/", "There is no file"),
        ("s3://elsewhere-bucket/a.csv", "TRIPDECK_SOURCE_ALLOW"),
        ("https://example.org/a.csv", "TRIPDECK_SOURCE_ALLOW"),
        ("http://example.org/a.csv", "https://"),
    ],
)
def test_an_address_that_is_not_read(tripdeck: CommandLine, drop: Drop, address: str, word: str) -> None:
    answer = tripdeck.run("load", address.format(drop.bucket))
    assert answer.status in (1, 2)
    assert word in answer.errors


def test_a_file_that_fails_is_a_load_that_failed(tripdeck: CommandLine, drop: Drop) -> None:
    drop.put("bad.csv", b"a,b\n1,2\n")
    answer = tripdeck.run("load", f"s3://{drop.bucket}/bad.csv", "--json")
    assert (answer.status, answer.json["error"]["code"]) == (1, "missing_roles")


def test_a_prefix_is_watched(tripdeck: CommandLine, drop: Drop, hub: HubServer) -> None:
    drop.put("in/1.csv", rows(10))
    added = tripdeck.run("watch-source", "add", f"s3://{drop.bucket}/in/", "--every", "5", "--datasource", "x", "--json")
    assert added.status == 0, added
    number = str(added.json["source_id"])
    assert added.json["options"]["datasource"] == "x"

    def loaded() -> int:
        found = tripdeck.run("watch-source", "list", "--json").json["sources"]
        return int(next(source for source in found if str(source["source_id"]) == number)["objects_loaded"])

    wait_until(lambda: loaded() == 1, what="for the first object", interval_s=0.3)
    drop.put("in/2.csv", OTHER_HEADER + OTHER_ROW)
    assert tripdeck.run("watch-source", "run", number).status == 0

    def waiting() -> list[object]:
        found: list[object] = tripdeck.run("watch-source", "objects", number, "--state", "waiting", "--json").json["objects"]
        return found

    [drifted] = wait_until(waiting, what="for the changed header", interval_s=0.3)
    assert "header_changed" in str(drifted)
    assert "in/2.csv" in tripdeck.run("watch-source", "objects", number).output
    assert tripdeck.run("watch-source", "retry", number).status == 0
    wait_until(lambda: loaded() == 2, what="for the second object", interval_s=0.3)
    assert tripdeck.run("watch-source", "pause", number, "--json").json["state"] == "paused"
    assert tripdeck.run("watch-source", "run", number).status == 1
    assert tripdeck.run("watch-source", "resume", number, "--json").json["state"] == "active"
    table = tripdeck.run("watch-source", "list").output
    assert f"s3://{drop.bucket}/in/" in table
    assert tripdeck.run("watch-source", "remove", number).status == 0
    assert tripdeck.run("watch-source", "remove", number).status == 2


def test_rest_says_what_is_wrong_with_a_source(hub: HubServer, drop: Drop) -> None:
    for body, parameter in (
        ({"address": f"s3://{drop.bucket}/", "on_drift": "guess"}, "on_drift"),
        ({"address": f"s3://{drop.bucket}/", "options": {"timezone": "Mars"}}, "timezone"),
        ({"address": f"s3://{drop.bucket}/", "interval_s": 1}, "interval_s"),
        ({"address": "s3://elsewhere/"}, "address"),
    ):
        answer = hub.post("/api/v1/sources", body)
        assert (answer.status, parameter in answer.data.decode()) == (400, True), answer.data
    for path in ("/api/v1/sources/999", "/api/v1/sources/999/objects"):
        assert hub.get(path).status == 404
    assert hub.post("/api/v1/sources/999/pause").status == 404
