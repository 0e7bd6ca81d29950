"""How a load ends that had few good rows, or none: never as a plain success."""

from typing import Any

import pytest

from loader.checks.consistency import find_problems
from loader.pipeline.context import Context
from shared.loads import list_rejects
from shared.services.database import transaction
from tests.loading import BAD_ROW, HEADER, ROW, change, load_bytes


def fetch_event(context: Context, kind: str) -> dict[str, Any]:
    """The newest event of a kind."""
    with transaction(context.engine) as connection:
        statement = "select body from load_event where kind = %s order by event_id desc limit 1"
        body: dict[str, Any] = connection.exec_driver_sql(statement, (kind,)).scalar_one()
        return body


def test_load_without_a_good_row_fails_and_keeps_its_rejects(context: Context) -> None:
    small = change(context, batch_bytes=1_024)
    for data in (HEADER + BAD_ROW, HEADER + BAD_ROW * 40):
        load = load_bytes(small, data)
        assert (load["state"], load["error_code"], load["rows_loaded"]) == ("failed", "all_rejected", 0)
        assert load["rejects"] == {"origin_out_of_range": load["rows_read"]}
        assert "was rejected; nothing was loaded" in load["error_message"]
        assert len(list_rejects(context.engine, load["load_id"])) == load["rows_rejected"]
        assert fetch_event(context, "failed")["error_code"] == "all_rejected"
    assert find_problems(context.engine) == []


@pytest.mark.parametrize(("bad", "notes"), [(0, 0), (10, 0), (11, 1)])
def test_load_with_more_than_half_rejected_says_so(context: Context, bad: int, notes: int) -> None:
    load = load_bytes(context, HEADER + ROW * 10 + BAD_ROW * bad)
    assert (load["state"], len(load["notes"])) == ("succeeded", notes)
    assert fetch_event(context, "succeeded")["notes"] == load["notes"]
    assert all("11 of 21 rows were rejected, more than half" in note for note in load["notes"])
