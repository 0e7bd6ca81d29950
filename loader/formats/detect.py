"""Detection: from the first bytes of a file to the plan for all of it.

plan = detect_format(sample, file_name="trips.csv", options=LoadOptions(), is_whole=False)
"""

from collections import Counter
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from loader.formats.dialect import Layout, read_layouts
from loader.formats.encoding import detect_encoding, reject_foreign, to_utf8
from loader.formats.errors import ambiguous_dates
from loader.formats.guess import guess_roles
from loader.formats.numbers import parse_numbers
from loader.formats.plan import Compression, FilePlan, LoadOptions, TimeFormat
from loader.formats.profile import DECIMAL_COMMA, Profile, profile_column
from loader.formats.roles import RoleFinder, check_roles
from loader.formats.streams import detect_compression, open_decompressed
from loader.formats.swap import check_swap
from shared.errors import FileFormatError

# Bytes of a file that detection wants to see, and of unpacked text that it looks at.
SAMPLE_BYTES = 2**20
TEXT_SAMPLE_BYTES = 4 * 2**20


@dataclass(frozen=True)
class Reading:
    """One way to read the sample as trips. score: how sure the roles are, in all."""

    layout: Layout
    finder: RoleFinder
    score: float


def detect_format(sample: bytes, *, file_name: str, options: LoadOptions, is_whole: bool) -> FilePlan:
    """Tell how a file is to be read, from its first bytes (SAMPLE_BYTES or more; is_whole: there are no others).

    Raises: FileFormatError with one clear message; its code says what a person has to settle.
    """
    return detect_layout(sample, file_name=file_name, options=options, is_whole=is_whole)[0]


def detect_layout(sample: bytes, *, file_name: str, options: LoadOptions, is_whole: bool) -> tuple[FilePlan, Layout]:
    """Tell how a file is to be read, and give its first rows."""
    if not sample:
        raise FileFormatError(f"{file_name} is empty.", code="empty_file")
    compression = detect_compression(sample)
    text, is_text_whole = unpack_sample(sample, compression, is_whole=is_whole)
    if not text.strip(b"\0 \t\r\n"):
        raise FileFormatError(f"{file_name} holds no text.", code="empty_file")
    reject_foreign(text)
    encoding = options.encoding or detect_encoding(text, is_whole=is_text_whole)
    text = to_utf8(text, encoding, is_whole=is_text_whole)
    reading = _choose_reading(text, options, is_whole=is_text_whole)
    plan = _make_plan(reading, options, compression=compression, encoding=encoding)
    if plan.time.date_order is None and is_text_whole:
        raise ambiguous_dates(plan)
    check_swap(plan, reading.layout, options)
    return plan, reading.layout


def unpack_sample(sample: bytes, compression: Compression, *, is_whole: bool) -> tuple[bytes, bool]:
    """Unpack as much of the sample as detection looks at; tells whether that is all there is."""
    if compression == "none":
        return sample, is_whole
    pieces: list[bytes] = []
    try:
        for piece in open_decompressed([sample], compression):
            pieces.append(piece)
            if sum(map(len, pieces)) >= TEXT_SAMPLE_BYTES:
                return b"".join(pieces), False
    except FileFormatError as error:
        if is_whole or not pieces or error.error_code != "truncated_archive":
            raise
        return b"".join(pieces), False
    return b"".join(pieces), is_whole


def _choose_reading(text: bytes, options: LoadOptions, *, is_whole: bool) -> Reading:
    layouts = read_layouts(text, options, is_whole=is_whole)
    if not layouts:
        raise FileFormatError(
            "Found only one column: no comma, semicolon, tab or bar divides the lines. A trip needs an origin, a destination "
            "and a start time.",
            code="one_column",
        )
    readings = [_read_roles(layout, options) for layout in layouts]
    best = max(readings, key=lambda reading: reading.score)
    check_roles(best.finder)
    return best


def _read_roles(layout: Layout, options: LoadOptions) -> Reading:
    decimal = options.decimal or _detect_decimal(layout)
    layout = replace(layout, dialect=replace(layout.dialect, decimal=decimal))

    @cache
    def profile(column: int) -> Profile:
        return profile_column(layout.text(column), decimal=decimal)

    def median(column: int) -> float:
        return float(np.nanmedian(parse_numbers(layout.text(column), decimal=decimal)))

    finder = RoleFinder(layout.columns, profile)
    finder.find(options)
    if not layout.dialect.has_header or not finder.has_ends():
        guess_roles(finder, median)
    found = sum(finder.confidence.values()) + 5 * finder.has_ends() + 2 * ("started_at" in finder.roles)
    return Reading(layout, finder, found + layout.evenness)


def _detect_decimal(layout: Layout) -> str:
    """Tell whether numbers are written with a decimal comma: more columns hold such numbers than ones with a point."""
    commas = points = 0
    for column in range(min(layout.dialect.field_count, 60)):
        text = layout.text(column, 200)
        text = text.filter(text.str.len_bytes() > 0)
        if len(text):
            commas += (text.str.contains(DECIMAL_COMMA).sum() or 0) * 2 > len(text)
            points += (text.str.contains(r"^\s*[+-]?\d+\.\d+\s*$").sum() or 0) * 2 > len(text)
    return "," if commas > points else "."


def _make_plan(reading: Reading, options: LoadOptions, *, compression: Compression, encoding: str) -> FilePlan:
    layout, finder = reading.layout, reading.finder
    return FilePlan(
        compression=compression,
        dialect=replace(layout.dialect, encoding=encoding),
        columns=layout.columns,
        roles=dict(finder.roles),
        confidence=dict(finder.confidence),
        time=_detect_time(finder, options),
        record_limit_bytes=options.record_limit_bytes,
    )


def _detect_time(finder: RoleFinder, options: LoadOptions) -> TimeFormat:
    """Decide the time format over the sample's start times, and its end times where those say more."""
    start = finder.profile(finder.roles["started_at"])
    columns = [finder.profile(finder.roles[role]) for role in ("started_at", "ended_at") if role in finder.roles]
    if start.time <= 0.0 and start.epoch <= 0.0 and start.filled:
        return TimeFormat("unknown", options.date_order or "ymd", False, start.example)
    if start.epoch > start.time:
        digits = start.epoch_digits
        kind = "epoch_s" if digits <= 11 else "epoch_ms" if digits <= 14 else "epoch_us"
        return TimeFormat(kind, "ymd", True, start.example)  # type: ignore[arg-type]
    if options.date_order:
        return TimeFormat("text", options.date_order, start.has_zone, start.example)
    votes: Counter[str] = Counter()
    for profile in columns:
        votes.update(profile.times)
    if votes["ymd"] >= max(votes["mdy"], votes["dmy"]):
        return TimeFormat("text", "ymd", start.has_zone, start.example)
    if votes["mdy"] == votes["dmy"]:
        order = "dmy" if "." in start.example.split(" ")[0] else None
        return TimeFormat("text", order, start.has_zone, start.example)  # type: ignore[arg-type]
    return TimeFormat("text", "mdy" if votes["mdy"] > votes["dmy"] else "dmy", start.has_zone, start.example)
