"""Place files: the same zones from every format and a projected reference system, and hostile files refused in a sentence."""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio
import pytest
import shapely
from pyproj import Transformer

from loader.place_files import PlaceFile, PlaceOptions, read_place_file
from loader.place_files import table as tables
from loader.place_files import vector as vector_files
from shared.platform.errors import FileFormatError, RequestError

# Long Island's state plane in US feet: what the zones of New York come in.
CRS = "EPSG:2263"
CENTRES = {"4": (-73.98, 40.72), "24": (-73.96, 40.80), "161": (-73.977, 40.757), "237": (-73.966, 40.768)}
NAMES = {"4": "Alphabet City", "24": "Bloomingdale", "161": "Midtown Center", "237": "Ünter Eäst Side"}


def make_zones() -> dict[str, Any]:
    """Zones in WGS 84: octagons, one with a hole, one of two parts."""
    zones = {key: shapely.Point(*centre).buffer(0.004, quad_segs=2) for key, centre in CENTRES.items()}
    zones["24"] = zones["24"].difference(shapely.Point(*CENTRES["24"]).buffer(0.001, quad_segs=2))
    zones["237"] = shapely.MultiPolygon([zones["237"], shapely.Point(-73.94, 40.77).buffer(0.002, quad_segs=2)])
    return zones


def project(shapes: dict[str, Any], crs: str = CRS) -> dict[str, Any]:
    transformer = Transformer.from_crs("EPSG:4326", crs, always_xy=True)
    return {
        key: shapely.transform(shape, lambda points: np.column_stack(transformer.transform(points[:, 0], points[:, 1])))
        for key, shape in shapes.items()
    }


def write_vector(folder: Path, shapes: dict[str, Any], *, crs: str, driver: str, layer: str = "zones") -> Path:
    path = folder / ("zones.gpkg" if driver == "GPKG" else f"{layer}.shp")
    pyogrio.raw.write(
        path,
        geometry=shapely.to_wkb(np.array(list(shapes.values()), dtype=object)),
        field_data=[
            np.arange(1, len(shapes) + 1, dtype=np.int32),
            np.array([int(key) for key in shapes], dtype=np.int32),
            np.array([NAMES[key] for key in shapes], dtype=object),
        ],
        fields=np.array(["OBJECTID", "LocationID", "zone"], dtype=object),
        geometry_type="MultiPolygon",
        promote_to_multi=True,
        crs=crs,
        driver=driver,
        layer=layer,
        append=path.exists(),
        encoding="UTF-8",
    )
    return path


def zip_folder(folder: Path, *, without: str = "none") -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.iterdir()):
            if path.suffix != without:
                archive.write(path, f"taxi_zones/{path.name}")
    return stream.getvalue()


def make_shapefile(folder: Path, *, shapes: dict[str, Any] | None = None, without: str = "none") -> bytes:
    write_vector(folder, shapes or project(make_zones()), crs=CRS, driver="ESRI Shapefile")
    return zip_folder(folder, without=without)


def make_geojson(shapes: dict[str, Any], crs: str | None = None) -> bytes:
    features = [
        {
            "type": "Feature",
            "properties": {"LocationID": int(key), "zone": NAMES[key]},
            "geometry": json.loads(shapely.to_geojson(shape)),
        }
        for key, shape in shapes.items()
    ]
    named = {"crs": {"type": "name", "properties": {"name": crs}}} if crs else {}
    return json.dumps({"type": "FeatureCollection", **named, "features": features}).encode()


def make_csv(shapes: dict[str, Any], prefix: str = "") -> bytes:
    rows = [f'{key};"{NAMES[key]}";"{prefix}{shape.wkt}"' for key, shape in shapes.items()]
    return "\r\n".join(["LocationID;zone;the_geom", *rows, ""]).encode()


def make_file(form: str, folder: Path) -> bytes:
    if form == "shapefile":
        return make_shapefile(folder)
    if form == "geopackage":
        return write_vector(folder, project(make_zones()), crs=CRS, driver="GPKG").read_bytes()
    if form == "geojson with crs":
        return make_geojson(project(make_zones()), "urn:ogc:def:crs:EPSG::2263")
    if form == "csv with srid":
        return make_csv(project(make_zones()), "SRID=2263;")
    return make_csv(make_zones()) if form == "csv" else make_geojson(make_zones())


def read(data: bytes, **options: Any) -> PlaceFile:
    return read_place_file(data, file_name="zones", options=PlaceOptions(**options))


@pytest.mark.parametrize("form", ["shapefile", "geopackage", "geojson", "geojson with crs", "csv", "csv with srid"])
def test_every_format_gives_the_same_zones(form: str, tmp_path: Path) -> None:
    found = read(make_file(form, tmp_path))
    zones = make_zones()
    assert (found.kind, found.key, found.label) == ("zones", "LocationID", "zone")
    assert found.crs == ("EPSG:4326" if form in ("geojson", "csv") else CRS)
    assert {place.key: place.name for place in found.places} == NAMES
    for place in found.places:
        shape = shapely.from_wkb(place.polygon)
        assert shape.symmetric_difference(zones[place.key]).area < 1e-6 * zones[place.key].area
        assert np.allclose(place.bounds, zones[place.key].bounds, atol=1e-8)
    shown = found.to_json()
    assert (shown["rows_read"], shown["places"]) == (4, 4)
    assert any("zones" in note for note in shown["notes"])
    assert json.dumps(shown)


def test_stations_are_points() -> None:
    rows = [
        "station_id,name,lat,lon,capacity",
        "72,W 52 St,40.76727216,-73.99392888,39",
        "79,Franklin St,40.71911552,-74.00666661,33",
    ]
    found = read("\n".join(rows).encode())
    assert (found.kind, found.key, found.label, found.crs) == ("points", "station_id", "name", "EPSG:4326")
    assert [(place.key, place.name, place.polygon) for place in found.places] == [
        ("72", "W 52 St", None),
        ("79", "Franklin St", None),
    ]
    assert found.places[0].bounds == (-73.99392888, 40.76727216, -73.99392888, 40.76727216)


def test_points_of_a_projected_system_are_transformed_when_it_is_named() -> None:
    data = b"id,name,x,y\n1,Bern,2600000,1200000\n2,Basel,2611000,1267000\n"
    with pytest.raises(FileFormatError, match="no degrees") as caught:
        read(data)
    assert {"crs": "EPSG:2056"} in [choice["options"] for choice in caught.value.facts["choices"]]  # type: ignore[attr-defined]
    found = read(data, crs="EPSG:2056")
    assert found.crs == "EPSG:2056"
    assert found.places[0].bounds[:2] == pytest.approx((7.438632, 46.951083), abs=1e-4)


def test_what_is_left_out_joined_or_there_twice_is_said() -> None:
    zones = make_zones()
    document = json.loads(make_geojson(zones))
    part = json.loads(shapely.to_geojson(shapely.Point(-73.9, 40.7).buffer(0.001)))
    document["features"] += [
        {"type": "Feature", "properties": {"LocationID": 4, "zone": "Alphabet City"}, "geometry": part},
        {"type": "Feature", "properties": {"LocationID": 264, "zone": "Unknown"}, "geometry": None},
    ]
    found = read(json.dumps(document).encode(), key="LocationID")
    assert [place.key for place in found.places] == list(CENTRES)
    assert shapely.from_wkb(found.places[0].polygon).geom_type == "MultiPolygon"
    notes = " ".join(found.notes)
    assert "1 zones come in several rows, which are joined: 4." in notes
    assert "1 rows without a shape or key are left out: 264." in notes
    twice = read(b"id,lon,lat\n1,7.1,45\n1,7.2,45\n2,7.3,45\n")
    assert [place.bounds[0] for place in twice.places] == [7.1, 7.3]
    assert any("occur more than once" in note for note in twice.notes)


def test_columns_are_chosen() -> None:
    data = make_geojson(make_zones())
    found = read(data, key="zone", label="locationid")
    assert {place.key: place.name for place in found.places} == {name: key for key, name in NAMES.items()}
    with pytest.raises(RequestError, match="no column 'code'"):
        read(data, key="code")


def test_a_layer_is_asked_for(tmp_path: Path) -> None:
    write_vector(tmp_path, make_zones(), crs="EPSG:4326", driver="GPKG", layer="zones")
    path = write_vector(tmp_path, make_zones(), crs="EPSG:4326", driver="GPKG", layer="parks")
    with pytest.raises(FileFormatError, match="2 layers") as caught:
        read(path.read_bytes())
    assert caught.value.facts["choices"] == [{"label": name, "options": {"layer": name}} for name in ("zones", "parks")]
    found = read(path.read_bytes(), layer="parks")
    assert any("holds besides: zones" in note for note in found.notes)


def test_a_shapefile_without_a_system_asks(tmp_path: Path) -> None:
    data = make_shapefile(tmp_path, without=".prj")
    with pytest.raises(FileFormatError, match="names no reference system") as caught:
        read(data)
    assert caught.value.facts["parameter"] == "crs"
    assert len(read(data, crs=CRS).places) == 4


def test_invalid_rings_name_the_feature(tmp_path: Path) -> None:
    zones = project(make_zones())
    zones["161"] = project(
        {"161": shapely.from_wkt("POLYGON ((-73.98 40.75, -73.97 40.76, -73.97 40.75, -73.98 40.76, -73.98 40.75))")}
    )["161"]
    with pytest.raises(
        FileFormatError, match=r"Feature 3, LocationID 161 \(Midtown Center\): its rings are invalid: Self-intersection"
    ):
        read(make_shapefile(tmp_path, shapes=zones))


def test_lines_are_no_places() -> None:
    with pytest.raises(FileFormatError, match="Feature 1, id 7: it is a LineString"):
        read(b'id,wkt\n7,"LINESTRING (0 0, 1 1)"\n')


def deep(depth: int) -> bytes:
    return b'{"type": "FeatureCollection", "features": ' + b"[" * depth + b"]" * depth + b"}"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "empty"),
        (b"{", "no valid JSON"),
        (b"{}", "no GeoJSON"),
        (b"[1, 2]", "no GeoJSON"),
        (deep(100_000), "no valid JSON"),
        (b'{"type": "FeatureCollection", "features": [1]}', "no features"),
        (b'{"type": "FeatureCollection", "features": []}', "no places"),
        (
            b'{"type": "Feature", "properties": {"id": 1}, "geometry": {"type": "Point", "coordinates": "x"}}',
            "feature 1 is no GeoJSON",
        ),
        (
            b'{"type": "Feature", "properties": {"id": 1}, "geometry": {"type": "Polygon", "coordinates": [[[0, 0], [1, 1]]]}}',
            "feature 1",
        ),
        (b'{"type": "Feature", "properties": {"id": "a\\u0000b"}, "geometry": {"type": "Point", "coordinates": [1, 2]}}', "NUL"),
        (
            b'{"type": "Feature", "properties": {"id": 1}, "geometry": {"type": "Point", "coordinates": [1e400, 2]}}',
            "Feature 1|feature 1",
        ),
        (b'{"type": "Feature", "crs": {"type": "name", "properties": {"name": "EPSG:0"}}, "geometry": null}', "not known"),
        (b"PK\x03\x04 no zip", "damaged"),
        (b"\x00\x00\x27\x0a" + bytes(96), "one part of a shapefile"),
        (b"\x7fELF" + bytes(range(32)) * 50, "no file of places"),
        (b"SQLite format 3\x00" + bytes(1000), "damaged, or none"),
        (b"id,lon,lat\n1,2\n", "Row 1 has 2 fields"),
        (b"id,name\n1,a\n", "No column holds shapes"),
        (b'id,wkt\n1,"POINT (1 2)"\n2,POINT\n', "no WKT"),
    ],
)
def test_hostile_and_damaged_files_are_refused_in_a_sentence(data: bytes, message: str) -> None:
    with pytest.raises(FileFormatError, match=message):
        read(data)


def test_archives_are_bounded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(FileFormatError, match=r"lacks its \.dbf"):
        read(make_shapefile(tmp_path, without=".dbf"))
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.geojson", b" " * 10_000_000)
    monkeypatch.setattr(vector_files, "_UNPACKED_LIMIT", 1_000_000)
    with pytest.raises(FileFormatError, match="expands to more than"):
        read(stream.getvalue())
    with zipfile.ZipFile(stream, "w") as archive:
        for number in range(1_001):
            archive.writestr(f"{number}.txt", b"")
    with pytest.raises(FileFormatError, match="more than 1,000 files"):
        read(stream.getvalue())


def test_numbers_of_features_and_vertices_are_bounded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    data = make_shapefile(tmp_path)
    monkeypatch.setattr("loader.place_files.place_file.VERTICES_LIMIT", 30)
    with pytest.raises(FileFormatError, match="vertices, more than 30"):
        read(data)
    monkeypatch.setattr(tables, "FEATURES_LIMIT", 3)
    for refused in (data, make_geojson(make_zones()), make_csv(make_zones())):
        with pytest.raises(FileFormatError, match="more than 3 places"):
            read(refused)
    monkeypatch.setattr(tables, "COLUMNS_LIMIT", 1)
    monkeypatch.setattr(tables, "FEATURES_LIMIT", 10)
    with pytest.raises(FileFormatError, match="more than 1 columns"):
        read(data)


def test_no_file_names_another(tmp_path: Path) -> None:
    """A virtual format of GDAL would open what it names; content under an innocent name must not reach it."""
    secret = tmp_path / "secret.geojson"
    secret.write_bytes(make_geojson(make_zones()))
    vrt = f'<OGRVRTDataSource><OGRVRTLayer name="secret"><SrcDataSource>{secret}</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>'
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for suffix in ("shp", "shx", "dbf"):
            archive.writestr(f"a.{suffix}", vrt)
    for data in (vrt.encode(), stream.getvalue()):
        with pytest.raises(FileFormatError):
            read(data)
