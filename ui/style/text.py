"""Numbers, dates and sentences as people read them: thin spaces between thousands, one decimal for averages, 24-hour clock."""

import re
from collections.abc import Collection
from datetime import date, datetime
from typing import Final

from shared.domain.trip_end import End
from shared.platform.safe_text import escape_controls
from shared.questions.weekly import WeeklyAnswer, WeeklyComparison

THIN_SPACE: Final = "\N{NARROW NO-BREAK SPACE}"
DASH: Final = "\N{EN DASH}"
NOTHING: Final = "\N{EM DASH}"
MINUS: Final = "\N{MINUS SIGN}"

_MARKDOWN: Final = re.compile(r"[!-/:-@\[-`{-~]")
_WEEKDAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_BYTE_UNITS: Final = ("B", "kB", "MB", "GB", "TB")

_END_WORDS: Final[dict[End, str]] = {
    "origin": "that start in",
    "destination": "that end in",
    "both": "that start and end in",
    "either": "that start or end in",
}


def format_count(count: int) -> str:
    """12 345."""
    return f"{count:,}".replace(",", THIN_SPACE)


def format_average(average: float | None) -> str:
    """1 234.5; a dash where there is nothing to average over."""
    return NOTHING if average is None else f"{average:,.1f}".replace(",", THIN_SPACE)


def format_plural(count: int, singular: str) -> str:
    """1 week, 5 weeks."""
    return f"{format_count(count)} {singular}{'' if count == 1 else 's'}"


def format_bytes(size_bytes: int) -> str:
    """12.8 kB, in powers of 1000."""
    size, unit = float(size_bytes), 0
    while size >= 999.95 and unit < len(_BYTE_UNITS) - 1:
        size, unit = size / 1000, unit + 1
    return f"{size:.0f} {_BYTE_UNITS[0]}" if unit == 0 else f"{size:.1f} {_BYTE_UNITS[unit]}"


def format_day(day: date) -> str:
    """30 Apr 2018."""
    return f"{day.day} {day:%b %Y}"


def format_instant(at: datetime) -> str:
    """30 Apr 2018, 17:05."""
    return f"{format_day(at)}, {at:%H:%M}"


def format_period(from_on: date, to_on: date) -> str:
    """From day to day, the year once where it is the same: 30 Apr to 31 May 2018."""
    first = f"{from_on.day} {from_on:%b}" if from_on.year == to_on.year else format_day(from_on)
    return f"{first} {DASH} {format_day(to_on)}"


def format_hours(hour_from: int, hour_to: int) -> str:
    """From hour to hour: 07:00 to 10:00."""
    return f"{hour_from:02}:00{DASH}{hour_to:02}:00"


def format_minutes(minute_from: int, length_minutes: int) -> str:
    """A time of day and its length: 07:00 to 08:00."""
    minute_to = minute_from + length_minutes
    return f"{minute_from // 60:02}:{minute_from % 60:02}{DASH}{minute_to // 60:02}:{minute_to % 60:02}"


def format_duration(seconds: float) -> str:
    """0.8 s, 12 s, 3 min 05 s, 2 h 10 min."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes, rest_s = divmod(round(seconds), 60)
    return f"{minutes} min {rest_s:02} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02} min"


def escape_markdown(text: str) -> str:
    """Text of a file or of somebody else as Streamlit shows it: no emphasis, links, icons, formulas, and controls to be seen."""
    return _MARKDOWN.sub(r"\\\g<0>", escape_controls(text))


def name_weekday(weekday: int) -> str:
    """Monday for 1."""
    return _WEEKDAYS[weekday - 1]


def format_weekdays(weekdays: Collection[int]) -> str:
    """Mon to Fri, or Mon, Wed."""
    days = sorted(weekdays)
    is_row = len(days) > 2 and days[-1] - days[0] == len(days) - 1
    names = [name_weekday(day)[:3] for day in days]
    return f"{names[0]}{DASH}{names[-1]}" if is_row else ", ".join(names)


def describe_times(hours: tuple[int, int], weekdays: Collection[int]) -> str:
    """Which starts are counted: ", 07:00 to 10:00, Mon to Fri"; nothing for all."""
    parts = [format_hours(*hours)] if hours != (0, 24) else []
    parts += [format_weekdays(weekdays)] if len(weekdays) < len(_WEEKDAYS) else []
    return "".join(f", {part}" for part in parts)


def describe_comparison(comparison: WeeklyComparison) -> str:
    """What is compared with what, and by how much the averages differ."""
    other = comparison.other
    if other.weekly_average is None or other.from_on is None or other.to_on is None:
        return "The other period has no week to average over."
    counted = f"{format_plural(other.trips, 'trip')} over {format_plural(other.weeks_counted, 'week')}"
    return f"Compared with {format_period(other.from_on, other.to_on)}: {counted}."


def format_difference(difference: float | None) -> str:
    """+12.0, with a real minus sign; a dash where there is none."""
    if difference is None:
        return NOTHING
    sign = "+" if difference > 0 else MINUS if difference < 0 else ""
    return sign + format_average(abs(difference))


def format_ratio(ratio: float | None) -> str:
    """Times 1.25; a dash where there is none."""
    return NOTHING if ratio is None else f"\N{MULTIPLICATION SIGN} {ratio:.2f}"


def describe_area(region: str | None, area: str | None, end: End) -> str:
    """Which trips are counted: "trips that start in the box, region Turin". area: its name in words."""
    where = f"trips {_END_WORDS[end]} {area}" if area else "all trips"
    return f"{where}, region {region}" if region else where


def describe_average(answer: WeeklyAnswer) -> str:
    """How the average came about: what was counted, over which weeks, and which of them are partial or empty."""
    if answer.weekly_average is None or answer.from_on is None or answer.to_on is None:
        return "There is no week to average over."
    counted = f"{format_plural(answer.trips, 'trip')} over {format_plural(answer.weeks_counted, 'week')}"
    parts = [f"{counted}, {format_period(answer.from_on, answer.to_on)}", *_describe_weeks(answer)]
    return "; ".join(parts) + "."


def describe_empty(answer: WeeklyAnswer, *, area: str) -> str:
    """Say that nothing was found, and where and when it was looked for."""
    if answer.from_on is None or answer.to_on is None:
        return f"No {area}."
    return f"No {area} between {format_day(answer.from_on)} and {format_day(answer.to_on)}."


def _describe_weeks(answer: WeeklyAnswer) -> list[str]:
    partial = [name for name, week in (("first", answer.weeks[0]), ("last", answer.weeks[-1])) if week.is_partial]
    parts = []
    if partial:
        both = len(partial) == 2 and len(answer.weeks) > 1
        parts.append("first and last week partial" if both else f"{partial[0]} week partial")
    empty = answer.weeks_counted - answer.weeks_with_trips
    if empty and answer.trips:
        others = format_average(answer.average_over_weeks_with_trips)
        parts.append(f"{format_plural(empty, 'week')} without trips counted as zero ({others} over the others)")
    return parts
