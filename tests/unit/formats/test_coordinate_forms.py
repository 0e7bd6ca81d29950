# ruff: noqa: RUF001 - signs of other scripts are the point
"""Coordinates: every way to write a number, and the units and systems that are asked for."""

from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import CRS, Transformer

from loader.formats import LoadOptions
from loader.formats.coordinates.degrees import Coordinates
from loader.formats.coordinates.known_crs import KNOWN_CRS
from loader.formats.coordinates.reprojection import UNITS, to_degrees
from loader.formats.model.crs import parse_crs
from loader.formats.text.angles import find_hemispheres
from loader.formats.text.numbers import parse_numbers
from shared.platform.errors import FileFormatError, RequestError
from tests.unit.formats.loading import Loaded, load_bytes

HEAD = "started_at;start_lat;start_lng;end_lat;end_lng\n"
TIME = "2024-03-19 08:12:00"


def make_file(*rows: str, head: str = HEAD) -> bytes:
    return (head + "".join(f"{TIME};{row}\n" for row in rows)).encode()


def load(*rows: str, head: str = HEAD, **options: Any) -> Loaded:
    return load_bytes(make_file(*rows, head=head), options=LoadOptions(**options))


def find_origin(loaded: Loaded) -> tuple[float, float]:
    trip = loaded.trips.row(0, named=True)
    return round(trip["origin_longitude"], 4), round(trip["origin_latitude"], 4)


def ask(*rows: str, head: str = HEAD, **options: Any) -> FileFormatError:
    with pytest.raises(FileFormatError) as caught:
        load(*rows, head=head, **options)
    return caught.value


def answers(error: FileFormatError) -> list[dict[str, Any]]:
    choices = error.facts["choices"]
    assert isinstance(choices, list)
    return [choice["options"] for choice in choices]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("40.7407", 40.7407),
        (" 40.7407 ", 40.7407),
        ("\u00a040.7407", 40.7407),
        ("\u202f40.7407\u2009", 40.7407),
        ("+40.7407", 40.7407),
        ("\u221273.9919", -73.9919),
        ("\u201373.9919", -73.9919),
        ("４０．７４０７", 40.7407),
        ('="40.7407"', 40.7407),
        ("'40.7407", 40.7407),
        ('"40.7407"', 40.7407),
        ("40.7407°", 40.7407),
        ("40.7407 °", 40.7407),
        ("-73.9919°", -73.9919),
        ("40.7407 deg", 40.7407),
        ("40.7407N", 40.7407),
        ("40.7407 N", 40.7407),
        ("40.7407°N", 40.7407),
        ("40.7407° n", 40.7407),
        ("N 40.7407", 40.7407),
        ("N40.7407°", 40.7407),
        ("73.9919W", -73.9919),
        ("73.9919 w", -73.9919),
        ("W73.9919", -73.9919),
        ("33.8688S", -33.8688),
        ("151.2093E", 151.2093),
        ("40°44'26\"N", 40.740556),
        ("40° 44′ 26″ N", 40.740556),
        ("40°44'26.5\"", 40.740694),
        ("-73°59'31\"", -73.991944),
        ("73°59'31\"W", -73.991944),
        ("W 73° 59' 31\"", -73.991944),
        ("73 59 31 W", -73.991944),
        ("73-59-31 W", -73.991944),
        ("73:59:31W", -73.991944),
        ("73d59m31sW", -73.991944),
        ("40°44.433'N", 40.74055),
        ("40 44.433 N", 40.74055),
        ("40°44'", 40.733333),
        ("2 683 000", 2_683_000),
        ("2\u202f683\u202f000", 2_683_000),
        ("2'683'000.5", 2_683_000.5),
        ("2\u2019683\u2019000", 2_683_000),
        ("-8,236,740.63", -8_236_740.63),
        ("1,247,000", 1_247_000),
    ],
)
def test_numbers_with_signs_around(text: str, wanted: float) -> None:
    assert parse_numbers(pl.Series([text]))[0] == pytest.approx(wanted, abs=1e-6)


@pytest.mark.parametrize(
    "text",
    [
        "-73.9919 W",  # twice west, or east
        "N 40.7407 N",
        "40.7407 O",  # Oeste or Ost
        "40°61'N",
        "40°44'60\"N",
        "40 44 26",
        "40:44:26",
        "40,741",
        "40,7407",
        "407.407.0",
        "12 Main",
        "N",
        "°",
        "--40.7",
        "40.7407 N 73.9919 W",
        "1.234.567",
        "4 0 7",
    ],
)
def test_what_is_no_number_for_sure_is_none(text: str) -> None:
    assert np.isnan(parse_numbers(pl.Series([text]))[0])


@pytest.mark.parametrize(
    ("text", "wanted"), [("40,7407", 40.7407), ("40,7407°N", 40.7407), ("\u221273,9919", -73.9919), ("2.683.000,5", 2_683_000.5)]
)
def test_numbers_with_a_decimal_comma(text: str, wanted: float) -> None:
    assert parse_numbers(pl.Series([text]), decimal=",")[0] == pytest.approx(wanted)


@settings(max_examples=50, deadline=None)
@given(values=st.lists(st.floats(-180, 180).map(lambda value: round(value, 5)), min_size=1, max_size=5))
def test_signs_around_a_number_change_nothing(values: list[float]) -> None:
    written = [f"{abs(value):.5f}{'W' if value < 0 else 'E'}" for value in values]
    dressed = [f"\u00a0{value:.5f}°" for value in values]
    for texts in (written, dressed):
        assert parse_numbers(pl.Series(texts)).tolist() == pytest.approx(values, abs=1e-9)


def test_the_coordinates_decide_the_decimal_sign() -> None:
    head = "started_at;start_lat;start_lng;end_lat;end_lng;fare;tip;tax;dist;speed;temp\n"
    loaded = load(*["40,7407;-73,9919;40,6959;-73,9938;12.50;1.25;0.55;3.21;11.4;7.3"] * 3, head=head)
    assert (find_origin(loaded), loaded.rejects.height) == ((-73.9919, 40.7407), 0)
    other = load(*["40.7407;-73.9919;40.6959;-73.9938;12,50;1,25;0,55;3,21;11,4;7,3"] * 3, head=head)
    assert (find_origin(other), other.rejects.height) == ((-73.9919, 40.7407), 0)


def test_one_column_with_a_comma_is_enough() -> None:
    assert find_origin(load("40,7407;-74;40,6959;-73.5")) == (-74.0, 40.7407)


def test_hemispheres_load_and_tell_exchanged_columns() -> None:
    assert find_origin(load("40.7407N;73.9919W;40.6959N;73.9938W")) == (-73.9919, 40.7407)
    assert ask("73.9919W;40.7407N;73.9938W;40.6959N").error_code == "swapped_coordinates"
    assert find_hemispheres(pl.Series(["40.7 N", "S 3", "East", "12 E"])) == {"N", "S", "E"}


@pytest.mark.parametrize("unit", [unit for unit in UNITS if unit != "degrees"])
def test_units_are_asked_for_and_read(unit: str) -> None:
    values = [value / UNITS[unit] for value in (40.7407, -73.9919, 40.6959, -73.9938)]
    row = ";".join(f"{value:.0f}" if unit != "radians" else f"{value:.9f}" for value in values)
    error = ask(row, row)
    assert error.error_code == "not_degrees"
    assert {"coordinate_unit": unit} in answers(error)
    assert find_origin(load(row, coordinate_unit=unit)) == (-73.9919, 40.7407)


@pytest.mark.parametrize(
    ("crs", "longitude", "latitude", "options"),
    [
        ("EPSG:3857", -73.9919, 40.7407, {}),
        ("EPSG:2056", 8.5417, 47.3769, {}),
        ("EPSG:21781", 8.5417, 47.3769, {}),
        ("EPSG:2154", 2.3522, 48.8566, {}),
        ("EPSG:27700", -0.1276, 51.5072, {}),
        ("EPSG:28992", 4.9041, 52.3676, {}),
        ("EPSG:5514", 14.4378, 50.0755, {}),
        ("EPSG:2180", 21.0122, 52.2297, {}),
        ("EPSG:3067", 24.9384, 60.1699, {}),
        ("EPSG:26918", -73.9919, 40.7407, {}),
        ("EPSG:2263", -73.9919, 40.7407, {}),
        ("EPSG:32735", 28.0473, -26.2041, {"region": "Johannesburg"}),
    ],
)
def test_reference_systems_are_recognised_and_transformed(
    crs: str, longitude: float, latitude: float, options: dict[str, str]
) -> None:
    project = Transformer.from_crs("EPSG:4326", crs, always_xy=True)
    row = ";".join(f"{value:.3f}" for lon in (longitude, longitude + 0.01) for value in project.transform(lon, latitude))
    head = "started_at;start_x;start_y;end_x;end_y\n"
    error = ask(row, row, head=head, **options)
    assert error.error_code == "not_degrees"
    assert {"crs": crs} in answers(error)
    loaded = load(row, head=head, crs=crs)
    assert find_origin(loaded) == pytest.approx((longitude, latitude), abs=2e-4)


def test_utm_without_a_region_says_what_to_say() -> None:
    assert "EPSG:" in ask("450000;6200000;451000;6201000", head="started_at;start_x;start_y;end_x;end_y\n").message


def test_points_with_another_srid_are_asked_for() -> None:
    head = "started_at;origin;destination\n"
    row = "SRID=3857;POINT(-8236740.63 4974169.88)"
    data = f"{head}" + f'{TIME};"{row}";"{row}"\n' * 3
    with pytest.raises(FileFormatError) as caught:
        load_bytes(data.encode())
    assert answers(caught.value) == [{"crs": "EPSG:3857"}]
    loaded = load_bytes(data.encode(), options=LoadOptions(crs="EPSG:3857"))
    assert find_origin(loaded) == (-73.9919, 40.7407)


def test_thousands_of_a_spreadsheet_are_refused() -> None:
    assert ask("407.407;-739.919;406.959;-739.938").error_code == "damaged_numbers"
    assert ask("40.740.700;-73.991.900;40.695.900;-73.993.800").error_code == "damaged_numbers"


def test_what_no_system_explains_is_a_question_all_the_same() -> None:
    error = ask("9e9;9e9;9e9;9e9", "8e9;9e9;9e9;9e9")
    assert (error.error_code, answers(error)) == ("not_degrees", [])


def test_a_few_odd_rows_are_rejects() -> None:
    loaded = load(*["40.7407;-73.9919;40.6959;-73.9938"] * 9, "4974169;-8236740;4974169;-8236740")
    assert loaded.rejects["reason"].to_list() == ["origin_out_of_range"]


def test_zeros_and_unreadable_values_stay_what_they_are() -> None:
    ends = to_degrees(Coordinates(np.array([0.0, np.nan, 1e12]), np.array([0.0, 1.0, 1e12])), crs="EPSG:2056", unit=None)
    assert (ends.longitude[0], ends.latitude[0]) == (0.0, 0.0)
    assert np.isnan(ends.longitude[1])
    assert abs(ends.longitude[2]) > 180


@settings(max_examples=50, deadline=None)
@given(longitude=st.floats(6, 10), latitude=st.floats(46, 47.5))
def test_a_transformed_position_comes_back(longitude: float, latitude: float) -> None:
    x, y = Transformer.from_crs("EPSG:4326", "EPSG:2056", always_xy=True).transform(longitude, latitude)
    ends = to_degrees(Coordinates(np.array([x]), np.array([y])), crs="EPSG:2056", unit=None)
    assert (ends.longitude[0], ends.latitude[0]) == pytest.approx((longitude, latitude), abs=1e-7)


@pytest.mark.parametrize("name", ["EPSG:99999999", "nowhere", "EPSG:5773"])
def test_unknown_systems_are_refused_by_name(name: str) -> None:
    with pytest.raises(RequestError) as caught:
        LoadOptions.from_json({"crs": name})
    assert caught.value.facts["parameter"] == "crs"


def test_systems_have_names_and_numbers() -> None:
    assert parse_crs("2056") == parse_crs("EPSG:2056") == parse_crs("epsg:2056")


@pytest.mark.parametrize("code", KNOWN_CRS)
def test_bounds_of_known_systems_hold_their_area(code: int) -> None:
    crs = CRS.from_epsg(code)
    assert crs.area_of_use is not None
    west, south, east, north = crs.area_of_use.bounds
    project = Transformer.from_crs("EPSG:4326", crs, always_xy=True)
    middle = project.transform((west + east) / 2 if west < east else west + 1, (south + north) / 2)
    bounds = KNOWN_CRS[code]
    assert bounds[0] <= middle[0] <= bounds[2]
    assert bounds[1] <= middle[1] <= bounds[3]
