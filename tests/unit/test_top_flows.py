"""Flow counts: trips that come in order of their origins, about, are counted as if all were counted at once."""

import random
from collections import Counter
from collections.abc import Iterator
from typing import TypeVar

import numpy as np
import pytest

from shared.domain.area import AxisArea
from shared.groups.ordered_counter import OrderedCounter
from shared.groups.question import FlowQuestion
from shared.groups.top_flows import IN, INTERNAL, OUT, LargestFlows
from shared.platform.arrays import Numbers

Trips = list[tuple[int, int]]
_Trip = TypeVar("_Trip", bound=tuple[int, ...])


def draw_trips(dice: random.Random, trips: int, *, origins: int, destinations: int) -> Trips:
    return [(int(dice.triangular(0, origins, 0)), int(dice.triangular(0, destinations, 0))) for _ in range(trips)]


def count_in_order(trips: Trips, largest: LargestFlows, dice: random.Random) -> None:
    add_to(largest, most_trips=40).count((as_cells(block), first) for block, first in cut_into_blocks(trips, dice))


def add_to(largest: LargestFlows, **options: int) -> OrderedCounter:
    return OrderedCounter(lambda cells, trips: largest.add((cells[0], cells[1], trips)), keys=2, **options)


def cut_into_blocks(trips: list[_Trip], dice: random.Random) -> Iterator[tuple[list[_Trip], int]]:
    """Blocks as they are read: each begins at an origin that is no smaller than the last one's, and may reach far."""
    waiting = sorted(trips)
    while waiting:
        first, certain = waiting[0][0], dice.randint(1, 15)
        block = waiting[:certain] + dice.sample(waiting[certain:], min(certain, len(waiting[certain:])))
        left = Counter(waiting)
        left.subtract(block)
        waiting = sorted(left.elements())
        yield block, first


def as_cells(trips: Trips) -> Numbers:
    return np.array(trips, np.int64).reshape(-1, 2).T.copy()


def expect_shown(trips: Trips, limit: int) -> list[tuple[int, int, int]]:
    flows = sorted(((-count, origin, destination) for (origin, destination), count in Counter(trips).items()))
    return [(origin, destination, -count) for count, origin, destination in flows[:limit]]


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(20))
def test_trips_in_order_are_counted_as_at_once(seed: int) -> None:
    dice = random.Random(seed)
    # In the last case cells of both ends lie so far apart that no number holds a pair.
    spread = dice.choice([1, 1 << 20, 1 << 55])
    trips = [(o * spread, d * spread) for o, d in draw_trips(dice, 600, origins=30, destinations=dice.choice([3, 60]))]
    limit = dice.choice([1, 7, 1_000])
    largest = LargestFlows(FlowQuestion(limit=limit, precision=12), None)
    count_in_order(trips, largest, dice)
    assert largest.trips == 600
    assert list(largest.shown.iter_rows()) == expect_shown(trips, limit)
    cells = {cell for origin, destination, _ in expect_shown(trips, limit) for cell in (origin, destination)}
    expected = Counter((o, INTERNAL if o == d else OUT) for o, d in trips) + Counter((d, IN) for o, d in trips if o != d)
    assert largest.list_locations() == {key: count for key, count in expected.items() if key[0] in cells}


@pytest.mark.parametrize("seed", range(6))
def test_numbers_of_trips_are_added_up_per_key(seed: int) -> None:
    dice = random.Random(seed)
    spread = dice.choice([1, 1 << 20, 1 << 55])
    rows = [
        (o * spread, d * spread, dice.choice([0, 1, 1 << 26]), dice.randint(1, 9))
        for o, d in draw_trips(dice, 400, origins=30, destinations=9)
    ]
    expected = Counter[tuple[int, ...]]()
    for *key, trips in rows:
        expected[tuple(key)] += trips
    found: list[tuple[tuple[int, ...], int]] = []
    counter = OrderedCounter(
        lambda keys, trips: found.extend(zip(zip(*keys.tolist(), strict=True), trips.tolist(), strict=True)),
        keys=3,
        most_trips=dice.choice([20, 9_999]),
    )
    counter.count((np.array(block, np.int64).T.copy(), first) for block, first in cut_into_blocks(rows, dice))
    assert found == sorted(expected.items())


def test_flows_out_of_sight_are_left_out_but_their_trips_are_counted() -> None:
    # Of cells of twelve characters, two bits above a position's last, number 1 lies north of number 0, 2 east of it, 3 of both.
    view = AxisArea(((0, 1),), (2, 3))
    largest = LargestFlows(FlowQuestion(precision=12), view)
    add_to(largest).count([(as_cells([(1, 1), (1, 2), (2, 2), (2, 2), (2, 1), (2, 1), (3, 3)]), 0)])
    assert largest.trips == 7
    assert list(largest.shown.iter_rows()) == [(2, 1, 2), (1, 1, 1), (1, 2, 1)]
    assert largest.list_locations() == {(1, INTERNAL): 1, (1, OUT): 1, (1, IN): 2, (2, OUT): 2, (2, IN): 1}
