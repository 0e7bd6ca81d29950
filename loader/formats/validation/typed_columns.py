"""Columns: read what the roles name, as typed values."""

import numpy as np
import polars as pl

from loader.formats.coordinates.cells import GEOHASH, parse_geohashes
from loader.formats.coordinates.degrees import Coordinates
from loader.formats.model.options import LoadOptions
from loader.formats.model.plan import FilePlan
from loader.formats.model.time_format import MISSING
from loader.formats.text.numbers import NULL_WORDS
from loader.formats.times.joined_clocks import join_dates_and_clocks
from loader.formats.times.parser import Times, parse_times
from loader.formats.validation.column_source import Source
from loader.formats.validation.rules import NAME_LIMIT, Columns, Names

UNKNOWN = "unknown"
DAY_US = 86_400_000_000


def read_columns(source: Source, plan: FilePlan, options: LoadOptions) -> Columns:
    """Read the columns that the plan's roles name; names that a row lacks come from the options."""
    origin, destination = _read_ends(source, plan, options)
    none = np.full(len(source), MISSING, np.int64)
    started = _read_times(source, plan, options, end="started") or Times(none, none)
    ended = _read_times(source, plan, options, end="ended")
    if ended is not None and plan.roles.get("started_at") == plan.roles.get("ended_at"):
        ended = _pass_midnight(started, ended)
    return Columns(
        origin=origin,
        destination=destination,
        started=started,
        ended=ended,
        region=_read_names(source, plan.roles.get("region"), options.region or UNKNOWN),
        datasource=_read_names(source, plan.roles.get("datasource"), options.datasource or UNKNOWN),
    )


def _read_ends(source: Source, plan: FilePlan, options: LoadOptions) -> tuple[Coordinates, Coordinates]:
    if "route" in plan.roles:
        first, last = source.routes(plan.roles["route"], precision=plan.polyline_precision)
        return _to_degrees(_turn(first, plan), plan), _to_degrees(_turn(last, plan), plan)
    origin, destination = (
        _find_places(source, plan, options, end=end)
        if f"{end}_place" in plan.roles
        else _to_degrees(_read_end(source, plan, end), plan)
        for end in ("origin", "destination")
    )
    return origin, destination


def _to_degrees(ends: Coordinates, plan: FilePlan) -> Coordinates:
    if not plan.crs and plan.coordinate_unit in (None, "degrees"):
        return ends
    from loader.formats.coordinates.reprojection import to_degrees  # PROJ takes a tenth of a second, and few files need it

    return to_degrees(ends, crs=plan.crs, unit=plan.coordinate_unit)


def _find_places(source: Source, plan: FilePlan, options: LoadOptions, *, end: str) -> Coordinates:
    """Look up one end in the load's place set: its distinct texts, which are few."""
    assert options.place_lookup is not None  # noqa: S101 - whoever reads a plan with places attaches them
    assert plan.places is not None  # noqa: S101 - detection gave the role
    texts, codes = source.names(plan.roles[f"{end}_place"])
    longitude, latitude = options.place_lookup.find(texts, plan.places["by"][end])
    return Coordinates(longitude[codes], latitude[codes])


def _read_end(source: Source, plan: FilePlan, name: str) -> Coordinates:
    if plan.point_forms.get(name) == GEOHASH:
        return parse_geohashes(source.text(plan.roles[name]))
    if name in plan.roles:
        return _turn(source.points(plan.roles[name]), plan)
    return Coordinates(source.numbers(plan.roles[f"{name}_longitude"]), source.numbers(plan.roles[f"{name}_latitude"]))


def _turn(ends: Coordinates, plan: FilePlan) -> Coordinates:
    return Coordinates(ends.latitude, ends.longitude) if plan.is_exchanged else ends


def _read_times(source: Source, plan: FilePlan, options: LoadOptions, *, end: str) -> Times | None:
    stamp, clock = plan.roles.get(f"{end}_at"), plan.roles.get(f"{end}_time")
    if stamp is None:
        return None
    if clock is None:
        return source.times(stamp, plan.time, options.timezone)
    text = join_dates_and_clocks(source.text(stamp), source.text(clock), plan.time.clock)
    return parse_times(text, plan.time, timezone=options.timezone)


def _pass_midnight(started: Times, ended: Times) -> Times:
    """Put ends that share the start's date on the next day where their clock is earlier."""
    is_next_day = (ended.exact_us != MISSING) & (started.exact_us != MISSING) & (ended.exact_us < started.exact_us)
    return Times(ended.wall_us + is_next_day * DAY_US, ended.exact_us + is_next_day * DAY_US)


def _read_names(source: Source, column: int | None, default: str) -> Names:
    """Read a column of names; those that hold nothing become the default. Works on the distinct names, which are few."""
    if column is None:
        return Names(_make_enum(pl.Series([default])).new_from_index(0, len(source)))
    names, codes = source.names(column)
    text = pl.col("name").str.strip_chars(" \t")
    clean = pl.when(~text.str.to_lowercase().is_in(NULL_WORDS)).then(text).otherwise(pl.lit(default))
    is_too_long, is_undecodable = clean.str.len_chars() > NAME_LIMIT, clean.str.contains("\ufffd", literal=True)
    # One query of all: each takes 0.1 ms, however few the names.
    frame = names.to_frame("name").select(clean=clean, is_too_long=is_too_long, is_undecodable=is_undecodable)
    too_long, undecodable = frame["is_too_long"].to_numpy(), frame["is_undecodable"].to_numpy()
    return Names(
        _make_enum(frame["clean"]).gather(codes),
        too_long[codes] if too_long.any() else None,
        undecodable[codes] if undecodable.any() else None,
    )


def _make_enum(names: pl.Series) -> pl.Series:
    # Rows then carry small codes: 0.3 ms for 125,000, where looking the distinct names up again later takes 2.3.
    return names.cast(pl.Enum(names.unique()))
