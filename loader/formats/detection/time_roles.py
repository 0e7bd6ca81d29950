"""Time roles: which columns are the start and the end, and which clock belongs to which date.

A column named as the start comes first, then one that no name gives to an end, then one of before the trip (requested, created).
The time of the end, an update, a payment or a birth is never taken for the start. A date without a clock takes the clock of its
own end, or the one clock there is; what can't be told apart is asked.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final, Literal

from loader.formats.detection.clocks import ClockForm, detect_clock, has_halves, is_minute_of_hour, is_one_day, may_be_minutes
from loader.formats.detection.column_profile import MOSTLY, Profile
from loader.formats.detection.questions import ask_roles, quote_names
from loader.formats.model.options import NO_COLUMN
from loader.formats.vocabulary.column_names import NameMeaning

if TYPE_CHECKING:
    from loader.formats.detection.role_finder import RoleFinder

_SIDES: Final = {"started": "origin", "ended": "destination"}
_MINUTE_WORDS: Final = frozenset({"minute", "interval", "slot", "period", "timeslot", "intervalo", "intervalle", "intervall"})
_MINUTES_OF_HOURS: Final = frozenset({"minute", "min", "minuto", "minut"})
_STRANGER = 0.95
_UNSURE, _BY_NAME, _SHARED_DATE = 0.5, 0.3, 0.6
_BEFORE, _NEVER = "before the trip", "not the trip"


@dataclass(frozen=True)
class TimeColumn:
    """A column that holds dates or clocks. form: `stamp` has both, or nothing that shows it."""

    column: int
    meaning: NameMeaning
    profile: Profile
    form: Literal["stamp", "date", "clock"]
    clock: ClockForm | None
    share: float

    @cached_property
    def rank(self) -> tuple[object, ...]:
        """The smallest says most plainly that it is a time, and has the clock, as it is on the wall."""
        kinds = {"time": 0, "date": 1, "hour": 1}
        is_planned = self.has(_BEFORE) and self.meaning.side is not None
        is_elsewhere = bool({"utc", "gmt"} & set(self.meaning.words))
        kind = kinds.get(self.meaning.kind or "", 2)
        return is_planned, self.form != "stamp", kind, self.meaning.strangers, self.meaning.level, is_elsewhere

    @property
    def confidence(self) -> float:
        """How sure the name and the content make us."""
        return self.share * _STRANGER**self.meaning.strangers

    def has(self, *traits: str) -> bool:
        """Return whether the name says one of those."""
        return bool(self.meaning.traits.intersection(traits))


def find_times(finder: "RoleFinder") -> None:
    """Find start and end, with the clocks of dates."""
    times = [time for column in range(len(finder.columns)) if (time := _read_time(finder, column)) is not None]
    if "started_at" not in finder.given:
        _find_start(finder, times)
    if "ended_at" not in finder.given:
        _find_end(finder, times)
    _find_clocks(finder, times)
    if "started_at" not in finder.given and "started_time" not in finder.given:
        _ask_for_halves(finder)


def _ask_for_halves(finder: "RoleFinder") -> None:
    """Ask where AM and PM have a column of their own, beside a clock without them: half of the trips would be 12 hours early."""
    role = "started_time" if "started_time" in finder.roles else "started_at"
    column = finder.roles.get(role)
    halves = [
        other
        for other, meaning in enumerate(finder.meanings)
        if meaning.side != "destination" and not finder.is_used(other) and has_halves(finder.profile(other).text)
    ]
    if (
        column is None
        or not halves
        or has_halves(finder.profile(column).text.str.extract(r"(?i)([ap]\.?\s?m\.?)\s*$").drop_nulls())
    ):
        return
    message = (
        f"The clock of the start is in two columns, {quote_names(finder.columns, [column, halves[0]])}, and only one is read. "
        "Join them (08:12 PM), or load the clock as it is."
    )
    finder.question = finder.question or ask_roles(message, finder.columns, {"Load the clock as it is": {role: column}})


def _read_time(finder: "RoleFinder", column: int) -> TimeColumn | None:
    """Read a column that its name, or a given role, makes a time."""
    meaning = finder.meanings[column]
    is_given = column in (finder.roles.get("started_at"), finder.roles.get("ended_at"))
    if not is_given and (finder.is_used(column) or not _may_be_time(meaning)):
        return None
    return read_column(column, meaning, finder.profile(column))


def _may_be_time(meaning: NameMeaning) -> bool:
    if meaning.traits & {"id", "count"}:
        return False
    if meaning.kind in ("time", "date", "hour"):
        return True
    return meaning.kind is None and (
        (meaning.side is not None and meaning.strangers <= 1) or bool(meaning.traits & {_BEFORE, _NEVER})
    )


def read_column(column: int, meaning: NameMeaning, profile: Profile) -> TimeColumn | None:
    """Return what kind of time a column holds; None where it holds none."""
    if not profile.filled:
        return TimeColumn(column, meaning, profile, "stamp", None, 0.6) if meaning.kind == "time" else None
    clock = detect_clock(profile, meaning)
    if clock is not None:
        return TimeColumn(column, meaning, profile, "clock", clock, 1.0)
    share = max(profile.time, profile.epoch if meaning.kind in ("time", "date") else 0.0)
    if share <= MOSTLY:
        return None
    return TimeColumn(column, meaning, profile, "date" if profile.bare_date > MOSTLY else "stamp", None, share)


def _find_start(finder: "RoleFinder", times: Sequence[TimeColumn]) -> None:
    dated = [time for time in times if time.form != "clock" and not time.has("duration")]
    tiers: tuple[tuple[Callable[[TimeColumn], bool], float], ...] = (
        (lambda time: time.meaning.side == "origin" and not time.has(_BEFORE, _NEVER), 1.0),
        (lambda time: time.meaning.side == "origin" and not time.has(_NEVER), _UNSURE),  # a planned start
        (lambda time: time.meaning.side is None and not time.has(_BEFORE, _NEVER), 1.0),
    )
    for tier, most in tiers:
        if chosen := _choose(finder, [time for time in dated if tier(time) and not _is_clock_of_a_day(time, dated)]):
            finder.set("started_at", chosen.column, min(chosen.confidence, most))
        if chosen or finder.question:
            return
    unsure = [*_read_others(finder, times), *(time for time in dated if time.meaning.side is None and time.has(_BEFORE))]
    if not unsure:
        unsure = [time for time in dated if time.meaning.side == "origin"]
    if chosen := _choose(finder, unsure):
        finder.set("started_at", chosen.column, _UNSURE)
    elif not finder.question:
        _take_at_its_word(finder)


def _read_others(finder: "RoleFinder", times: Sequence[TimeColumn]) -> Iterable[TimeColumn]:
    """Read columns that only their content makes a time."""
    known = {time.column for time in times}
    for column, meaning in enumerate(finder.meanings):
        if column in known or finder.is_used(column) or meaning.side == "destination" or meaning.traits & {_NEVER, "id"}:
            continue
        time = read_column(column, meaning, finder.profile(column))
        if time is not None and time.form != "clock":
            yield time


def _choose(finder: "RoleFinder", found: Sequence[TimeColumn]) -> TimeColumn | None:
    """Choose the plainest start; ask where several are equally plain and say different things."""
    if not found:
        return None
    best = min(time.rank for time in found)
    equal = [time for time in found if time.rank == best]
    marks = {time.meaning.mark for time in equal}
    if len(equal) == 1 or equal[0].meaning.side is not None or _are_same(equal):
        return equal[0]
    if len(equal) == 2 and len(marks) == 2 and all(mark.isdigit() or not mark for mark in marks):
        first, second = sorted(equal, key=lambda time: time.meaning.mark.zfill(9) if time.meaning.mark else "")
        if "ended_at" not in finder.given:
            finder.set("ended_at", second.column, _UNSURE)
        return first
    _ask_start(finder, equal)
    return None


def _are_same(found: Sequence[TimeColumn]) -> bool:
    return all(time.profile.rows.equals(found[0].profile.rows) for time in found[1:])


def _ask_start(finder: "RoleFinder", found: Sequence[TimeColumn]) -> None:
    columns = [time.column for time in found]
    answers = {f"{finder.columns[column]}: the start": {"started_at": column} for column in columns}
    message = f"Several columns may be the start of a trip: {quote_names(finder.columns, columns)}."
    finder.question = ask_roles(message, finder.columns, answers)


def _take_at_its_word(finder: "RoleFinder") -> None:
    """Take a column named as the start although nothing in it reads as a time."""
    named = [
        (meaning.side is None, meaning.strangers, column)
        for column, meaning in enumerate(finder.meanings)
        if meaning.kind == "time" and meaning.side in ("origin", None) and not finder.is_used(column)
        if not meaning.traits & {_NEVER, "id", "duration"} and detect_clock(finder.profile(column), meaning) is None
    ]
    if named:
        finder.set("started_at", min(named)[2], _BY_NAME)


def _find_end(finder: "RoleFinder", times: Sequence[TimeColumn]) -> None:
    if "ended_at" in finder.roles:
        return
    dated = [time for time in times if time.form != "clock" and time.meaning.side == "destination"]
    ends = [
        time for time in dated if not time.has(_NEVER) and not finder.is_used(time.column) and not _is_clock_of_a_day(time, dated)
    ]
    if ends:
        chosen = min(ends, key=lambda time: time.rank)
        finder.set("ended_at", chosen.column, chosen.confidence)


def _is_clock_of_a_day(time: TimeColumn, times: Sequence[TimeColumn]) -> bool:
    """Return whether a column's clocks were given one day, that of the export, beside the dates of the same end."""
    dates = [other for other in times if other.form == "date" and other.meaning.side in (time.meaning.side, None)]
    if time.form != "stamp" or not dates or not is_one_day(time.profile):
        return False
    day = time.profile.text.str.slice(0, 10)[0]
    return all(date.profile.text.str.slice(0, 10)[0] != day or date.profile.text.n_unique() > 1 for date in dates)


def _find_clocks(finder: "RoleFinder", times: Sequence[TimeColumn]) -> None:
    """Give each date without a clock the clock that belongs to it."""
    by_column = {time.column: time for time in times}
    clocks = [
        time for time in times if not finder.is_used(time.column) and (time.form == "clock" or _is_clock_of_a_day(time, times))
    ]
    start = by_column.get(finder.roles.get("started_at", -1))
    if start is None and (column := finder.roles.get("started_at")) is not None:
        start = read_column(column, finder.meanings[column], finder.profile(column))
    if "started_time" in finder.given:
        _read_given_clock(finder)
    elif start is not None and start.form == "date":
        _find_start_clock(finder, start, clocks or _read_unnamed_clocks(finder))
    end = by_column.get(finder.roles.get("ended_at", -1))
    if "ended_time" in finder.given:
        return
    ending = [time for time in clocks if time.meaning.side == "destination" and not finder.is_used(time.column)]
    if end is None and "started_time" in finder.roles and ending and "ended_at" not in finder.given:
        finder.set("ended_at", finder.roles["started_at"], _SHARED_DATE)
        finder.set("ended_time", min(ending, key=_rank_clock).column, _SHARED_DATE)
    elif end is not None and end.form == "date":
        _find_end_clock(finder, end, ending)


def _read_unnamed_clocks(finder: "RoleFinder") -> list[TimeColumn]:
    """Read columns that only their content makes a clock."""
    free = [column for column, meaning in enumerate(finder.meanings) if not finder.is_used(column) and "id" not in meaning.traits]
    found = (read_column(column, finder.meanings[column], finder.profile(column)) for column in free)
    return [time for time in found if time is not None and time.form == "clock"]


def _read_given_clock(finder: "RoleFinder") -> None:
    """Return how the clocks are written that somebody has pointed to, whatever their column is called."""
    column = finder.roles.get("started_time")
    if column is not None:
        meaning = NameMeaning("origin", "hour", 0, ())
        profile = finder.profile(column)
        finder.clock = detect_clock(profile, meaning) or ("minute" if may_be_minutes(profile) else "clock")


def _rank_clock(time: TimeColumn) -> tuple[object, ...]:
    return time.clock not in ("clock", None), *time.rank


def _find_start_clock(finder: "RoleFinder", date: TimeColumn, clocks: Sequence[TimeColumn]) -> None:
    starting = [time for time in clocks if time.meaning.side == "origin" and not time.has(_NEVER)]
    loose = [time for time in clocks if time.meaning.side is None and not time.has(_NEVER, _BEFORE, "duration")]
    chosen = sorted(starting or loose, key=_rank_clock)
    is_clear = bool(starting) or (len(chosen) > 0 and [_rank_clock(time) for time in chosen].count(_rank_clock(chosen[0])) == 1)
    is_doubtful = bool(chosen) and chosen[0].clock == "hour" and chosen[0].meaning.kind != "hour" and not starting
    if chosen and chosen[0].clock == "hour" and (minutes := _find_minutes_of_hours(finder)):
        _ask_full_hour(finder, chosen[0], minutes[0])
    elif chosen and is_clear and not is_doubtful:
        finder.set("started_time", chosen[0].column, chosen[0].confidence)
        finder.clock = chosen[0].clock or "clock"
    elif columns := [time.column for time in clocks] or _find_unread_clocks(finder) or _find_minutes(finder):
        _ask_clock(finder, date, columns)
    else:
        finder.note(f"{finder.columns[date.column]} has dates without a clock time: every trip starts at 00:00.")


def _find_end_clock(finder: "RoleFinder", end: TimeColumn, ending: Sequence[TimeColumn]) -> None:
    """The end's clock is written as the start's; without one, a date is no end."""
    fitting = [time for time in ending if (time.clock or "clock") == finder.clock]
    if fitting:
        finder.set("ended_time", min(fitting, key=_rank_clock).column, 1.0)
    elif "started_time" in finder.roles and "ended_at" not in finder.given:
        finder.drop("ended_at")


def _find_unread_clocks(finder: "RoleFinder") -> list[int]:
    """Find columns that are called the clock of the start, though nothing in them reads as one."""
    return [
        column
        for column, meaning in enumerate(finder.meanings)
        if meaning.kind in ("time", "hour") and (meaning.side == "origin" or (meaning.side is None and meaning.strangers == 0))
        if not meaning.traits and not finder.is_used(column) and finder.profile(column).filled
    ]


def _find_minutes(finder: "RoleFinder") -> list[int]:
    """Find columns named for minutes or intervals that may hold the minute of the day."""
    return [
        column
        for column, meaning in enumerate(finder.meanings)
        if "duration" in meaning.traits or _MINUTE_WORDS.intersection(meaning.words)
        if "id" not in meaning.traits and meaning.side != "destination" and not finder.is_used(column)
        if may_be_minutes(finder.profile(column))
    ]


def _find_minutes_of_hours(finder: "RoleFinder") -> list[int]:
    """Find columns named for the minute of the start that hold 0 to 59, beside one with its hour."""
    return [
        column
        for column, meaning in enumerate(finder.meanings)
        if meaning.rest and meaning.rest <= _MINUTES_OF_HOURS and meaning.side != "destination"
        if not finder.is_used(column) and is_minute_of_hour(finder.profile(column))
    ]


def _ask_full_hour(finder: "RoleFinder", hour: TimeColumn, minutes: int) -> None:
    message = (
        f"The clock of the start is in two columns, {quote_names(finder.columns, [hour.column, minutes])}, and only one is read. "
        "Join them (08:12), or load every trip at the full hour."
    )
    finder.question = ask_roles(message, finder.columns, {"Load every trip at the full hour": {"started_time": hour.column}})


def _ask_clock(finder: "RoleFinder", date: TimeColumn, columns: Sequence[int]) -> None:
    answers: dict[str, dict[str, int | str]] = {
        f"{finder.columns[column]}: the clock of the start": {"started_time": column} for column in columns
    }
    answers["Load every trip at 00:00"] = {"started_time": NO_COLUMN}
    message = (
        f"{finder.columns[date.column]} has dates without a clock time, and {quote_names(finder.columns, columns)} may hold it "
        f"(such as {finder.profile(columns[0]).example})."
    )
    finder.question = ask_roles(message, finder.columns, answers)
