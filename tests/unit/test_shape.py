"""Shapes: which positions lie in them, against whole numbers and shapely; how rectangles lie; what GeoJSON is refused."""

import itertools
import json
import random
from typing import Any

import numpy as np
import pytest
import shapely

from shared.areas.shape import MAX_VERTICES, Shape, parse_shape
from shared.areas.shape_area import list_cell_bounds
from shared.domain.area import CUT, INSIDE, OUTSIDE
from shared.domain.position import AXIS_STEPS, encode_position, gather_axis, spread_axis
from shared.kernels import grid_tree
from shared.platform.arrays import Numbers
from shared.platform.errors import RequestError
from tests.brute_force import is_in_shape, quantise_vertex
from tests.random_shapes import draw_shape, make_polygon
from tests.random_trips import draw_trips

SQUARE = [[7.0, 45.0], [8.0, 45.0], [8.0, 46.0], [7.0, 46.0]]


def place(x: int, y: int) -> int:
    return spread_axis(x) << 1 | spread_axis(y)


def draw_positions(dice: random.Random, shape: Shape, count: int) -> Numbers:
    """On vertices, beside them, on edges, and anywhere around the shape."""
    rings = [[quantise_vertex(*vertex) for vertex in ring.tolist()] for ring in shape.rings]
    vertices = [vertex for ring in rings for vertex in ring]
    (x_low, x_high), (y_low, y_high) = ((min(axis), max(axis)) for axis in zip(*vertices, strict=True))
    found = []
    for _ in range(count):
        kind = dice.random()
        if kind < 0.4:
            x, y = dice.choice(vertices)
            x, y = x + dice.choice([-1, 0, 0, 1]), y + dice.choice([-1, 0, 0, 1])
        elif kind < 0.6:
            ring = dice.choice(rings)
            number, part = dice.randrange(len(ring) - 1), dice.choice([0.5, dice.random()])
            x, y = (round(a + (b - a) * part) for a, b in zip(ring[number], ring[number + 1], strict=True))
        else:
            x, y = dice.randint(x_low - 3, x_high + 3), dice.randint(y_low - 3, y_high + 3)
        found.append(place(x % AXIS_STEPS, min(AXIS_STEPS - 1, max(0, y))))
    return np.array(found, np.int64)


@pytest.mark.parametrize("seed", range(40))
def test_positions_lie_in_a_shape_as_whole_numbers_say(seed: int) -> None:
    dice = random.Random(seed)
    shape = draw_shape(dice, draw_trips(dice, 5))
    positions = draw_positions(dice, shape, 300)
    expected = [is_in_shape(position, shape) for position in positions.tolist()]
    assert shape.on_grid().contains(positions).tolist() == expected


@pytest.mark.parametrize("limits", [(4, 1), (100_000, 10)])
def test_small_and_deep_trees_say_the_same(limits: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    dice = random.Random(5)
    for _ in range(20):
        shape = draw_shape(dice, [])
        positions = draw_positions(dice, shape, 200)
        expected = shape.on_grid().contains(positions)
        with monkeypatch.context() as patched:
            patched.setattr(grid_tree, "_MOST_NODES", limits[0])
            patched.setattr(grid_tree, "_LEAF_EDGES", limits[1])
            patched.setattr(grid_tree, "_ROOT_BITS", 3)
            again = parse_shape(shape.to_json()).on_grid()
        assert (again.contains(positions) == expected).all()


@pytest.mark.parametrize("seed", range(30))
def test_positions_lie_in_a_valid_shape_as_shapely_says(seed: int) -> None:
    dice, random_numbers = random.Random(seed), np.random.default_rng(seed)
    centre = dice.uniform(-150, 150), dice.uniform(-60, 60)
    size, count = dice.choice([(1e-5, 5), (0.01, 50), (1.0, 2_000), (20.0, 2_000)])
    angles = (np.arange(count) + random_numbers.uniform(0, 0.5, count)) * 2 * np.pi / count
    radii = size * random_numbers.uniform(0.5, 1.0, count)
    outer = np.stack([centre[0] + radii * np.cos(angles), centre[1] + radii * np.sin(angles)], axis=1)
    hole = np.stack([centre[0] + radii * np.cos(angles) / 3, centre[1] + radii * np.sin(angles) / 3], axis=1)
    shape = parse_shape({"type": "Polygon", "coordinates": [[*ring.tolist(), ring[0].tolist()] for ring in (outer, hole)]})
    rings = [[quantise_vertex(*vertex) for vertex in ring.tolist()] for ring in shape.rings]
    polygon = shapely.Polygon(rings[0], [rings[1]])
    assert shapely.is_valid(polygon)
    positions = draw_positions(dice, shape, 4_000)
    x, y = ([gather_axis(position >> shift) for position in positions.tolist()] for shift in (1, 0))
    shapely.prepare(polygon)
    assert (shape.on_grid().contains(positions) == shapely.intersects_xy(polygon, x, y)).all()


@pytest.mark.parametrize("seed", range(20))
def test_rectangles_are_what_their_positions_are(seed: int) -> None:
    dice = random.Random(seed)
    shape = draw_shape(dice, [])
    area = shape.on_grid()
    corners = draw_positions(dice, shape, 200)
    for shift in (0, 3, 6, 20, 34, 45):
        cells = corners >> shift << shift
        kinds = area.classify(list_cell_bounds(cells, shift))
        inner = area.inner(shift)
        assert (inner.contains(corners) == (kinds == INSIDE)).all()
        assert (inner.classify(list_cell_bounds(corners, 0))[kinds == INSIDE] == INSIDE).all()
        for _ in range(5):
            found = area.contains(cells | np.array([dice.randrange(1 << shift) for _ in cells]))
            assert found[kinds == INSIDE].all()
            assert not found[kinds == OUTSIDE].any()
    assert set(area.classify(list_cell_bounds(np.zeros(1, np.int64), 62))) <= {CUT, INSIDE}


@pytest.mark.parametrize("seed", range(20))
def test_ranges_hold_what_lies_in_the_shape(seed: int) -> None:
    dice = random.Random(seed)
    shape = draw_shape(dice, [])
    area, positions = shape.on_grid(), draw_positions(dice, shape, 500)
    is_cut = np.searchsorted(area.cut_ranges(), positions, side="right") % 2 == 1
    ranges = area.ranges(positions[is_cut])
    assert all(low < high for low, high in itertools.pairwise(ranges))
    assert ((np.searchsorted(ranges, positions, side="right") % 2 == 1) == area.contains(positions)).all()


def test_a_line_has_no_ranges_but_those_of_positions_on_it() -> None:
    line = parse_shape(make_polygon([[7, 45], [8, 46], [7.5, 45.5]])).on_grid()
    position = encode_position(7, 45)
    assert line.ranges(np.empty(0, np.int64)) == []
    assert line.ranges(np.array([position, position, encode_position(7, 45.1)])) == [position, position + 1]


def test_a_shape_over_the_antimeridian_is_the_same_split_or_not() -> None:
    whole = parse_shape(make_polygon([[179.0, 0.0], [181.0, 0.0], [181.0, 1.0], [179.0, 1.0]])).on_grid()
    west = [[179.0, 0.0], [180.0, 0.0], [180.0, 1.0], [179.0, 1.0], [179.0, 0.0]]
    east = [[-180.0, 0.0], [-179.0, 0.0], [-179.0, 1.0], [-180.0, 1.0], [-180.0, 0.0]]
    split = parse_shape({"type": "MultiPolygon", "coordinates": [[west], [east]]}).on_grid()
    for longitude, is_inside in (
        (178.9, False),
        (179.0, True),
        (179.9999, True),
        (180, True),
        (-180, True),
        (-179, True),
        (-178.9, False),
    ):
        position = np.array([encode_position(longitude, 0.5)])
        assert whole.contains(position)[0] == split.contains(position)[0] == is_inside
    assert len(whole.box.x_ranges) == len(split.box.x_ranges) == 2


def test_poles_and_the_whole_world_lie_in_a_shape() -> None:
    world = parse_shape(make_polygon([[-180, -90], [180, -90], [180, 90], [-180, 90]])).on_grid()
    places = [(-180, -90), (180, 90), (0, 0), (179.99, -89.99)]
    assert world.contains(np.array([encode_position(*each) for each in places])).all()


def test_overlaps_are_holes_and_crossings_are_allowed() -> None:
    bow = parse_shape(make_polygon([[0, 0], [2, 2], [2, 0], [0, 2]])).on_grid()
    twice = parse_shape({"type": "MultiPolygon", "coordinates": [make_polygon(SQUARE)["coordinates"]] * 2}).on_grid()
    points = np.array([encode_position(*each) for each in [(0.2, 1), (1.8, 1), (1, 0.2), (1, 1.8)]])
    assert bow.contains(points).tolist() == [True, True, False, False]
    assert not twice.contains(np.array([encode_position(7.5, 45.5)]))[0]
    assert twice.contains(np.array([encode_position(7.5, 45.0)]))[0], "edges lie inside"


def test_equal_shapes_are_equal_and_others_are_not() -> None:
    one, other = parse_shape(make_polygon(SQUARE)), parse_shape(json.loads(json.dumps(make_polygon(SQUARE))))
    assert one == other
    assert hash(one) == hash(other)
    assert repr(one) == repr(other)
    assert one != parse_shape(make_polygon([*SQUARE[:3], [7.0, 46.1]]))
    feature = {"type": "Feature", "properties": {"name": "Centro"}, "geometry": make_polygon(SQUARE)}
    assert parse_shape(feature) == one == parse_shape({"type": "FeatureCollection", "features": [feature]})


def _feature(ring: Any) -> dict[str, Any]:
    return {"type": "Feature", "properties": {"name": "Centro"}, "geometry": {"type": "Polygon", "coordinates": [ring]}}


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ([], "A shape is a GeoJSON object"),
        ({}, "not no geometry"),
        ({"type": "Point", "coordinates": [1, 2]}, "not a Point"),
        ({"type": "Polygon"}, "The shape has no rings"),
        ({"type": "Polygon", "coordinates": []}, "has no rings"),
        ({"type": "MultiPolygon", "coordinates": []}, "no polygon"),
        ({"type": "FeatureCollection", "features": []}, "no polygon"),
        ({"type": "FeatureCollection"}, "no features"),
        ({"type": "FeatureCollection", "features": [{"type": "Polygon"}]}, "Feature 1 is not"),
        ({"type": "FeatureCollection", "features": [_feature(SQUARE)]}, 'Ring 1 of feature 1 ("Centro") is not closed'),
        (_feature([[0, 0], [1, 1], [0, 0]]), 'Ring 1 of the feature ("Centro") has 3 positions; 4 are needed'),
        (_feature([[0, 0], [1, float("nan")], [1, 1], [0, 0]]), "no number"),
        (_feature([[0, 0], [1, 91], [1, 1], [0, 0]]), "latitude outside"),
        (_feature([[0, 0], [541, 1], [540, 1], [0, 0]]), "longitudes outside"),
        (_feature([[-100, 0], [261, 1], [0, 1], [-100, 0]]), "more than 360 degrees apart"),
        (_feature([[0, 0], ["a", 1], [1, 1], [0, 0]]), "not a list"),
        (_feature([[0], [1], [2], [0]]), "not a list"),
        (_feature("abcd"), "not a list"),
        (_feature(None), "not a list"),
        (_feature([[0, 0], *([number % 7, 1] for number in range(MAX_VERTICES + 1)), [0, 0]]), "more than 100,000 vertices"),
    ],
)
def test_a_shape_without_sense_says_what_and_where(document: object, message: str) -> None:
    with pytest.raises(RequestError) as caught:
        parse_shape(document)
    assert message in caught.value.message
    assert caught.value.parameter == "shape"
