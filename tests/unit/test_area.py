"""Areas: boxes as steps, their whole and touched cells, and the ten integers that SQL compares."""

import random

import pytest

from shared.domain.area import WHOLE_WORLD, AxisArea, Box, parse_bbox
from shared.domain.position import AXIS_STEPS, X_MASK, Y_MASK, encode_position, gather_axis, quantise_longitude, spread_axis
from shared.platform.errors import RequestError


def is_in_area(position: int, area: list[int]) -> bool:
    """What position_in_area does."""
    x, y = position & X_MASK, position & Y_MASK
    boxes = [area[:4], area[4:8]]
    return area[8] <= y <= area[9] and any(z0 <= position <= z1 and x0 <= x <= x1 for z0, z1, x0, x1 in boxes)


def test_a_box_reads_and_writes_its_text() -> None:
    box = parse_bbox("7.5,45.0, 7.7,45.1")
    assert box == Box(7.5, 45.0, 7.7, 45.1)
    assert box.text() == "7.5,45,7.7,45.1"
    assert parse_bbox(box.text()) == box
    assert Box(0, 0, 100, 0).text() == "0,0,100,0"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1,2,3",
        "1,2,3,4,5",
        "a,b,c,d",
        "-181,0,0,0",
        "0,0,181,0",
        "0,-91,0,0",
        "0,0,0,91",
        "0,2,0,1",
        "nan,0,0,0",
        "0,0,0,nan",
        "0,0,inf,0",
    ],
)
def test_a_box_without_sense_names_its_parameter(text: str) -> None:
    with pytest.raises(RequestError) as caught:
        parse_bbox(text)
    assert caught.value.parameter == "bbox"


def test_a_box_over_the_antimeridian_has_two_x_ranges() -> None:
    area = Box(179, -1, -179, 1).on_grid()
    assert area.x_ranges == ((quantise_longitude(179), AXIS_STEPS - 1), (0, quantise_longitude(-179)))
    assert not area.is_empty


def test_the_whole_world_is_every_position() -> None:
    assert Box(-180, -90, 180, 90).on_grid() == WHOLE_WORLD
    bounds = WHOLE_WORLD.bounds()
    assert all(is_in_area(encode_position(*place), bounds) for place in [(-180, -90), (180, 90), (0, 0), (12.3, 45.6)])


def test_an_empty_area_holds_nothing() -> None:
    area = AxisArea(((1, 0),), (0, 5))
    assert area.is_empty
    assert AxisArea(((0, 1),), (5, 4)).is_empty
    assert not is_in_area(0, area.bounds())
    assert area.outer(34).is_empty


@pytest.mark.parametrize("seed", range(20))
def test_bounds_hold_exactly_the_steps_of_the_box(seed: int) -> None:
    dice = random.Random(seed)
    west, east = dice.uniform(-180, 180), dice.uniform(-180, 180)
    south, north = sorted([dice.uniform(-90, 90), dice.uniform(-90, 90)])
    area = Box(west, south, east, north).on_grid()
    bounds = area.bounds()
    edges_x = [edge + off for low, high in area.x_ranges for edge in (low, high) for off in (-1, 0, 1)]
    edges_y = [edge + off for edge in area.y_range for off in (-1, 0, 1)]
    for x in (*edges_x, dice.randrange(AXIS_STEPS)):
        for y in (*edges_y, dice.randrange(AXIS_STEPS)):
            if not (0 <= x < AXIS_STEPS and 0 <= y < AXIS_STEPS):
                continue
            expected = any(low <= x <= high for low, high in area.x_ranges) and area.y_range[0] <= y <= area.y_range[1]
            assert is_in_area(spread_axis(x) << 1 | spread_axis(y), bounds) == expected


@pytest.mark.parametrize("shift", [62, 61, 34, 32, 37, 24, 2, 1, 0])
@pytest.mark.parametrize("seed", range(5))
def test_inner_is_made_of_whole_cells_and_outer_of_touched_ones(shift: int, seed: int) -> None:
    dice = random.Random(seed)
    west, south = dice.uniform(-179, 178), dice.uniform(-89, 88)
    area = Box(west, south, west + dice.random() * 0.2, south + dice.random() * 0.2).on_grid()
    inner, outer = area.inner(shift), area.outer(shift)
    x_bits, y_bits = shift // 2, (shift + 1) // 2
    for part, bits, whole, touched in (
        (area.x_ranges[0], x_bits, inner.x_ranges[0], outer.x_ranges[0]),
        (area.y_range, y_bits, inner.y_range, outer.y_range),
    ):
        cells = range(part[0] >> bits, (part[1] >> bits) + 1)
        assert touched == (cells[0] << bits, (cells[-1] + 1 << bits) - 1)
        size = 1 << bits
        first = cells[0] if part[0] == cells[0] << bits else cells[0] + 1
        last = cells[-1] if part[1] == (cells[-1] + 1 << bits) - 1 else cells[-1] - 1
        assert whole == ((first * size, last * size + size - 1) if first <= last else (1, 0))


def test_cells_of_an_odd_shift_are_geohash_cells_of_odd_precision() -> None:
    position = encode_position(7.67, 45.07)
    cell = position >> 37
    outer = Box(7.67, 45.07, 7.67, 45.07).on_grid().outer(37)
    assert gather_axis(cell << 37 >> 1) == outer.x_ranges[0][0]
    assert gather_axis(cell << 37) == outer.y_range[0]
    assert is_in_area(cell << 37, outer.bounds())
    assert is_in_area((cell + 1 << 37) - 1, outer.bounds())
