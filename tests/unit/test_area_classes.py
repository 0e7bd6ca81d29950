"""Classes of rectangles: outside, cut or inside, as their positions are, with edges, the antimeridian and empty areas."""

import random
from itertools import product

import numpy as np
import pytest

from shared.domain.area import CUT, INSIDE, OUTSIDE, AxisArea, Bounds

SIDE = 12


def draw_range(dice: random.Random) -> tuple[int, int]:
    low, high = sorted(dice.choices(range(SIDE), k=2))
    return low, high


def make_bounds(rectangles: list[tuple[tuple[int, int], tuple[int, int]]]) -> Bounds:
    x, y = (np.array([each[axis] for each in rectangles], np.int64) for axis in (0, 1))
    return x[:, 0], x[:, 1], y[:, 0], y[:, 1]


def is_inside(area: AxisArea, x: int, y: int) -> bool:
    return any(low <= x <= high for low, high in area.x_ranges) and area.y_range[0] <= y <= area.y_range[1]


def draw_area(dice: random.Random) -> AxisArea:
    if dice.random() < 0.3:  # over the antimeridian
        west, east = sorted(dice.sample(range(SIDE), 2), reverse=True)
        return AxisArea(((west, SIDE - 1), (0, east)), draw_range(dice))
    return AxisArea((draw_range(dice),), draw_range(dice))


@pytest.mark.parametrize("seed", range(20))
def test_rectangles_are_what_their_positions_are(seed: int) -> None:
    dice = random.Random(seed)
    for _ in range(20):
        area = draw_area(dice)
        rectangles = [(draw_range(dice), draw_range(dice)) for _ in range(50)]
        bounds = make_bounds(rectangles)
        classes = area.classify(bounds)
        cuts_x, cuts_y = area.find_cut_axes(bounds)
        for number, ((x_low, x_high), (y_low, y_high)) in enumerate(rectangles):
            found = {is_inside(area, x, y) for x, y in product(range(x_low, x_high + 1), range(y_low, y_high + 1))}
            # A rectangle over both x ranges lies inside in fact, but counts as cut: its positions are looked at.
            possible = {True: {INSIDE}, False: {OUTSIDE}}[found.pop()] if len(found) == 1 else {CUT}
            assert classes[number] in possible | ({CUT} if len(area.x_ranges) > 1 else set())
            if classes[number] == CUT:
                assert cuts_x[number] or cuts_y[number]


def test_everything_is_outside_an_empty_area() -> None:
    for area in (AxisArea(((1, 0),), (0, 5)), AxisArea(((0, 5),), (1, 0))):
        assert area.classify(make_bounds([((0, 9), (0, 9)), ((1, 1), (0, 0))])).tolist() == [OUTSIDE, OUTSIDE]
