"""Time questions over what is loaded: random boxes centred where trips are dense, regions, flows of random views.

The same questions go to DuckDB over the same trips, where it is installed, so that each figure stands beside another engine's.
"""

import copy
import gc
import random
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, Engine

from infra.bench.duckdb_questions import DuckQuestions
from shared.domain.area import Box
from shared.domain.clock import parse_weekdays
from shared.domain.trip_end import ENDS
from shared.groups.listing import fetch_flows
from shared.groups.question import FlowQuestion
from shared.platform.memory import keep_lasting
from shared.questions.catalog import list_regions
from shared.questions.density import fetch_density
from shared.questions.weekly import WeeklyQuestion, fetch_weekly
from shared.services.database import transaction
from shared.warm_up import compile_kernels

_KM_DEG: Final = 1 / 111.32
# 500 m to a whole region.
_BOX_SIZES_KM: Final = (0.5, 1, 2, 4, 8, 16, 32)
_VIEW_SIZES_KM: Final = (4.0, 16.0, 64.0)
# Where the map shows finer cells than runs keep flows of.
_STREET_SIZES_KM: Final = (1.0, 2.0, 4.0)
# Who asks all day finds most of what he asks for in memory; so that many of each kind are asked before.
_WARM_UP: Final = 40
# DuckDB takes about as long for each question of a kind: it reads everything.
_DUCK_REPEATS: Final = 10

Question = WeeklyQuestion | FlowQuestion


@dataclass(frozen=True)
class Timing:
    """A kind of question. Units: milliseconds. duckdb_…: the first of the same questions in DuckDB, if asked there."""

    question: str
    asked: int
    p50_ms: float
    p95_ms: float
    max_ms: float
    duckdb_p50_ms: float | None = None
    duckdb_p95_ms: float | None = None

    @property
    def ratio(self) -> float | None:
        """How many times faster than DuckDB, by p95."""
        return self.duckdb_p95_ms / self.p95_ms if self.duckdb_p95_ms is not None else None


def time_questions(engine: Engine, *, repeats: int, seed: int = 1, duck: DuckQuestions | None = None) -> list[Timing]:
    """Ask each kind of question `repeats` times, with other boxes each time, on one connection; and DuckDB the first few of them.

    Raises: ValueError when DuckDB counts otherwise.
    """
    draw = random.Random(seed)  # noqa: S311 - nothing secret
    with _lasting(), transaction(engine) as connection:
        connection.exec_driver_sql("set local statement_timeout = 0")
        boxes = Boxes(connection, draw)
        kinds = dict(_list_kinds(connection, boxes, draw))
        return [_time(connection, kind, [make() for _ in range(repeats + _WARM_UP)], duck=duck) for kind, make in kinds.items()]


@contextmanager
def _lasting() -> Iterator[None]:
    """Answer as hub and web app do, who look through no lasting objects meanwhile. Afterwards DuckDB wants its own collected."""
    compile_kernels()
    keep_lasting()
    try:
        yield
    finally:
        gc.unfreeze()


class Boxes:
    """Random boxes around places that are drawn by their number of trips."""

    def __init__(self, connection: Connection, draw: random.Random) -> None:
        cells = fetch_density(connection)
        self._draw = draw
        self._places = [(cell.longitude, cell.latitude) for cell in cells]
        self._weights = [cell.trips for cell in cells]

    def with_draw(self, draw: random.Random) -> "Boxes":
        """The same places, drawn by other dice."""
        boxes = copy.copy(self)
        boxes._draw = draw
        return boxes

    def draw(self, sizes_km: tuple[float, ...] = _BOX_SIZES_KM) -> Box:
        """Draw a box."""
        longitude, latitude = self._draw.choices(self._places, self._weights)[0]
        half = self._draw.choice(sizes_km) * _KM_DEG / 2
        longitude += self._draw.uniform(-0.01, 0.01)
        latitude += self._draw.uniform(-0.01, 0.01)
        return Box(longitude - 1.5 * half, latitude - half, longitude + 1.5 * half, latitude + half)


def _list_kinds(connection: Connection, boxes: Boxes, draw: random.Random) -> Iterator[tuple[str, Callable[[], Question]]]:
    regions = [region["name"] for region in list_regions(connection)]
    rush = {"hour_from": 7, "hour_to": 10}
    yield "weekly, region", lambda: WeeklyQuestion(region=draw.choice(regions))
    for end in ENDS:
        yield f"weekly, box, end {end}", lambda end=end: WeeklyQuestion(area=boxes.draw(), end=end)  # type: ignore[misc]
    yield (
        "weekly, box, 7 to 10 h, Mon-Fri",
        lambda: WeeklyQuestion(area=boxes.draw(), weekdays=parse_weekdays("weekday"), **rush),  # type: ignore[arg-type]
    )
    yield "500 flows of a view", lambda: FlowQuestion(viewport=boxes.draw(_VIEW_SIZES_KM), limit=500)
    yield "500 flows of a street view", lambda: FlowQuestion(viewport=boxes.draw(_STREET_SIZES_KM), limit=500, precision=7)
    yield "500 flows of a view, 7 to 10 h", lambda: FlowQuestion(viewport=boxes.draw(_VIEW_SIZES_KM), limit=500, **rush)  # type: ignore[arg-type]


def _ask(connection: Connection, question: Question) -> int:
    """Ask; returns the trips counted."""
    if isinstance(question, WeeklyQuestion):
        return fetch_weekly(connection, question).trips
    return fetch_flows(connection, question).shown_trips


def _time(connection: Connection, kind: str, questions: list[Question], *, duck: DuckQuestions | None) -> Timing:
    for question in questions[:_WARM_UP]:
        _ask(connection, question)
    taken, counts = _measure(lambda question: _ask(connection, question), questions[_WARM_UP:])
    if duck is None:
        return Timing(kind, len(taken), *_summarise(taken), taken[-1])
    duck_taken, duck_counts = _measure(duck.ask, questions[_WARM_UP:][:_DUCK_REPEATS])
    if duck_counts != counts[: len(duck_counts)]:
        raise ValueError(f"{kind}: DuckDB counts {duck_counts}, we {counts[: len(duck_counts)]}")
    return Timing(kind, len(taken), *_summarise(taken), taken[-1], *_summarise(duck_taken))


def _measure(ask: Callable[[Question], int], questions: list[Question]) -> tuple[list[float], list[int]]:
    """Milliseconds in order of size, and the counts in order of asking."""
    taken, counts = [], []
    for question in questions:
        began = time.perf_counter()
        counts.append(ask(question))
        taken.append((time.perf_counter() - began) * 1000)
    return sorted(taken), counts


def _summarise(taken: list[float]) -> tuple[float, float]:
    return statistics.median(taken), taken[min(len(taken) - 1, int(len(taken) * 0.95))]
