"""Random trips and boxes that look for trouble: crowds, poles, the antimeridian, points exactly on the borders of cells."""

import random
from datetime import date, datetime, timedelta
from typing import Any, Final

from shared.domain.area import Box
from shared.domain.clock import WEEKDAYS
from shared.domain.position import encode_position
from tests.trip_maker import MadeTrip

MONDAY: Final = date(2026, 3, 2)
TURIN: Final = (7.67, 45.07)
REGIONS: Final = ["Turin", "Prague"]
DATASOURCES: Final = ["baba_car", "funny_car", "cheap_mobile"]

_CENTRES = [TURIN, (0.0, 0.0), (-180.0, 10.0), (180.0, -10.0), (14.4, 90.0), (20.0, -90.0), (7.66357421875, 45.0)]
_SPREADS = [0.0, 1e-6, 0.002, 0.05, 2.0]
# Bits an axis of the cells that rollups, blocks and density are made of.
_CELL_BITS = [14, 15, 19]


def make_trip(day: date, *, hour: int = 12, minute: int = 0, origin: tuple[float, float] = TURIN, **fields: Any) -> MadeTrip:
    destination = fields.pop("destination", (7.70, 45.10))
    started_at = datetime(day.year, day.month, day.day, hour, minute)  # noqa: DTZ001 - a wall clock
    return MadeTrip(started_at, encode_position(*origin), encode_position(*destination), **fields)


def draw_place(dice: random.Random) -> tuple[float, float]:
    longitude, latitude = dice.choice(_CENTRES)
    spread = dice.choice(_SPREADS)
    longitude, latitude = dice.gauss(longitude, spread), dice.gauss(latitude, spread)
    if dice.random() < 0.3:
        bits = dice.choice(_CELL_BITS)
        longitude = round((longitude + 180) / 360 * 2**bits) * 360 / 2**bits - 180
        latitude = round((latitude + 90) / 180 * 2**bits) * 180 / 2**bits - 90
    return min(180.0, max(-180.0, longitude)), min(90.0, max(-90.0, latitude))


def draw_trips(dice: random.Random, size: int) -> list[MadeTrip]:
    places = [draw_place(dice) for _ in range(size // 3 + 1)]
    span_days = dice.choice([1, 10, 40, 300])
    return [
        make_trip(
            MONDAY + timedelta(days=dice.randrange(span_days)),
            hour=dice.randrange(24),
            minute=dice.randrange(60),
            origin=dice.choice(places),
            destination=dice.choice(places),
            region=dice.choice(REGIONS),
            datasource=dice.choice(DATASOURCES),
            duration_s=dice.choice([None, dice.randrange(8_000)]),
        )
        for _ in range(size)
    ]


def draw_times(dice: random.Random) -> dict[str, Any]:
    """Hours and weekdays, or neither."""
    kind = dice.random()
    if kind < 0.5:
        return {}
    hours = dice.sample(range(25), 2) if kind < 0.85 else [0, 24]
    weekdays = (
        dice.choice([{6, 7}, {1, 2, 3, 4, 5}, set(dice.sample(range(1, 8), dice.randrange(1, 8)))]) if kind > 0.65 else WEEKDAYS
    )
    return {"hour_from": hours[0], "hour_to": hours[1], "weekdays": frozenset(weekdays)}


def draw_box(dice: random.Random) -> Box | None:
    kind = dice.random()
    if kind < 0.1:
        return None
    if kind < 0.15:
        return Box(-180, -90, 180, 90)
    west, south = draw_place(dice)
    east, north = draw_place(dice)
    if kind < 0.75:  # of the size that people draw
        east, north = west + dice.choice([0.0, 0.001, 0.03, 0.2]), south + dice.choice([0.0, 0.001, 0.03, 0.2])
        east = east - 360 if east > 180 else east
    return Box(west, min(south, north), east, min(90.0, max(south, north)))
