"""A slow reference: the rules of docs/file-formats.md again, letter by letter and row by row, sharing no code with the loader."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

NULL_WORDS = {"", "null", "none", "nan", "na", "n/a", "#n/a", "nil", "\\n", "-", "[]"}
NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
POINT = re.compile(
    r"\s*(?:SRID=\d+;\s*)?POINT\s*(?:ZM|Z|M)?\s*\(\s*(?P<x>[-+\d.eE]+)\s+(?P<y>[-+\d.eE]+)(?:\s+[-+\d.eE]+){0,2}\s*\)\s*",
    re.IGNORECASE | re.ASCII,
)
CLOCK = (
    r"(?:(?:[T ,]|,\s)\s*(?P<h>\d{1,2}):(?P<mi>\d{2})(?::(?P<s>\d{2})(?:[.,](?P<f>\d{1,9}))?)?(?:\s*(?P<half>[AaPp])\.?[Mm]\.?)?"
    r"(?:\s*(?P<zone>[Zz]|UTC|GMT|[+-]\d{2}(?::?\d{2})?))?)?"
)
YEAR_FIRST = re.compile(r"(?P<a>\d{4})[-/.](?P<b>\d{1,2})[-/.](?P<c>\d{1,2})" + CLOCK, re.ASCII)
YEAR_LAST = re.compile(r"(?P<a>\d{1,2})[-/.](?P<b>\d{1,2})[-/.](?P<c>\d{4}|\d{2})" + CLOCK, re.ASCII)


@dataclass
class Row:
    """One record as the file has it."""

    line: int
    raw: bytes
    fields: list[str]
    is_unclosed: bool


@dataclass
class Verdict:
    """What becomes of a record: a reason, or the trip's values."""

    line: int
    record: int
    reason: str | None
    raw: bytes
    trip: tuple[object, ...] | None = None


def read_rows(
    data: bytes, *, delimiter: str = ",", quote: str = '"', limit: int = 2**20, header_lines: int = 0, has_spaces: bool = False
) -> list[Row]:
    """Cut bytes into records, one letter after another."""
    at, line = _skip_lines(data, header_lines)
    if header_lines == 0 and data.startswith(b"\xef\xbb\xbf"):
        at = 3
    rows = []
    while at < len(data):
        start, first_line = at, line
        fields, at, line, is_unclosed = _read_record(data, at, line, (delimiter.encode(), quote.encode(), limit, has_spaces))
        raw = data[start:at]
        at = _skip_break(data, at)
        line += 1
        blank = raw.strip(b" " if delimiter == "\t" else b" \t") == b""
        if not blank:
            rows.append(Row(first_line, raw, fields, is_unclosed))
    return rows


def _skip_lines(data: bytes, count: int) -> tuple[int, int]:
    at = 0
    for _ in range(count):
        while at < len(data) and data[at : at + 1] not in b"\r\n":
            at += 1
        at = _skip_break(data, at)
    return at, count + 1


def _skip_break(data: bytes, at: int) -> int:
    if data[at : at + 2] == b"\r\n":
        return at + 2
    return at + 1 if at < len(data) else at


def _read_record(data: bytes, at: int, line: int, rules: tuple[bytes, bytes, int, bool]) -> tuple[list[str], int, int, bool]:
    delimiter, quote, limit, has_spaces = rules
    fields: list[str] = []
    while True:
        field = b""
        if has_spaces and fields and data[at : at + 2] == b" " + quote:
            at += 1
        if data[at : at + 1] == quote:
            close = _find_close(data, at, quote, limit)
            if close is None:
                while at < len(data) and data[at : at + 1] not in (b"\r", b"\n"):
                    at += 1
                return fields, at, line, True
            inside = data[at + 1 : close]
            line += len(re.findall(rb"\r\n|\r|\n", inside))
            field = inside.replace(quote * 2, quote)
            at = close + 1
        while at < len(data) and data[at : at + 1] not in (delimiter, b"\r", b"\n"):
            field += data[at : at + 1]
            at += 1
        fields.append(field.decode("utf-8", "replace"))
        if data[at : at + 1] != delimiter:
            return fields, at, line, False
        at += 1


def _find_close(data: bytes, at: int, quote: bytes, limit: int) -> int | None:
    place = at + 1
    while place < len(data) and place <= at + limit:
        if data[place : place + 1] == quote:
            if data[place + 1 : place + 2] != quote:
                return place
            place += 1
        place += 1
    return None


def parse_number(text: str) -> float | None:
    """Parse one number."""
    text = text.strip(" \t")
    if not NUMBER.fullmatch(text):
        return None
    value = float(text)
    return value if abs(value) != float("inf") else None


def parse_stamp(text: str, order: str, timezone: str) -> datetime | None:
    """Parse one written time to the wall clock."""
    match = (YEAR_FIRST if order == "ymd" else YEAR_LAST).fullmatch(text.strip(" \t"))
    if match is None:
        return None
    part = match.groupdict()
    year, month, day = (int(part[name]) for name in {"ymd": "abc", "mdy": "cab", "dmy": "cba"}[order])
    if order != "ymd" and len(part["c"]) == 2:
        year += 1900 if year >= 69 else 2000
    hour, minute, second = (int(part[name] or 0) for name in ("h", "mi", "s"))
    if part["half"]:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if part["half"] in "pP" else 0)
    micros = int((part["f"] or "0").ljust(9, "0")[:6])
    if hour > 24 or minute > 59 or second > 59 or (hour == 24 and (minute or second or micros)):
        return None
    try:
        moment = datetime.combine(date(year, month, day), datetime.min.time()) + timedelta(
            hours=hour, minutes=minute, seconds=second, microseconds=micros
        )
    except (ValueError, OverflowError):
        return None
    return _to_wall(moment, part["zone"], timezone)


def _to_wall(moment: datetime, zone: str | None, timezone: str) -> datetime | None:
    if zone is None:
        return moment
    offset = timedelta()
    if zone[0] in "+-":
        digits = zone[1:].replace(":", "").ljust(4, "0")
        hours, minutes = int(digits[:2]), int(digits[2:])
        if hours > 18 or minutes > 59:
            return None
        offset = timedelta(hours=hours, minutes=minutes) * (-1 if zone[0] == "-" else 1)
    try:
        return (moment - offset).replace(tzinfo=UTC).astimezone(ZoneInfo(timezone)).replace(tzinfo=None)
    except OverflowError:
        return None


def parse_point(text: str) -> tuple[float, float] | None:
    """Parse one WKT point to longitude and latitude."""
    match = POINT.fullmatch(text)
    if match is None:
        return None
    place = parse_number(match["x"]), parse_number(match["y"])
    return None if None in place else place  # type: ignore[return-value]


def judge_end(text: str, name: str) -> tuple[str | None, tuple[float, float] | None]:
    """Judge one end that is written as a point."""
    if text.strip(" \t").lower() in NULL_WORDS:
        return f"{name}_missing", None
    place = parse_point(text)
    if place is None:
        return f"{name}_unreadable", None
    if abs(place[0]) > 180 or abs(place[1]) > 90:
        return f"{name}_out_of_range", None
    if place == (0, 0):
        return f"{name}_null_island", None
    return None, place


def judge_time(text: str, order: str, timezone: str) -> tuple[str | None, datetime | None]:
    """Judge one start time."""
    if text.strip(" \t").lower() in NULL_WORDS:
        return "started_at_missing", None
    moment = parse_stamp(text, order, timezone)
    if moment is None:
        return "started_at_unreadable", None
    if not 1900 <= moment.year <= 2100:
        return "started_at_out_of_range", None
    return None, moment


def judge_challenge_rows(data: bytes, *, order: str = "ymd", timezone: str = "UTC", **rules: object) -> list[Verdict]:
    """Judge every record of a file with the columns region, origin, destination, time, datasource."""
    limit = int(rules.get("limit", 2**20))  # type: ignore[call-overload]
    validation = []
    for record, row in enumerate(read_rows(data, **rules), start=1):  # type: ignore[arg-type]
        reason, trip = _judge_row(row, order=order, timezone=timezone, limit=limit)
        validation.append(Verdict(row.line, record, reason, row.raw, trip))
    return validation


def _judge_row(row: Row, *, order: str, timezone: str, limit: int) -> tuple[str | None, tuple[object, ...] | None]:
    if row.is_unclosed:
        return "unclosed_quote", None
    if len(row.raw) > limit:
        return "record_too_long", None
    if b"\0" in row.raw:
        return "nul_byte", None
    if len(row.fields) != 5:
        return "field_count", None
    region, origin_text, destination_text, time_text, datasource = row.fields
    origin_reason, origin = judge_end(origin_text, "origin")
    destination_reason, destination = judge_end(destination_text, "destination")
    time_reason, started_at = judge_time(time_text, order, timezone)
    names = [name.strip(" \t") for name in (region, datasource)]
    names = ["unknown" if name.lower() in NULL_WORDS else name for name in names]
    name_reason = "field_too_long" if any(len(name) > 200 for name in names) else None
    if name_reason is None and any("\ufffd" in name for name in names):
        name_reason = "undecodable_text"
    reason = origin_reason or destination_reason or time_reason or name_reason
    if reason or origin is None or destination is None:
        return reason, None
    return None, (started_at, *origin, *destination, names[0], names[1])
