"""Positions: quantising, interleaving, cells and geohashes; one point and many alike."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.position import (
    AXIS_STEPS,
    X_MASK,
    Y_MASK,
    cell_box,
    cell_middle,
    cell_middles,
    decode_position,
    encode_position,
    format_geohash,
    gather_axis,
    parse_geohash,
    quantise_latitude,
    quantise_longitude,
    spread_axis,
    step_bits,
)
from shared.kernels.morton import encode_positions

LONGITUDES = st.floats(-180, 180) | st.sampled_from([-180.0, 180.0, 0.0, -0.0, 179.99999999999997])
LATITUDES = st.floats(-90, 90) | st.sampled_from([-90.0, 90.0, 0.0, 89.99999999999999])


@given(st.integers(0, AXIS_STEPS - 1))
def test_gathering_undoes_spreading(step: int) -> None:
    spread = spread_axis(step)
    assert spread & ~Y_MASK == 0
    assert gather_axis(spread) == step
    assert gather_axis(spread | X_MASK) == step


@given(st.integers(0, AXIS_STEPS - 1), st.integers(0, AXIS_STEPS - 1))
def test_masked_axes_sort_as_their_steps(one: int, other: int) -> None:
    assert (spread_axis(one) < spread_axis(other)) == (one < other)


@given(LONGITUDES, LATITUDES)
def test_a_position_is_known_to_a_step(longitude: float, latitude: float) -> None:
    found = decode_position(encode_position(longitude, latitude))
    assert found[0] == pytest.approx(longitude, abs=180 / AXIS_STEPS * 1.001)
    assert found[1] == pytest.approx(latitude, abs=90 / AXIS_STEPS * 1.001)


@given(st.lists(st.tuples(LONGITUDES, LATITUDES), min_size=1, max_size=50))
def test_many_positions_equal_single_ones(points: list[tuple[float, float]]) -> None:
    longitude, latitude = (np.array(axis) for axis in zip(*points, strict=True))
    assert encode_positions(longitude, latitude).tolist() == [encode_position(*point) for point in points]


@given(LONGITUDES, LONGITUDES)
def test_quantising_keeps_order(one: float, other: float) -> None:
    low, high = sorted([one, other])
    assert 0 <= quantise_longitude(low) <= quantise_longitude(high) <= AXIS_STEPS - 1


def test_poles_and_antimeridian_fall_in_the_last_steps() -> None:
    assert quantise_longitude(180.0) == quantise_latitude(90.0) == AXIS_STEPS - 1
    assert quantise_longitude(-180.0) == quantise_latitude(-90.0) == 0
    assert 0 <= encode_position(-180, -90) < encode_position(180, 90) == 2**62 - 1


@pytest.mark.parametrize(("longitude", "latitude", "geohash"), [(10.40744, 57.64911, "u4pruydqqvj"), (-5.6, 42.6, "ezs42")])
def test_geohashes_are_the_public_ones(longitude: float, latitude: float, geohash: str) -> None:
    """Source: the two examples of Wikipedia's article "Geohash"."""
    for precision in range(1, len(geohash) + 1):
        cell = encode_position(longitude, latitude) >> 62 - 5 * precision
        assert format_geohash(cell, precision) == geohash[:precision]
        assert parse_geohash(geohash[:precision]) == cell


@given(st.integers(0, 2**62 - 1), st.integers(1, 12))
def test_a_cell_is_what_halving_finds(position: int, precision: int) -> None:
    """Geohash as it is defined: halve the earth, longitude first, and write down which half."""
    ranges, place, cell = [[-180.0, 180.0], [-90.0, 90.0]], decode_position(position), 0
    for bit in range(5 * precision):
        half = ranges[bit % 2]
        middle = (half[0] + half[1]) / 2
        is_upper = place[bit % 2] >= middle
        half[0 if is_upper else 1] = middle
        cell = cell << 1 | is_upper
    assert position >> 62 - 5 * precision == cell


def test_an_unknown_character_is_no_geohash() -> None:
    with pytest.raises(ValueError, match="substring not found"):
        parse_geohash("u0a")


@given(LONGITUDES, LATITUDES, st.integers(0, 62))
def test_a_cells_box_holds_its_points(longitude: float, latitude: float, shift: int) -> None:
    cell = encode_position(longitude, latitude) >> shift
    west, south, east, north = cell_box(cell, shift)
    point = decode_position(encode_position(longitude, latitude))
    assert west < point[0] < east
    assert south < point[1] < north
    x_bits, y_bits = step_bits(shift)
    assert east - west == pytest.approx(2**x_bits * 360 / AXIS_STEPS, abs=1e-12)
    assert north - south == pytest.approx(2**y_bits * 180 / AXIS_STEPS, abs=1e-12)
    assert cell_middle(cell, shift) == ((west + east) / 2, (south + north) / 2)
    many = cell_middles(np.array([cell, cell]), shift)
    assert (many[0][1], many[1][1]) == (pytest.approx(cell_middle(cell, shift)[0]), pytest.approx(cell_middle(cell, shift)[1]))
