"""Reject details: reason, column and value of rejected rows. Evaluated over those rows only, rule by rule."""

import numpy as np
import numpy.typing as npt
import polars as pl

from loader.formats.coordinates.degrees import Coordinates
from loader.formats.model.plan import FilePlan
from loader.formats.model.time_format import MISSING
from loader.formats.text.numbers import is_missing
from loader.formats.text.records import Mask
from loader.formats.times.parser import Times
from loader.formats.validation.column_source import Source
from loader.formats.validation.rules import (
    LATITUDE_LIMIT_DEG,
    LONGITUDE_LIMIT_DEG,
    RULES,
    Columns,
    Names,
    Subject,
    is_outside_earth,
    is_outside_years,
)

Rows = npt.NDArray[np.int64]

# Characters of a reject's value that are kept, and of its raw text at least; longer ones end in an ellipsis.
VALUE_LIMIT, RAW_LIMIT = 1_000, 65_536


def explain_rejects(source: Source, plan: FilePlan, *, columns: Columns, rows: Rows) -> pl.DataFrame:
    """Return column, reason and value for rejected rows.

    Shape: (column_name, reason, value), one row per entry of rows.
    """
    if len(rows) == 0:
        return pl.DataFrame(schema=dict.fromkeys(("column_name", "reason", "value"), pl.String))
    subjects = _make_subjects(source, plan, columns=columns, rows=rows)
    reasons, blamed = np.full(len(rows), -1, np.int64), np.full(len(rows), 0, np.int64)
    for number, rule in enumerate(RULES):
        subject = subjects[rule.subject]
        for field, mask in zip(subject.fields, rule.test(subject), strict=False):
            hit = (reasons < 0) & mask
            reasons[hit], blamed[hit] = number, field
    names = pl.Series([str(rule.reason) for rule in RULES], dtype=pl.String)
    values = pl.Series([None], dtype=pl.String).new_from_index(0, len(rows))
    for field in np.unique(blamed):
        mine = np.flatnonzero(blamed == field)
        values = values.scatter(mine, source.text(int(field)).gather(rows[mine]))
    return pl.DataFrame(
        {
            "column_name": pl.Series(plan.columns, dtype=pl.String).gather(blamed),
            "reason": names.gather(reasons),
            "value": values,
        }
    )


def _make_subjects(source: Source, plan: FilePlan, *, columns: Columns, rows: Rows) -> dict[str, Subject]:
    roles = plan.roles
    route = roles.get("route")
    started = [roles[role] for role in ("started_at", "started_time") if role in roles]
    missing = {field: is_missing(source.text(field).gather(rows)) for field in _needed_fields(plan)}
    times = Times(columns.started.wall_us[rows], columns.started.exact_us[rows])
    subjects = {"started_at": _make_time_subject(started, times, missing)}
    for name, ends in (("origin", columns.origin), ("destination", columns.destination)):
        if f"{name}_place" in roles:
            unknown = np.isnan(ends.longitude[rows])
            place = roles[f"{name}_place"]
            subjects[name] = Subject([place], [missing[place]], [], [], [], unknown_place=[unknown])
            continue
        whole = roles.get(name, route)
        fields = [whole] if whole is not None else [roles[f"{name}_longitude"], roles[f"{name}_latitude"]]
        subjects[name] = _make_end_subject(fields, Coordinates(ends.longitude[rows], ends.latitude[rows]), missing)
    named = [(roles[name], getattr(columns, name)) for name in ("region", "datasource") if name in roles]
    subjects["names"] = _make_names_subject(named, rows)
    return subjects


def _needed_fields(plan: FilePlan) -> set[int]:
    skipped = {"region", "datasource", "ended_at", "ended_time", "trip_id"}
    return {field for role, field in plan.roles.items() if role not in skipped}


def _make_time_subject(fields: list[int], times: Times, missing: dict[int, Mask]) -> Subject:
    unreadable, outside = times.wall_us == MISSING, is_outside_years(times)
    return Subject(fields, [missing[field] for field in fields], [unreadable], [outside], [])


def _make_end_subject(fields: list[int], ends: Coordinates, missing: dict[int, Mask]) -> Subject:
    unreadable = [np.isnan(ends.longitude), np.isnan(ends.latitude)]
    outside = [is_outside_earth(ends.longitude, LONGITUDE_LIMIT_DEG), is_outside_earth(ends.latitude, LATITUDE_LIMIT_DEG)]
    if len(fields) == 1:
        unreadable, outside = [unreadable[0] | unreadable[1]], [outside[0] | outside[1]]
    null_island = (ends.longitude == 0) & (ends.latitude == 0)
    return Subject(fields, [missing[field] for field in fields], unreadable, outside, [null_island])


def _make_names_subject(named: list[tuple[int, Names]], rows: Rows) -> Subject:
    nothing = np.zeros(len(rows), np.bool_)
    return Subject(
        [field for field, _ in named],
        [],
        [nothing if names.is_undecodable is None else names.is_undecodable[rows] for _, names in named],
        [nothing if names.is_too_long is None else names.is_too_long[rows] for _, names in named],
        [],
    )


def shorten(text: pl.Series, limit: int) -> pl.Series:
    """Make text fit to be kept: no NUL (shown as ␀), not longer than limit."""
    clean = text.str.replace_all("\0", "␀", literal=True)
    if (clean.str.len_bytes() <= limit).all():
        return clean
    return pl.select(pl.when(clean.str.len_chars() > limit).then(clean.str.head(limit - 1) + "…").otherwise(clean)).to_series()
