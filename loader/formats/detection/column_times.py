"""Time format: decided over the whole column, never per row."""

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from loader.formats.detection.column_profile import MOSTLY, Profile
from loader.formats.model.options import LoadOptions
from loader.formats.model.time_format import TimeFormat
from loader.formats.times.date_order import DateParts
from loader.formats.times.errors import ambiguous_times, lost_seconds, unknown_zones
from loader.formats.times.number_times import GPS_KINDS, INSTANT_KINDS, clean_numbers, share_plausible
from loader.formats.times.zones import list_offsets

if TYPE_CHECKING:
    from loader.formats.detection.role_finder import RoleFinder

Order = Literal["ymd", "yymd", "mdy", "dmy"]

# A share of times whose zone the load's time zone doesn't explain: below it they are rejects, above a question.
_FEW_ZONES = 0.01


def detect_time_format(finder: "RoleFinder", options: LoadOptions) -> TimeFormat:
    """Decide the time format over the sample's start times, and its end times where those say more.

    Raises: FileFormatError where a person has to say what numbers or zones mean, and for times whose seconds are lost.
    """
    form = _detect(finder, options)
    if "started_time" not in finder.roles:
        return form
    if form.kind.startswith("digits"):  # dates such as 20240319: with a clock they are text
        form = replace(form, kind="text", date_order="ymd")
    return replace(form, has_zone=False, clock=finder.clock)


def _detect(finder: "RoleFinder", options: LoadOptions) -> TimeFormat:
    start = finder.profile(finder.roles["started_at"])
    if options.time_form and options.time_form != "text":
        return TimeFormat(options.time_form, "ymd", options.time_form in INSTANT_KINDS, start.example)
    if options.time_form is None and start.number_form.is_lossy:
        raise lost_seconds(finder.columns[finder.roles["started_at"]], start.example)
    if options.time_form is None and start.filled and max(start.time, start.epoch) == 0.0:
        return TimeFormat("unknown", options.date_order or "ymd", False, start.example)
    if options.time_form is None and start.epoch > start.time:
        return _choose_number_form(finder, start)
    _check_zones(finder, start, options)
    profiles = [finder.profile(finder.roles[role]) for role in ("started_at", "ended_at") if role in finder.roles]
    order = _vote(profiles, start) if options.date_order in (None, "ymd") else options.date_order
    if options.date_order == "ymd":
        order = "yymd" if start.times.get("yymd", 0.0) > start.times.get("ymd", 0.0) else "ymd"
    return TimeFormat("text", order, start.has_zone, start.example)


def _choose_number_form(finder: "RoleFinder", start: Profile) -> TimeFormat:
    column = finder.roles["started_at"]
    kinds = start.number_form.kinds
    gps = GPS_KINDS.get(kinds[0]) if "gps" in finder.meanings[column].words else None
    if gps and share_plausible(clean_numbers(start.text), gps) > MOSTLY:
        kinds = (*kinds, gps)
    if len(kinds) > 1:
        raise ambiguous_times(finder.columns[column], start.example, kinds, columns=finder.columns)
    return TimeFormat(kinds[0], "ymd", kinds[0] in INSTANT_KINDS, start.example)


def _check_zones(finder: "RoleFinder", start: Profile, options: LoadOptions) -> None:
    known = list_offsets(options.timezone)
    unexplained = start.zone_names.filter(~start.zone_names.is_in(sorted(known)))
    if len(unexplained) > _FEW_ZONES * start.filled:
        raise unknown_zones(finder.columns[finder.roles["started_at"]], frozenset(start.zone_names), start.example)


def _vote(profiles: list[Profile], start: Profile) -> Order | None:
    votes: Counter[str] = Counter()
    for profile in profiles:
        votes.update(profile.times)
    if votes["ymd"] >= max(votes["mdy"], votes["dmy"], votes["yymd"]):
        return "ymd"
    seen = DateParts()
    for profile in profiles:
        seen.observe(profile.text)
    order = seen.decide()
    if order is None and not seen.may_be_year_first and "." in start.example.split(" ")[0]:
        return "dmy"  # 28.05.2018 is written day first wherever it is written
    return order
