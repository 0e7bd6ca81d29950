"""The checker must see every kind of disagreement; a check that can't fail is none."""

import pytest

from loader.checks.consistency import find_problems
from loader.pipeline.context import Context
from shared.services.database import transaction
from tests.loading import BAD_ROW, HEADER, ROW, load_bytes

DAMAGES = {
    "a trip lost": ("delete from trip where origin = (select min(origin) from trip)", "check_trips"),
    "a trip twice": ("insert into trip select * from trip limit 1", "check_trips"),
    "a trip of no load": (
        "insert into trip select started_at, origin, destination, 99, null, 1, 1 from trip limit 1",
        "check_trips",
    ),
    "another time": (
        "update trip set started_at = started_at + interval '1 second' where origin = (select min(origin) from trip)",
        "check_rollup_week",
    ),
    "another week": ("update trip set started_at = started_at + interval '7 days'", "check_rollup_week"),
    "rollup_week off": ("update rollup_week set trips = trips + 1", "check_rollup_week"),
    "rollup_week twice": ("insert into rollup_week select * from rollup_week", "check_rollup_week"),
    "rows_loaded off": ("update load set rows_loaded = rows_loaded + 1", "check_trips"),
    "rows_read off": ("update load set rows_read = rows_read + 1", "check_counters"),
    "bytes_read off": ("update load set bytes_read = bytes_read - 1", "check_counters"),
    "batches_done off": ("update load set batches_done = batches_done + 1", "check_counters"),
    "ledger off": ("update load_batch set rows_loaded = rows_loaded + 1", "check_counters"),
    "batch pending": ("update load_batch set state = 'pending'", "check_states"),
    "rows of an undone load": ("update load set state = 'undone'", "check_states"),
    "a reject lost": ("delete from load_reject", "check_rejects"),
    "rows_rejected off": ("update load set rows_rejected = rows_rejected + 1", "check_rejects"),
    "an event lost": ("delete from load_event where seq = 2", "check_events"),
    "the last event lost": ("delete from load_event where kind = 'succeeded'", "check_events"),
    "two ends": ("update load_event set kind = 'succeeded' where seq = 2", "check_events"),
    "an event that says otherwise": (
        "update load_event set body = body || '{\"rows_loaded\": 7}' where kind = 'succeeded'",
        "check_events",
    ),
    "a position lost": ("update event_position set last_position = 9", "check_positions"),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_checker_sees(context: Context, name: str) -> None:
    load_bytes(context, HEADER + ROW * 3 + BAD_ROW)
    assert find_problems(context.engine) == []
    statement, check = DAMAGES[name]
    with transaction(context.engine) as connection:
        assert connection.exec_driver_sql(statement).rowcount > 0
    problems = find_problems(context.engine)
    assert check in {problem.check for problem in problems}
    assert all(str(problem) for problem in problems)


def test_checker_can_look_at_one_load(context: Context) -> None:
    first = load_bytes(context, HEADER + ROW)["load_id"]
    second = load_bytes(context, HEADER + ROW * 2)["load_id"]
    with transaction(context.engine) as connection:
        connection.exec_driver_sql(f"update load set rows_read = 7 where load_id = {first}")
    assert find_problems(context.engine, first)
    assert find_problems(context.engine, second) == []
