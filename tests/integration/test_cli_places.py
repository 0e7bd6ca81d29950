"""Place sets on the command line: added, used by a load through real processes, exported, made of trips, deleted."""

import json
from pathlib import Path

import pyarrow.parquet as pq

from tests.cli_fixtures import tripdeck
from tests.command_line import CommandLine, assert_one_line
from tests.hub_fixtures import hub, hub_settings
from tests.unit.test_place_files import NAMES, make_shapefile, make_zones
from tests.unit.test_place_making import STATIONS, make_trips

__all__ = ["hub", "hub_settings", "tripdeck"]

# Every zone with every zone, and one that there isn't.
ENDS = [(origin, destination) for origin in (*NAMES, "264") for destination in NAMES]
ROWS = "".join(f"2018-05-21 {number:02d}:54:04,{ends[0]},{ends[1]}\n" for number, ends in enumerate(ENDS))
TAXI = f"tpep_pickup_datetime,PULocationID,DOLocationID\n{ROWS}"


def test_zones_are_added_used_exported_and_kept(tripdeck: CommandLine, tmp_path: Path) -> None:
    folder = tmp_path / "zones"
    folder.mkdir()
    zones, trips = tmp_path / "taxi_zones.zip", tmp_path / "taxi.csv"
    zones.write_bytes(make_shapefile(folder))
    trips.write_text(TAXI, encoding="utf-8")
    seen = tripdeck.run("places", "inspect", str(zones))
    assert seen.status == 0
    assert "transformed from EPSG:2263 to WGS 84" in seen.output
    assert "Key (--key): LocationID. Name (--label): zone." in seen.output
    added = tripdeck.run("places", "add", str(zones), "--name", "taxi zones", "--json").json
    assert (added["places"], added["kind"], added["file_name"]) == (4, "zones", "taxi_zones.zip")
    assert "taxi zones" in tripdeck.run("places", "list").output
    asked = tripdeck.run("load", str(trips))
    assert asked.status == 1
    assert "taxi zones: 4 zones, knows" in asked.errors
    assert f"--places {added['place_set_id']}" in asked.errors
    loaded = tripdeck.run("load", str(trips), "--places", "taxi zones", "--region", "New York", "--json").json
    assert (loaded["rows_loaded"], loaded["rows_rejected"]) == (16, 4)
    assert loaded["rejects"] == {"origin_unknown_place": 4}
    west, south, east, north = make_zones()["161"].bounds
    inside = tripdeck.run("weekly", "--region", "New York", f"--bbox={west},{south},{east},{north}", "--json").json
    assert inside["trips"] == len(NAMES)
    target = tmp_path / "zones.parquet"
    assert tripdeck.run("places", "export", "taxi zones", str(target)).status == 0
    assert pq.read_table(target)["key"].to_pylist() == list(NAMES)
    target = tmp_path / "zones.geojson"
    assert tripdeck.run("places", "export", str(added["place_set_id"]), str(target)).status == 0
    assert len(json.loads(target.read_text(encoding="utf-8"))["features"]) == 4
    assert_one_line(tripdeck.run("places", "delete", "taxi zones"), 1, "Loads use the places of taxi zones")
    assert tripdeck.run("places", "rename", "taxi zones", "zones of 2018", "--json").json["name"] == "zones of 2018"
    assert_one_line(tripdeck.run("places", "delete", "taxi zones"), 2, "There is no place set")


def test_stations_are_made_and_deleted(tripdeck: CommandLine, tmp_path: Path) -> None:
    path = tmp_path / "trips.parquet"
    make_trips().write_parquet(path)
    made = tripdeck.run("places", "make", "stations", str(path), "--json").json
    assert (made["places"], made["kind"]) == (len(STATIONS), "points")
    assert_one_line(tripdeck.run("places", "make", "others", str(path), "--key", "one"), 2, "names two columns")
    assert tripdeck.run("places", "delete", "stations").status == 0
