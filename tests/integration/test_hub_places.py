"""Place sets over HTTP: looked at, added, exported, drawn, deleted; hostile files are refused; trip files are offered sets."""

import io
import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import shapely
import urllib3

from tests.hub import HubServer, read_error
from tests.hub_fixtures import hub, hub_settings
from tests.unit.test_place_files import CRS, NAMES, make_file, make_geojson, make_shapefile, make_zones

__all__ = ["hub", "hub_settings"]

TRIPS = b"tpep_pickup_datetime,PULocationID,DOLocationID\n" + b"2018-05-21 02:54:04,161,237\n2018-05-21 02:55:04,4,999\n" * 5


def send(hub: HubServer, method: str, path: str, document: Any) -> urllib3.BaseHTTPResponse:
    return hub.pool.request(method, f"{hub.url}{path}", body=json.dumps(document).encode())


def add(hub: HubServer, name: str, data: bytes, file_name: str = "zones.geojson", **options: Any) -> dict[str, Any]:
    answer = hub.post("/api/v1/places", data, name=name, file_name=file_name, **options)
    assert answer.status == 201, answer.data
    found: dict[str, Any] = answer.json()
    assert answer.headers["Location"] == f"/api/v1/places/{found['place_set_id']}"
    return found


@pytest.mark.parametrize("form", ["shapefile", "geopackage", "csv with srid"])
def test_a_file_is_looked_at_and_then_added(hub: HubServer, tmp_path: Path, form: str) -> None:
    data = make_file(form, tmp_path)
    seen = hub.post("/api/v1/places/inspect", data, file_name="zones").json()
    assert (seen["crs"], seen["key"], seen["label"], seen["places"]) == (CRS, "LocationID", "zone", 4)
    added = add(hub, form, data, file_name="zones", added_by="Ada")
    assert (added["kind"], added["crs"], added["places"], added["polygons"], added["added_by"]) == ("zones", CRS, 4, 4, "Ada")
    assert added in hub.get("/api/v1/places").json()["place_sets"]
    assert hub.get(f"/api/v1/places/{added['place_set_id']}").json() == added
    places = hub.get(f"/api/v1/places/{added['place_set_id']}/places").json()["places"]
    assert {place["key"]: place["name"] for place in places} == NAMES


def test_exports_hold_the_zones(hub: HubServer) -> None:
    added = add(hub, "exported", make_geojson(make_zones()))
    path = f"/api/v1/places/{added['place_set_id']}/places"
    answer = hub.get(path, format="geojson")
    assert answer.headers["Content-Type"] == "application/geo+json"
    table = pq.read_table(io.BytesIO(hub.get(path, format="parquet").data))
    geo = json.loads(table.schema.metadata[b"geo"])
    assert (geo["version"], geo["primary_column"], geo["columns"]["geometry"]["encoding"]) == ("1.1.0", "geometry", "WKB")
    features = {
        feature["properties"]["key"]: shapely.geometry.shape(feature["geometry"]) for feature in answer.json()["features"]
    }
    rows = {row["key"]: shapely.from_wkb(row["geometry"]) for row in table.to_pylist()}
    for key, zone in make_zones().items():
        assert features[key].equals(zone)
        assert rows[key].equals(zone)
    again = add(hub, "exported again", hub.get(path, format="geojson").data, key="key", label="name")
    assert again["bounds"] == added["bounds"]


def test_sets_are_renamed_and_deleted(hub: HubServer) -> None:
    path = f"/api/v1/places/{add(hub, 'old', make_geojson(make_zones()))['place_set_id']}"
    assert send(hub, "PUT", path, {"name": "new"}).json()["name"] == "new"
    assert read_error(hub.post("/api/v1/places", make_geojson(make_zones()), name="new", file_name="a"))[0] == 409
    assert hub.pool.request("DELETE", f"{hub.url}{path}").status == 204
    assert hub.get(path).status == 404


def test_areas_are_drawn(hub: HubServer) -> None:
    drawn = send(hub, "POST", "/api/v1/places/drawn", {"name": "My areas"}).json()
    path = f"/api/v1/places/{drawn['place_set_id']}/places"
    square = json.loads(shapely.to_geojson(shapely.box(7, 45, 8, 46)))
    area = send(hub, "POST", path, {"name": "Corridor", "geometry": square})
    assert area.status == 201
    changed = send(hub, "PUT", f"{path}/{area.json()['place_id']}", {"name": "Centre", "geometry": square})
    assert changed.json()["name"] == "Centre"
    bow_tie = {"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]]}
    for geometry in (bow_tie, {"type": "Point", "coordinates": [1, 2]}, {"type": "Polygon"}, {"x": 1}):
        assert read_error(send(hub, "POST", path, {"name": "bad", "geometry": geometry}))[0] == 400
    assert hub.pool.request("DELETE", f"{hub.url}{path}/{area.json()['place_id']}").status == 204
    assert hub.get(path).json()["places"] == []


@pytest.mark.parametrize(
    ("data", "status", "code"),
    [
        (b"{", 422, "bad_place_file"),
        (b"", 422, "empty_file"),
        (b"PK\x03\x04" + b"x" * 100, 422, "damaged_archive"),
        (b"x" * (33 * 2**20), 413, "too_large"),
    ],
)
def test_files_that_are_no_places_are_refused(hub: HubServer, data: bytes, status: int, code: str) -> None:
    answer = hub.post("/api/v1/places/inspect", data, file_name="a")
    assert answer.status == status
    assert answer.json()["code"] == code


def test_a_trip_file_of_ids_is_offered_the_sets_that_know_them(hub: HubServer, tmp_path: Path) -> None:
    added = add(hub, "taxi zones", make_shapefile(tmp_path), file_name="taxi_zones.zip")
    asked = hub.post("/api/v1/inspect", TRIPS, file_name="a.csv", is_whole="true")
    assert (asked.status, asked.json()["code"], asked.json()["parameter"]) == (422, "missing_roles", "places")
    choices = {choice["label"]: choice["options"] for choice in asked.json()["choices"]}
    label = "taxi zones: 4 zones, knows 75 % of PULocationID and DOLocationID"
    assert choices[label] == {"places": str(added["place_set_id"])}
    for places in ("taxi zones", str(added["place_set_id"])):
        seen = hub.post("/api/v1/inspect", TRIPS, file_name="a.csv", is_whole="true", places=places).json()
        assert (seen["rows_read"], seen["rows_rejected"], seen["reasons"]) == (10, 5, {"destination_unknown_place": 5})
        assert seen["plan"]["places"]["is_zones"]
        assert any("zone precision" in note for note in seen["notes"])
        zone = make_zones()["161"]
        assert zone.contains(shapely.Point(seen["trips"][0]["origin_longitude"], seen["trips"][0]["origin_latitude"]))
    refused = hub.post("/api/v1/inspect", TRIPS, file_name="a.csv", is_whole="true", places="none such")
    assert (refused.status, refused.json()["code"]) == (422, "no_such_places")
