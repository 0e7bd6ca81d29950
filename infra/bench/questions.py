"""Time questions over what is loaded: random boxes centred where trips are dense, regions, flows of random views."""

import random
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Final

from sqlalchemy import Connection, Engine

from shared.area import Box
from shared.catalog import fetch_density, list_regions
from shared.database import transaction
from shared.groups import FlowQuestion, fetch_flows
from shared.weekly import ENDS, End, WeeklyQuestion, fetch_weekly

_KM_DEG: Final = 1 / 111.32
# 500 m to a whole region.
_BOX_SIZES_KM: Final = (0.5, 1, 2, 4, 8, 16, 32)
_WARM_UP: Final = 3


@dataclass(frozen=True)
class Timing:
    """A kind of question. Units: milliseconds."""

    question: str
    asked: int
    p50_ms: float
    p95_ms: float
    max_ms: float


def time_questions(engine: Engine, *, repeats: int, seed: int = 1) -> list[Timing]:
    """Ask each kind of question `repeats` times, with other boxes each time, on one connection."""
    draw = random.Random(seed)  # noqa: S311 - nothing secret
    with transaction(engine) as connection:
        connection.exec_driver_sql("set local statement_timeout = 0")
        boxes = _Boxes(connection, draw)
        return [_time(kind, ask, repeats) for kind, ask in _list_kinds(connection, boxes, draw)]


class _Boxes:
    """Random boxes around places that are drawn by their number of trips."""

    def __init__(self, connection: Connection, draw: random.Random) -> None:
        cells = fetch_density(connection)
        self._draw = draw
        self._places = [(cell.longitude, cell.latitude) for cell in cells]
        self._weights = [cell.trips for cell in cells]

    def draw(self, sizes_km: tuple[float, ...] = _BOX_SIZES_KM) -> Box:
        """Draw a box."""
        longitude, latitude = self._draw.choices(self._places, self._weights)[0]
        half = self._draw.choice(sizes_km) * _KM_DEG / 2
        longitude += self._draw.uniform(-0.01, 0.01)
        latitude += self._draw.uniform(-0.01, 0.01)
        return Box(longitude - 1.5 * half, latitude - half, longitude + 1.5 * half, latitude + half)


def _list_kinds(connection: Connection, boxes: _Boxes, draw: random.Random) -> Iterator[tuple[str, Callable[[], object]]]:
    regions = [region["name"] for region in list_regions(connection)]
    yield "weekly, region", lambda: fetch_weekly(connection, WeeklyQuestion(region=draw.choice(regions)))
    for end in ENDS:
        yield f"weekly, box, end {end}", partial(_ask_box, connection, boxes, end)
    views = (4.0, 16.0, 64.0)
    yield "500 flows of a view", lambda: fetch_flows(connection, FlowQuestion(viewport=boxes.draw(views), limit=500))
    yield (
        "500 flows of a view, 7 to 10 h",
        lambda: fetch_flows(connection, FlowQuestion(viewport=boxes.draw(views), hour_from=7, hour_to=10, limit=500)),
    )


def _ask_box(connection: Connection, boxes: _Boxes, end: End) -> None:
    fetch_weekly(connection, WeeklyQuestion(box=boxes.draw(), end=end))


def _time(kind: str, ask: Callable[[], object], repeats: int) -> Timing:
    for _ in range(_WARM_UP):
        ask()
    taken = []
    for _ in range(repeats):
        began = time.perf_counter()
        ask()
        taken.append((time.perf_counter() - began) * 1000)
    taken.sort()
    return Timing(kind, repeats, statistics.median(taken), taken[min(len(taken) - 1, int(len(taken) * 0.95))], taken[-1])
