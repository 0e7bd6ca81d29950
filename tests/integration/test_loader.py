"""One file, from the store to trips, rollups, counters and events, in this process."""

import pytest

from loader.checking import find_problems
from loader.context import Context
from shared.database import execute, transaction
from tests.loading import load_bytes
from tests.shared_data import CHALLENGE_FILE, read_expected, requires_shared


@requires_shared
def test_challenge_file_gives_the_expected_counts(context: Context) -> None:
    expected = read_expected("challenge")["trips.csv"]
    load = load_bytes(context, CHALLENGE_FILE.read_bytes())
    assert (load["state"], load["rows_read"], load["rows_loaded"], load["rows_rejected"]) == ("succeeded", 100, 100, 0)
    assert load["bytes_read"] == load["bytes_total"]
    with transaction(context.engine) as connection:
        weeks = {str(row.week): row.trips for row in execute(connection, "list_load_weeks", load_id=load["load_id"])}
        regions = {row.name: row.trips for row in execute(connection, "list_regions")}
    assert weeks == expected["weeks"]
    assert regions == expected["regions"]
    assert find_problems(context.engine) == []
