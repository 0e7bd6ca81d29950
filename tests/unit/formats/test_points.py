"""Points and lines in every form that is read, at the same places; what could be read two ways is asked."""

import json
from typing import Any

import h3
import pytest
import shapely

from loader.formats import LoadOptions, inspect_format
from shared.platform.errors import FileFormatError
from tests.unit.formats.loading import load_bytes

# Longitude and latitude of both ends.
TRIPS = (
    ((-73.9919, 40.7407), (-73.9938, 40.6959)),
    ((-73.9776, 40.7516), (-73.9512, 40.7794)),
    ((-74.006, 40.7128), (-73.9855, 40.758)),
    ((-73.969, 40.785), (-73.9442, 40.8116)),
)
TIME = "2024-03-19 08:12:00"
NEAR = 1e-6


def encode_polyline(points: Any, precision: int) -> str:
    """Encode points (longitude, latitude) as Google's format says."""
    text, before = "", (0, 0)
    for longitude, latitude in points:
        place = round(latitude * 10**precision), round(longitude * 10**precision)
        for step in (place[0] - before[0], place[1] - before[1]):
            bits = ~(step << 1) if step < 0 else step << 1
            while bits >= 0x20:
                text += chr((0x20 | (bits & 0x1F)) + 63)
                bits >>= 5
            text += chr(bits + 63)
        before = place
    return text


def encode_geohash(longitude: float, latitude: float, letters: int) -> str:
    bounds, text, bits = [[-180.0, 180.0], [-90.0, 90.0]], "", ""
    for number in range(letters * 5):
        low, high = bounds[number % 2]
        is_high = (longitude, latitude)[number % 2] >= (low + high) / 2
        bounds[number % 2][0 if is_high else 1] = (low + high) / 2
        bits += str(int(is_high))
    for at in range(0, len(bits), 5):
        text += "0123456789bcdefghjkmnpqrstuvwxyz"[int(bits[at : at + 5], 2)]
    return text


POINTS: dict[str, Any] = {
    "Python dictionary": lambda x, y: f"{{'type': 'Point', 'coordinates': [{x}, {y}]}}",
    "Python dictionary, type last": lambda x, y: f"{{'coordinates': [{x}, {y}], 'type': 'Point'}}",
    "GeoJSON": lambda x, y: json.dumps({"type": "Point", "coordinates": [x, y]}),
    "Python list": lambda x, y: f"[{x}, {y}]",
    "Python tuple, latitude first": lambda x, y: f"({y}, {x})",
    "pair, latitude first": lambda x, y: f"{y},{x}",
    "pair with a blank, latitude first": lambda x, y: f"{y} {x}",
    "pair with a blank, longitude first": lambda x, y: f"{x} {y}",
    "pair with a tab's width": lambda x, y: f"{y}   {x}",
    "address": lambda x, y: f"1600 Amphitheatre\nNew York, NY\n({y}, {x})",
    "address in one line": lambda x, y: f"1600 Amphitheatre (rear), New York ({y}, {x})",
    "geo URI": lambda x, y: f"geo:{y},{x}",
    "WKB": lambda x, y: shapely.to_wkb(shapely.Point(x, y), hex=True),
    "WKB, big-endian": lambda x, y: shapely.to_wkb(shapely.Point(x, y), hex=True, byte_order=0),
    "EWKB": lambda x, y: shapely.to_wkb(shapely.set_srid(shapely.Point(x, y), 4326), hex=True, include_srid=True),
    "EWKB, big-endian": lambda x, y: shapely.to_wkb(
        shapely.set_srid(shapely.Point(x, y, 7), 4326), hex=True, include_srid=True, byte_order=0
    ),
}


def make_csv(names: str, rows: list[list[str]]) -> bytes:
    quoted = ("\t".join('"' + cell.replace('"', '""') + '"' for cell in row) for row in rows)
    return "\n".join([names, *quoted]).encode()


def make_points(form: Any, names: str = "started_at\torigin\tdestination") -> bytes:
    return make_csv(names, [[TIME, form(*origin), form(*end)] for origin, end in TRIPS])


def check_ends(data: bytes, near: float = NEAR, **options: Any) -> Any:
    loaded = load_bytes(data, options=LoadOptions(**options))
    found = loaded.trips.select(r"^(origin|destination)_.*$").rows()
    assert len(found) == len(TRIPS)
    for row, (origin, end) in zip(found, TRIPS, strict=True):
        assert row == pytest.approx((*origin, *end), abs=near)
    return loaded


@pytest.mark.parametrize("form", POINTS)
def test_points(form: str) -> None:
    check_ends(make_points(POINTS[form]))


ROUTES: dict[str, Any] = {
    "MULTIPOINT": lambda ends: f"MULTIPOINT(({ends[0][0]} {ends[0][1]}),({ends[1][0]} {ends[1][1]}))",
    "MULTIPOINT without brackets": lambda ends: f"MULTIPOINT ({ends[0][0]} {ends[0][1]}, {ends[1][0]} {ends[1][1]})",
    "MULTIPOINT Z": lambda ends: f"SRID=4326;MULTIPOINT Z (({ends[0][0]} {ends[0][1]} 3), ({ends[1][0]} {ends[1][1]} 4))",
    "LINESTRING": lambda ends: shapely.to_wkt(shapely.LineString([ends[0], (0, 0), ends[1]])),
    "MULTILINESTRING": lambda ends: shapely.to_wkt(shapely.MultiLineString([[ends[0], (0, 0)], [(1, 1), ends[1]]])),
    "GeoJSON line": lambda ends: json.dumps({"type": "LineString", "coordinates": [ends[0], [0, 0], ends[1]]}),
    "GeoJSON lines": lambda ends: json.dumps({"type": "MultiLineString", "coordinates": [[ends[0], [0, 0]], [[1, 1], ends[1]]]}),
    "GeoJSON of two points": lambda ends: json.dumps({"type": "MultiPoint", "coordinates": ends}),
    "Python dictionary": lambda ends: str({"type": "LineString", "coordinates": [list(end) for end in ends]}),
    "array": lambda ends: json.dumps([ends[0], [0, 0], ends[1]]),
    "MDS": lambda ends: make_collection(ends, (1, 2)),
    "MDS, in another order": lambda ends: make_collection(ends[::-1], (1529969782421, 1529968782421)),
    "points without timestamps": lambda ends: make_collection(ends, (None, None)),
    "encoded polyline": lambda ends: encode_polyline([ends[0], (-73.98, 40.75), ends[1]], 5),
    "encoded polyline of six digits": lambda ends: encode_polyline([ends[0], (-73.98, 40.75), ends[1]], 6),
}


def make_collection(ends: Any, times: tuple[int | None, int | None]) -> str:
    features = [
        {
            "type": "Feature",
            "properties": {"timestamp": time} if time else {},
            "geometry": {"type": "Point", "coordinates": end},
        }
        for time, end in zip(times, ends, strict=True)
    ]
    return json.dumps({"type": "FeatureCollection", "features": features})


@pytest.mark.parametrize("form", ROUTES)
def test_routes(form: str) -> None:
    check_ends(make_csv("started_at\troute", [[TIME, ROUTES[form](ends)] for ends in TRIPS]))


CELLS: dict[str, tuple[Any, float, str]] = {
    "geohash": (lambda x, y: encode_geohash(x, y, 8), 0.0002, "geohashes"),
    "geohash in capitals": (lambda x, y: encode_geohash(x, y, 9).upper(), 0.0001, "geohashes"),
    "h3": (lambda x, y: h3.latlng_to_cell(y, x, 11), 0.001, "H3"),
    "h3 in capitals": (lambda x, y: h3.latlng_to_cell(y, x, 11).upper(), 0.001, "H3"),
}


@pytest.mark.parametrize("form", CELLS)
@pytest.mark.parametrize("names", ["origin_geohash\tdestination_geohash", "geohashed_start_loc\tgeohashed_end_loc"])
def test_cells(form: str, names: str) -> None:
    make, near, word = CELLS[form]
    data = make_points(make, f"started_at\t{names}")
    check_ends(data, near)
    notes = inspect_format(data, file_name="f", options=LoadOptions(), is_whole=True).notes
    assert any(word in note and "centre of its cell" in note for note in notes)


def test_h3_under_any_name_of_an_end() -> None:
    make, near, _ = CELLS["h3"]
    check_ends(make_points(make, "started_at\tstart_h3\tend_h3"), near)


def test_open_location_codes() -> None:
    rows = [[TIME, "8FVC2222+22", "8FVC2222+22GCCCC"]] * 3
    [trip] = load_bytes(make_csv("started_at\tstart_plus_code\tend_plus_code", rows)).trips.rows(named=True)[:1]
    assert (trip["origin_longitude"], trip["origin_latitude"]) == pytest.approx((8.0000625, 47.0000625))
    assert trip["destination_latitude"] == pytest.approx(47.000062, abs=1e-5)


def test_codes_that_could_be_geohashes_are_none_unless_somebody_says_so() -> None:
    make = CELLS["geohash"][0]
    data = make_points(make, "started_at\tstart_station_id\tend_station_id")
    with pytest.raises(FileFormatError) as caught:
        load_bytes(data)
    assert caught.value.error_code == "missing_roles"
    check_ends(data, 0.0002, roles={"origin": "start_station_id", "destination": "end_station_id"})


@pytest.mark.parametrize(("order", "is_first"), [("lon_lat", True), ("lat_lon", False)])
@pytest.mark.parametrize("form", ["pair, latitude first", "Python list", "pair with a blank, latitude first"])
def test_the_order_that_is_said_is_that_of_the_text(form: str, order: str, is_first: bool) -> None:
    def exchange(x: float, y: float) -> str:
        return POINTS[form](y, x) if is_first == ("latitude" in form) else POINTS[form](x, y)

    check_ends(make_points(exchange), axis_order=order)


def test_pairs_with_a_blank_are_asked_where_the_places_do_not_tell() -> None:
    rows = [[TIME, "-35.5 30.5", "-35.6 30.6"]] * 4
    with pytest.raises(FileFormatError) as caught:
        load_bytes(make_csv("started_at\torigin\tdestination", rows))
    assert caught.value.error_code == "ambiguous_columns"
    assert caught.value.facts["parameter"] == "axis_order"
    for choice in caught.value.facts["choices"]:
        assert (
            load_bytes(make_csv("started_at\torigin\tdestination", rows), options=LoadOptions(**choice["options"])).trips.height
            == 4
        )


def test_the_digits_of_polylines_are_asked_where_the_places_do_not_tell() -> None:
    data = make_csv("started_at\troute", [[TIME, encode_polyline(((-35.5, 30.5), (-35.6, 30.6)), 5)]] * 4)
    with pytest.raises(FileFormatError) as caught:
        load_bytes(data)
    assert caught.value.facts["parameter"] == "polyline_precision"
    loaded = load_bytes(data, options=LoadOptions(polyline_precision=5))
    assert loaded.trips["origin_longitude"][0] == pytest.approx(-35.5)


@pytest.mark.parametrize("word", ["MEMBER", "Customer", "subscriber", "SUBSCRIBER_2", "~~~~~~~~", "_p~iF~ps|U", "AAAAAAAA"])
def test_words_are_no_polylines(word: str) -> None:
    with pytest.raises(FileFormatError) as caught:
        load_bytes(make_csv("started_at\tusertype", [[TIME, word]] * 4))
    assert caught.value.error_code == "missing_roles"


@pytest.mark.parametrize(
    "text",
    [
        "MULTIPOINT((1 2),(3 4),(5 6))",
        json.dumps({"type": "MultiPoint", "coordinates": [[1, 2], [3, 4], [5, 6]]}),
        json.dumps({"type": "Polygon", "coordinates": [[[1, 2], [3, 4], [5, 6], [1, 2]]]}),
        json.dumps({"type": "FeatureCollection", "features": []}),
        json.dumps({"type": "FeatureCollection", "features": [{"geometry": None}]}),
        '{"type": "FeatureCollection", ' + "[" * 5_000,
        shapely.to_wkb(shapely.MultiPoint([(1, 2), (3, 4), (5, 6)]), hex=True),
        "0104000000ffffffff" + "00" * 30,
        "00000000ff",
        "_p~iF~ps|U_ulLnnqC_mqNvxq`",
        "8fffffffffffffff",
        "zzzzzzzzzzzzz",
        "87G8P27V+J",
    ],
)
def test_a_row_that_is_no_trip_is_a_reject(text: str) -> None:
    rows = [[TIME, ROUTES["LINESTRING"](ends)] for ends in TRIPS]
    loaded = load_bytes(make_csv("started_at\troute", [*rows, [TIME, text]]))
    assert loaded.trips.height == len(TRIPS)
    assert loaded.rejects["reason"].to_list() == ["origin_unreadable"]
