"""Candidates: the ways in which a sample can be read as trips; the one with the surest roles is chosen."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import polars as pl

from loader.formats.delimited.dialect import Layout, read_layouts, read_table
from loader.formats.detection.column_profile import DECIMAL_COMMA, Profile
from loader.formats.detection.column_roles import check_roles, find_roles
from loader.formats.detection.content_roles import find_content_roles
from loader.formats.detection.order_check import check_order
from loader.formats.detection.role_finder import RoleFinder
from loader.formats.model.errors import unnamed_fields
from loader.formats.model.options import LoadOptions
from loader.formats.sample_text import select_samples
from loader.formats.text.numbers import parse_numbers
from loader.formats.transcoding import TableSample
from shared.platform.errors import FileFormatError


@dataclass(frozen=True)
class Candidate:
    """One way to read the sample as trips. score: the sum of the roles' confidence, plus a bonus for ends and start time."""

    layout: Layout
    finder: RoleFinder
    score: float


def choose_table(samples: Sequence[TableSample], options: LoadOptions) -> tuple[Candidate, TableSample]:
    """Choose the table that options name, else the first that has trips. Raises: FileFormatError of the first if none has."""
    first: FileFormatError | None = None
    for sample in select_samples(samples, options.sheet):
        try:
            return _choose_candidate(sample, options), sample
        except FileFormatError as error:
            if error.error_code not in ("missing_roles", "one_column"):
                raise
            first = first or error
    assert first is not None  # noqa: S101 - there is one sample at least
    raise first


def _choose_candidate(sample: TableSample, options: LoadOptions) -> Candidate:
    layouts = read_table(sample, options) if sample.table else read_layouts(sample.text, options, is_whole=sample.is_whole)
    if not layouts:
        raise FileFormatError(
            "Found only one column: no comma, semicolon, tab or bar divides the lines. A trip needs an origin, a destination "
            "and a start time.",
            code="one_column",
        )
    candidates = [_read_roles(layout, options) for layout in layouts]
    best = max(candidates, key=lambda candidate: (candidate.score, not candidate.layout.unnamed))
    if best.layout.unnamed and not options.roles:
        raise unnamed_fields(best.layout.columns, best.layout.unnamed)
    check_order(best.finder, options)
    check_roles(best.finder)
    return best


def _read_roles(layout: Layout, options: LoadOptions) -> Candidate:
    @cache
    def decimal(column: int) -> str:
        return options.decimal or _read_decimal(layout.text(column, 200))

    @cache
    def profile(column: int) -> Profile:
        return Profile(layout.text(column), decimal=decimal(column))

    def median(column: int) -> float:
        return float(np.nanmedian(parse_numbers(layout.text(column), decimal=decimal(column))))

    finder = RoleFinder(layout.columns, profile)
    find_roles(finder, options)
    if not layout.dialect.has_header or not (finder.has_ends() or finder.question):
        find_content_roles(finder, median, has_names=layout.dialect.has_header)
    found = (
        sum(finder.confidence.values())
        + 5 * (finder.has_ends() or finder.question is not None)
        + 2 * ("started_at" in finder.roles)
    )
    # The coordinates decide the sign: other numbers are not read. With a comma, a point reads as well.
    coordinates = [decimal(column) for role, column in finder.roles.items() if role.endswith("itude")]
    sign = options.decimal or ("," if "," in coordinates else "." if coordinates else detect_decimal(layout))
    layout = replace(layout, dialect=replace(layout.dialect, decimal=sign))
    return Candidate(layout, finder, found + layout.evenness)


def _read_decimal(text: pl.Series) -> str:
    """Return whether one column's numbers are written with a decimal comma."""
    text = text.filter(text.str.len_bytes() > 0)
    return "," if len(text) and (text.str.contains(DECIMAL_COMMA).sum() or 0) * 2 > len(text) else "."


def detect_decimal(layout: Layout) -> str:
    """Return whether numbers are written with a decimal comma: more columns hold such numbers than ones with a point."""
    commas = points = 0
    for column in range(min(layout.dialect.field_count, 60)):
        text = layout.text(column, 200)
        text = text.filter(text.str.len_bytes() > 0)
        if len(text):
            commas += (text.str.contains(DECIMAL_COMMA).sum() or 0) * 2 > len(text)
            points += (text.str.contains(r"^\s*[+-]?\d+\.\d+\s*$").sum() or 0) * 2 > len(text)
    return "," if commas > points else "."
