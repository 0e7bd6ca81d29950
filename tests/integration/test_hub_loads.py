"""Loads over REST: pages, rejects as JSON and CSV, and what can be done to a load."""

import csv
import io
from typing import Any

import pytest
import redis
from sqlalchemy import Connection, Engine

from shared.loads import insert_load
from shared.services.database import execute, transaction
from shared.services.objects import StoredObject
from tests.hub import HubServer, read_error
from tests.hub_fixtures import hub, hub_engine, hub_redis, hub_settings

__all__ = ["hub", "hub_engine", "hub_redis", "hub_settings"]

FORMULA = '=HYPERLINK("http://evil.example";"open")'
REJECTS = 12_000


def make_load(engine: Engine, file_name: str = "trips.csv") -> int:
    with transaction(engine) as connection:
        return insert_load(connection, StoredObject("files/x", "tag", 10), file_name=file_name, options={"timezone": "UTC"})


def insert_rejects(connection: Connection, load_id: int) -> None:
    for batch_no, before in ((0, 0), (1, 50_000)):
        connection.exec_driver_sql(
            "insert into load_batch (load_id, batch_no, state, slice, bytes, lines_before, records_before)"
            " values (%(id)s, %(no)s, 'done', '{}', 1, %(before)s + sign(%(before)s), %(before)s)",
            {"id": load_id, "no": batch_no, "before": before},
        )
    connection.exec_driver_sql(
        "insert into load_reject (load_id, batch_no, line_in_batch, record_in_batch, column_name, reason, value, raw)"
        " select %(id)s, n %% 2, n + 1, n, 'datetime', case n %% 3 when 0 then 'started_at_missing' else 'origin_unreadable' end,"
        " case when n = 1 then %(formula)s end, case when n = 1 then '-1,' || %(formula)s else 'row ' || n end"
        " from generate_series(1, %(rows)s) as n",
        {"id": load_id, "formula": FORMULA, "rows": REJECTS},
    )


@pytest.fixture(scope="module")
def rejecting_load(hub_engine: Engine) -> int:
    load_id = make_load(hub_engine, "bad.csv")
    with transaction(hub_engine) as connection:
        insert_rejects(connection, load_id)
        execute(connection, "end_load", load_id=load_id, state="failed", error_code="x", error_message="y", duplicate_of=None)
    return load_id


def follow_pages(hub: HubServer, path: str, noun: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    following: str | None = path
    while following:
        page = hub.get(following).json()
        found += page[noun]
        following = page["next"]
    return found


def test_pages_hold_every_load_once_and_newest_first(hub: HubServer, hub_engine: Engine) -> None:
    made = [make_load(hub_engine) for _ in range(7)]
    pages = follow_pages(hub, "/api/v1/loads?limit=3", "loads")
    assert [load["load_id"] for load in pages[:7]] == made[::-1]
    assert len({load["load_id"] for load in pages}) == len(pages)
    assert follow_pages(hub, "/api/v1/loads?limit=2&state=queued", "loads") == [
        load for load in pages if load["state"] == "queued"
    ]


def test_a_last_page_that_is_full_has_no_next(hub: HubServer) -> None:
    count = len(follow_pages(hub, "/api/v1/loads", "loads"))
    assert hub.get("/api/v1/loads", limit=count).json()["next"] is None


def test_one_load_tells_its_options_and_rejects(hub: HubServer, rejecting_load: int) -> None:
    load = hub.get(f"/api/v1/loads/{rejecting_load}").json()
    assert load["options"] == {"timezone": "UTC"}
    assert load["rejects"] == {"origin_unreadable": REJECTS * 2 // 3, "started_at_missing": REJECTS // 3}


def test_rejects_come_in_file_order_by_pages(hub: HubServer, rejecting_load: int) -> None:
    rejects = follow_pages(hub, f"/api/v1/loads/{rejecting_load}/rejects?limit=5000", "rejects")
    assert [reject["record"] for reject in rejects] == [*range(2, REJECTS + 1, 2), *(50_000 + n for n in range(1, REJECTS, 2))]
    assert all(reject["line"] == reject["record"] + 1 + (reject["record"] > 50_000) for reject in rejects)


def test_rejects_of_one_reason(hub: HubServer, rejecting_load: int) -> None:
    path = f"/api/v1/loads/{rejecting_load}/rejects?limit=10000&reason=started_at_missing"
    assert len(follow_pages(hub, path, "rejects")) == REJECTS // 3


def test_the_csv_of_rejects_is_whole_and_without_formulas(hub: HubServer, rejecting_load: int) -> None:
    answer = hub.get(f"/api/v1/loads/{rejecting_load}/rejects", format="csv")
    rows = list(csv.DictReader(io.StringIO(answer.data.decode(), newline="")))
    listed = follow_pages(hub, f"/api/v1/loads/{rejecting_load}/rejects?limit=10000", "rejects")
    assert [int(row["record"]) for row in rows] == [reject["record"] for reject in listed]
    [dangerous] = [row for row in rows if row["record"] == "50001"]
    assert (dangerous["value"], dangerous["raw"]) == ("'" + FORMULA, "'-1," + FORMULA)
    assert not any(row[name].startswith(("=", "+", "-", "@")) for row in rows for name in row)
    assert answer.headers["Content-Disposition"] == f'attachment; filename="rejects-of-load-{rejecting_load}.csv"'


def test_the_csv_of_rejects_of_one_reason(hub: HubServer, rejecting_load: int) -> None:
    path = f"/api/v1/loads/{rejecting_load}/rejects"
    answer = hub.get(path, reason="started_at_missing", headers={"Accept": "text/csv"})
    assert answer.data.count(b"\r\n") == 1 + REJECTS // 3


def test_the_rows_of_rejects_are_those_of_the_file(hub: HubServer, rejecting_load: int) -> None:
    answer = hub.get(f"/api/v1/loads/{rejecting_load}/rejects", format="rows", after=50_000)
    assert answer.data.splitlines()[:2] == [f"-1,{FORMULA}".encode(), b"row 3"]
    assert answer.headers["Content-Disposition"] == f'attachment; filename="rejected-rows-of-load-{rejecting_load}.csv"'
    assert read_error(hub.get("/api/v1/loads/99999/rejects", format="rows")) == (404, "not_found")


def test_a_load_without_rejects_has_a_csv_with_a_header(hub: HubServer, hub_engine: Engine) -> None:
    answer = hub.get(f"/api/v1/loads/{make_load(hub_engine)}/rejects", format="csv")
    assert answer.data == b"line,record,column,reason,value,raw\r\n"


def test_cancel_is_told_to_the_feed_and_done_once(hub: HubServer, hub_engine: Engine) -> None:
    load_id = make_load(hub_engine)
    with hub.follow(f"/ws/loads/{load_id}?last=0") as feed:
        assert hub.post(f"/api/v1/loads/{load_id}/cancel").json()["state"] == "cancelled"
        events = [feed.receive(), feed.receive()]
    assert [event["kind"] for event in events] == ["queued", "cancelled"]
    assert read_error(hub.post(f"/api/v1/loads/{load_id}/cancel")) == (409, "conflict")


def test_undo_and_retry_need_a_load_that_allows_them(hub: HubServer, hub_engine: Engine) -> None:
    load_id = make_load(hub_engine)
    assert read_error(hub.post(f"/api/v1/loads/{load_id}/undo")) == (409, "conflict")
    assert read_error(hub.post(f"/api/v1/loads/{load_id}/retry")) == (409, "conflict")
    with transaction(hub_engine) as connection:
        connection.exec_driver_sql("update load set state = 'succeeded' where load_id = %(id)s", {"id": load_id})
    assert hub.post(f"/api/v1/loads/{load_id}/undo").json()["state"] == "undone"
    with transaction(hub_engine) as connection:
        connection.exec_driver_sql("update load set needs_cleaning = false where load_id = %(id)s", {"id": load_id})
    assert hub.post(f"/api/v1/loads/{load_id}/retry").json()["state"] == "queued"


def test_actions_ring_the_workers(hub: HubServer, hub_engine: Engine, hub_redis: "redis.Redis") -> None:
    load_id = make_load(hub_engine)
    before = hub_redis.llen("dramatiq:load")
    hub.post(f"/api/v1/loads/{load_id}/cancel")
    assert hub_redis.llen("dramatiq:load") == before + 1
