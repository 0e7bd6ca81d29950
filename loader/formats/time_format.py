"""Time format: decided over the whole column, never per row."""

from collections import Counter
from typing import Literal

from loader.formats.plan import LoadOptions, TimeFormat
from loader.formats.profile import Profile
from loader.formats.roles import RoleFinder


def detect_time_format(finder: RoleFinder, options: LoadOptions) -> TimeFormat:
    """Decide the time format over the sample's start times, and its end times where those say more."""
    start = finder.profile(finder.roles["started_at"])
    if start.filled and max(start.time, start.epoch) == 0.0:
        return TimeFormat("unknown", options.date_order or "ymd", False, start.example)
    if start.epoch > start.time:
        return TimeFormat(_read_unit(start.epoch_digits), "ymd", True, start.example)
    if options.date_order:
        return TimeFormat("text", options.date_order, start.has_zone, start.example)
    profiles = [finder.profile(finder.roles[role]) for role in ("started_at", "ended_at") if role in finder.roles]
    return TimeFormat("text", _vote(profiles, start), start.has_zone, start.example)


def _read_unit(digits: int) -> Literal["epoch_s", "epoch_ms", "epoch_us"]:
    if digits <= 11:
        return "epoch_s"
    return "epoch_ms" if digits <= 14 else "epoch_us"


def _vote(profiles: list[Profile], start: Profile) -> Literal["ymd", "mdy", "dmy"] | None:
    votes: Counter[str] = Counter()
    for profile in profiles:
        votes.update(profile.times)
    if votes["ymd"] >= max(votes["mdy"], votes["dmy"]):
        return "ymd"
    if votes["mdy"] == votes["dmy"]:
        return "dmy" if "." in start.example.split(" ")[0] else None  # 28.05.2018 is written day first wherever it is written
    return "mdy" if votes["mdy"] > votes["dmy"] else "dmy"
