"""Generated trip files in the challenge's format, for samples, tests and benchmarks.

    tally = generate_trips("trips.csv", rows=1_000_000, seed=7)
    tally.weeks            # {date(2026, 1, 5): 36_412, …}, what a correct load must count

The same arguments give the same bytes, and fewer rows give a prefix of more rows. Memory is bounded by one chunk.
Clock: local wall clock at the trip. CRS: WGS 84.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO, Final, TypedDict, Unpack

import numpy as np
import numpy.typing as npt
import polars as pl

from loader.sample.cities import CITIES, City
from loader.sample.places import PLACES, make_places
from shared.platform.errors import RequestError

HEADER: Final = b"region,origin_coord,destination_coord,datetime,datasource\n"
DATASOURCES: Final = ("cheap_mobile", "pt_search_app", "bad_diesel_vehicles", "baba_car", "funny_car")

# 13 MB of text: large enough for full speed, small enough to forget.
CHUNK_ROWS: Final = 100_000
_DATASOURCE_SHARES: Final = (0.33, 0.24, 0.17, 0.15, 0.11)
_JITTER_DEG: Final = 0.00016
_WEEKDAY_TRIPS: Final = np.array([1.0, 1.04, 1.06, 1.08, 1.14, 0.78, 0.62])
# ISO weeks of school holidays, in February, in August and at the end of the year: days have the hours of a weekend.
_HOLIDAY_WEEKS: Final = (8, 33, 52)
_HOLIDAY_TRIPS: Final = 0.66
# Trips per hour of day: two peaks on working days, one broad afternoon and a later night on free days.
_WORKDAY_HOURS: Final = np.array([5, 3, 2, 2, 4, 13, 38, 82, 94, 52, 36, 38, 46, 44, 46, 60, 86, 102, 82, 52, 34, 25, 17, 10])
_FREE_DAY_HOURS: Final = np.array([22, 17, 11, 6, 4, 5, 9, 16, 28, 44, 57, 63, 66, 66, 68, 70, 68, 66, 62, 54, 44, 36, 33, 28])
# Share of trips that leave home, by hour: mornings out, evenings back.
_WORKDAY_LEAVES: Final = np.array([0.3] * 4 + [0.9] * 6 + [0.5] * 4 + [0.3, 0.2, 0.12, 0.1, 0.15, 0.35] + [0.4] * 4)
_FREE_DAY_LEAVES: Final = np.array([0.1] * 6 + [0.8] * 7 + [0.5] * 4 + [0.4] * 3 + [0.25] * 4)
# What trips are for: to work, around the corner, across the city, or between two goals. Shares on a free day, and by hour of a
# working day.
_WORK, _CORNER, _BETWEEN = 0, 1, 3
_FREE_DAY_KINDS: Final = (0.04, 0.44, 0.42, 0.10)
_NOON, _RUSH, _EVENING = (0.12, 0.36, 0.32, 0.20), (0.66, 0.18, 0.12, 0.04), (0.15, 0.38, 0.39, 0.08)
_WORKDAY_KINDS: Final = (*[_EVENING] * 5, *[_RUSH] * 5, *[_NOON] * 5, *[_RUSH] * 4, *[_EVENING] * 5)
# Goals in Morton order between a home and a goal around the corner, as a standard deviation.
_CORNER_GOALS: Final = 500

_Table = npt.NDArray[np.uint16]
_Indexes = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class PlantedReject:
    """A bad row and the reject that a loader must report for it; record counts from 1, line from the header."""

    record: int
    column: str | None
    reason: str

    @property
    def line(self) -> int:
        """Physical line in the file, from 1."""
        return self.record + 1


@dataclass
class Tally:
    """What a generated file holds. counts has the axes region, datasource, week."""

    region_names: tuple[str, ...]
    from_on: date
    counts: npt.NDArray[np.int64]
    rows: int = 0
    bytes: int = 0
    rejects: list[PlantedReject] = field(default_factory=list)

    @property
    def first_week(self) -> date:
        """Monday of the first day's week."""
        return self.from_on - timedelta(days=self.from_on.weekday())

    @property
    def rows_loaded(self) -> int:
        """Good rows."""
        return self.rows - len(self.rejects)

    @property
    def weeks(self) -> dict[date, int]:
        """Trips per week, named by its Monday; weeks without trips left out."""
        return self.name_weeks(self.counts.sum(axis=(0, 1)))

    @property
    def regions(self) -> dict[str, int]:
        """Trips per region."""
        return dict(zip(self.region_names, self.counts.sum(axis=(1, 2)).tolist(), strict=True))

    @property
    def datasources(self) -> dict[str, int]:
        """Trips per datasource."""
        return dict(zip(DATASOURCES, self.counts.sum(axis=(0, 2)).tolist(), strict=True))

    def region_weeks(self, region: str) -> dict[date, int]:
        """Trips per week of one region."""
        return self.name_weeks(self.counts[self.region_names.index(region)].sum(axis=0))

    def to_json(self) -> dict[str, Any]:
        """Return everything as plain JSON; rejects as counts per reason."""
        return {
            "rows": self.rows,
            "bytes": self.bytes,
            "rows_loaded": self.rows_loaded,
            "rows_rejected": len(self.rejects),
            "rejects": dict(Counter(reject.reason for reject in self.rejects)),
            "regions": self.regions,
            "datasources": self.datasources,
            "weeks": [{"week": week.isoformat(), "trips": trips} for week, trips in self.weeks.items()],
        }

    def name_weeks(self, trips: npt.NDArray[np.int64]) -> dict[date, int]:
        """Counts along the axis week, named by Monday; weeks without trips left out."""
        weeks = enumerate(trips.tolist())
        return {self.first_week + timedelta(weeks=number): count for number, count in weeks if count}


class Choices(TypedDict, total=False):
    """What else a generated file can differ in; defaults and meaning as in write_trips."""

    bad_share: float
    from_on: date
    weeks: int
    cities: tuple[City, ...]
    on_rows: Callable[[int], None] | None


@dataclass(frozen=True)
class _Model:
    """Look-up tables of PLACES entries a row: a random 16-bit number picks from them by their weights."""

    names: tuple[str, ...]
    from_on: date
    sources: _Table  # region * number of datasources + datasource
    days: _Table
    is_free: npt.NDArray[np.bool_]  # per day of the file
    minutes: _Table  # 2 rows: working day, free day
    kinds: _Table  # 48 rows: an hour of a working day, then of a free day
    leaves: npt.NDArray[np.float64]  # share of trips that leave home, of the same 48 hours
    points: npt.NDArray[np.float64]  # region, then homes and goals; longitude, latitude
    jobs: _Table  # region, homes
    nearest: _Table  # region, homes
    corners: _Table  # distances between indexes of goals, modulo PLACES


@dataclass(frozen=True)
class _Chunk:
    """Trips as numbers."""

    source: _Table
    day: npt.NDArray[np.int64]
    second: npt.NDArray[np.int64]
    ends: npt.NDArray[np.float64]  # origin longitude, latitude, destination longitude, latitude; each n


def generate_trips(path: str | Path, *, rows: int, seed: int = 1, **choices: Unpack[Choices]) -> Tally:
    """Write a trip file and return what it holds; choices as for write_trips."""
    with Path(path).open("wb") as stream:
        return write_trips(stream, rows=rows, seed=seed, **choices)


def write_trips(
    stream: BinaryIO,
    *,
    rows: int,
    seed: int = 1,
    bad_share: float = 0.0,
    from_on: date = date(2026, 1, 5),
    weeks: int = 26,
    cities: tuple[City, ...] = CITIES,
    on_rows: Callable[[int], None] | None = None,
) -> Tally:
    """Write trips of `weeks` weeks from a day on to a stream and return what they are; on_rows hears of each chunk's rows.

    Raises: RequestError for a share or number that makes no file.
    """
    if rows < 0 or weeks < 1 or seed < 0 or not 0 <= bad_share <= 1:
        raise RequestError(
            "A generated file has 0 or more rows, 1 or more weeks, a seed from 0 and a share of bad rows from 0 to 1."
        )
    names = tuple(city.name for city in cities)
    tally = Tally(names, from_on, np.zeros((len(names), len(DATASOURCES), weeks + 1), np.int64))
    tally.bytes += stream.write(HEADER)
    model = _make_model(cities, from_on, days=weeks * 7, seed=seed)
    for chunk_no, first in enumerate(range(0, rows, CHUNK_ROWS)):
        size = min(CHUNK_ROWS, rows - first)
        chunk = _draw_chunk(model, np.random.default_rng([seed, chunk_no]), size)
        is_bad = np.random.default_rng([seed, chunk_no, 1]).random(CHUNK_ROWS)[:size] < bad_share
        _count_chunk(tally, chunk, is_bad)
        lines, rejects = _plant_rejects(_format_chunk(model, chunk), np.flatnonzero(is_bad), first)
        tally.bytes += stream.write(lines)
        tally.rows += size
        tally.rejects += rejects
        if on_rows:
            on_rows(size)
    return tally


def _make_model(cities: tuple[City, ...], from_on: date, *, days: int, seed: int) -> _Model:
    random = np.random.default_rng([seed, 1 << 40])
    tilted = np.array(_DATASOURCE_SHARES) * random.uniform(0.6, 1.4, (len(cities), len(DATASOURCES)))
    shares = tilted / tilted.sum(axis=1, keepdims=True) * np.array([[city.share] for city in cities])
    places = [make_places(city) for city in cities]
    kinds = [*_WORKDAY_KINDS, *[_FREE_DAY_KINDS] * 24]
    dates = [from_on + timedelta(days=number) for number in range(days)]
    is_holiday = np.array([each.isocalendar().week in _HOLIDAY_WEEKS for each in dates])
    return _Model(
        names=tuple(city.name for city in cities),
        from_on=from_on,
        sources=_make_table(shares.ravel()),
        days=_make_table(_weigh_days(from_on, is_holiday, random)),
        is_free=is_holiday | np.array([each.weekday() >= 5 for each in dates]),
        minutes=np.stack([_make_table(_smooth_minutes(hours)) for hours in (_WORKDAY_HOURS, _FREE_DAY_HOURS)]),
        kinds=np.stack([_make_table(np.array(weights)) for weights in kinds]),
        leaves=np.concatenate([_WORKDAY_LEAVES, _FREE_DAY_LEAVES]),
        points=np.concatenate([points for place in places for points in (place.homes, place.goals)]),
        jobs=np.concatenate([place.jobs for place in places]),
        nearest=np.concatenate([place.nearest for place in places]),
        corners=(random.normal(0, _CORNER_GOALS, PLACES).astype(np.int64) % PLACES).astype(np.uint16),
    )


def _make_table(weights: npt.NDArray[np.float64]) -> _Table:
    """Entry i is the place of quantile i of the weights."""
    quantiles = (np.arange(PLACES) + 0.5) / PLACES
    return np.searchsorted(np.cumsum(weights) / weights.sum(), quantiles).astype(np.uint16)


def _weigh_days(from_on: date, is_holiday: npt.NDArray[np.bool_], random: np.random.Generator) -> npt.NDArray[np.float64]:
    """Weekdays differ, holidays are quiet, weeks grow by a fifth with a swing, and days are off by a few percent."""
    number = np.arange(len(is_holiday))
    season = 1 + 0.2 * number / len(number) + 0.08 * np.sin(number / 7 / 4)
    usual = _WEEKDAY_TRIPS[(number + from_on.weekday()) % 7] * np.where(is_holiday, _HOLIDAY_TRIPS, 1.0)
    weights: npt.NDArray[np.float64] = usual * season * random.normal(1, 0.04, len(number))
    return weights


def _smooth_minutes(hours: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Trips per minute of the day, from the middle of one hour to the middle of the next; the day is a circle."""
    circle = np.concatenate([hours[-1:], hours, hours[:1]])
    minutes: npt.NDArray[np.float64] = np.interp(np.arange(1440) / 60, np.arange(-1, 25) + 0.5, circle)
    return minutes


def _draw_chunk(model: _Model, random: np.random.Generator, size: int) -> _Chunk:
    """Draw a whole chunk and keep its first rows, so that a shorter file is a prefix of a longer one."""
    bits = random.integers(0, PLACES, (7, CHUNK_ROWS), np.uint16)[:, :size]
    chance = random.random(CHUNK_ROWS)[:size]
    jitter = (random.random((4, CHUNK_ROWS))[:, :size] - 0.5) * _JITTER_DEG
    source, day = model.sources[bits[0]], model.days[bits[1]].astype(np.int64)
    is_free = model.is_free[day].astype(np.intp)
    minute = model.minutes[is_free, bits[2]].astype(np.int64)
    hour = is_free * 24 + minute // 60
    home, goal = _draw_ends(model, (source // len(DATASOURCES)).astype(np.intp), bits[3:5], kind=model.kinds[hour, bits[6]])
    leaves = chance < model.leaves[hour]
    # Of rows of two, take is twelve times as fast as an index in brackets.
    ends = [model.points.take(np.where(leaves, *pair), axis=0) for pair in ((home, goal), (goal, home))]
    return _Chunk(source, day, minute * 60 + bits[5] % 60, np.concatenate([end.T for end in ends]) + jitter)


def _draw_ends(model: _Model, city: _Indexes, bits: _Table, *, kind: _Table) -> tuple[_Indexes, _Indexes]:
    """Choose a home (or a goal beside it, of a trip between two goals) and a goal. Gives two columns of indexes of points."""
    home = city * PLACES + bits[0]
    corner = model.nearest[home] + model.corners[bits[1]]  # wraps around
    goal = np.where(kind == _WORK, model.jobs[home], np.where(kind == _CORNER, corner, bits[1]))
    homes = city * (2 * PLACES)
    goals = homes + PLACES
    return np.where(kind == _BETWEEN, goals + corner, homes + bits[0]), goals + goal


def _count_chunk(tally: Tally, chunk: _Chunk, is_bad: npt.NDArray[np.bool_]) -> None:
    weeks = tally.counts.shape[2]
    offset = (tally.from_on - tally.first_week).days
    places = chunk.source[~is_bad].astype(np.int64) * weeks + (chunk.day[~is_bad] + offset) // 7
    tally.counts += np.bincount(places, minlength=tally.counts.size).reshape(tally.counts.shape)


def _format_chunk(model: _Model, chunk: _Chunk) -> bytes:
    names = pl.Series([(region, source) for region in model.names for source in DATASOURCES], dtype=pl.Array(pl.String, 2))
    started = (np.datetime64(model.from_on, "s") + chunk.day * 86_400 + chunk.second).astype("datetime64[ms]")
    frame = pl.DataFrame(
        {
            "region": names.arr.get(0).gather(chunk.source),
            **dict(zip("abcd", chunk.ends, strict=True)),
            "started_at": started,
            "datasource": names.arr.get(1).gather(chunk.source),
        }
    )
    buffer = BytesIO()
    frame.select("region", _format_point("a", "b"), _format_point("c", "d"), "started_at", "datasource").write_csv(
        buffer, include_header=False, datetime_format="%Y-%m-%d %H:%M:%S", quote_style="never"
    )
    return buffer.getvalue()


def _format_point(longitude: str, latitude: str) -> pl.Expr:
    return pl.concat_str(pl.lit("POINT ("), longitude, pl.lit(" "), latitude, pl.lit(")")).alias(longitude)


def _plant_rejects(text: bytes, bad: npt.NDArray[np.intp], first: int) -> tuple[bytes, list[PlantedReject]]:
    """Damage the bad rows, each kind of damage in turn."""
    if not len(bad):
        return text, []
    lines = text.split(b"\n")
    rejects = []
    for place in bad.tolist():
        record = first + place + 1
        column, reason, damage = _DAMAGES[record % len(_DAMAGES)]
        lines[place] = ",".join(damage(lines[place].decode().split(","))).encode()
        rejects.append(PlantedReject(record, column, reason))
    return b"\n".join(lines), rejects


def _set_field(place: int, value: str) -> Callable[[list[str]], list[str]]:
    return lambda fields: [*fields[:place], value, *fields[place + 1 :]]


_DAMAGES: Final[tuple[tuple[str | None, str, Callable[[list[str]], list[str]]], ...]] = (
    ("origin_coord", "origin_missing", _set_field(1, "")),
    ("origin_coord", "origin_out_of_range", _set_field(1, "POINT (14.4 95.5)")),
    ("destination_coord", "destination_unreadable", _set_field(2, "POINT (14.4)")),
    ("datetime", "started_at_unreadable", _set_field(3, "2026-02-30 10:00:00")),
    ("datetime", "started_at_missing", _set_field(3, "")),
    (None, "field_count", lambda fields: fields[:-1]),
    (None, "field_count", lambda fields: [*fields, "more"]),
)
