"""A hub that hides small counts: no answer tells one, in any form, nor by its totals."""

import csv
import io
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from sqlalchemy import Engine

from shared.platform.settings import Settings
from shared.services.database import transaction
from tests.hub import HubServer, read_error
from tests.hub_fixtures import hub_engine, hub_settings
from tests.random_trips import make_trip
from tests.trip_maker import insert_trips

__all__ = ["hub_engine", "hub_settings"]

LEAST = 5
# Trips at places some km apart.
PLACES = {(7.60, 45.00): 12, (7.65, 45.05): 5, (7.70, 45.10): 4, (7.75, 45.15): 1}
AREA = {"region": "Turin", "precision": 6}


@pytest.fixture(scope="module")
def hub(hub_settings: Settings, hub_engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubServer]:
    with transaction(hub_engine) as connection:
        trips = [
            make_trip(date(2024, 5, 6 + number), hour=8, origin=place)
            for place, count in PLACES.items()
            for number in range(count)
        ]
        insert_trips(connection, trips, kind="unindexed")
    server = HubServer.start(hub_settings.model_copy(update={"min_group_trips": LEAST}), tmp_path_factory.mktemp("hub"))
    yield server
    server.stop()


def test_groups_and_flows_below_the_limit_are_in_no_form(hub: HubServer) -> None:
    for path, noun in (("/api/v1/trip-groups", "groups"), ("/api/v1/flows", "flows")):
        answer = hub.get(path, **AREA).json()
        assert [row["trips"] for row in answer[noun]] == [12, 5]
        assert answer["next"] is None
        table = csv.DictReader(io.StringIO(hub.get(path, **AREA, format="csv").data.decode()))
        assert [int(row["trips"]) for row in table] == [12, 5]


def test_totals_of_flows_count_what_is_shown(hub: HubServer) -> None:
    answer = hub.get("/api/v1/flows", **AREA).json()
    assert (answer["trips"], answer["shown_trips"]) == (17, 17)
    assert sum(place["out_trips"] + place["internal_trips"] for place in answer["locations"]) == 17


@pytest.mark.parametrize("limit", [1, 2, 3])
def test_pages_end_before_the_first_that_is_hidden(hub: HubServer, limit: int) -> None:
    found: list[Any] = []
    following: str | None = f"/api/v1/trip-groups?region=Turin&precision=6&limit={limit}"
    while following:
        page = hub.get(following).json()
        found += page["groups"]
        following = page["next"]
    assert [group["trips"] for group in found] == [12, 5]


def test_details_tell_no_single_trip_and_refuse_small_groups(hub: HubServer, hub_engine: Engine) -> None:
    [group, _] = hub.get("/api/v1/trip-groups", **AREA).json()["groups"]
    cells = {name: group[name] for name in ("origin_cell", "destination_cell")}
    detail = hub.get("/api/v1/trip-groups/detail", **cells).json()
    assert (detail["trips"], detail["samples"]) == (12, [])
    assert all(week["trips"] >= LEAST for week in detail["weeks"])


@pytest.mark.parametrize("path", ["/api/v1/weekly-average", "/api/v1/hours", "/api/v1/histograms"])
def test_counts_of_few_trips_are_refused(hub: HubServer, path: str) -> None:
    assert hub.get(path).status == 200
    assert read_error(hub.get(path, bbox="7.69,45.09,7.71,45.11")) == (403, "too_few_trips")
    assert hub.get(path, bbox="1,1,2,2").status == 200
