"""Names of time zones: of places as in the IANA database, and none that only this machine knows.

>>> parse_timezone("Europe/Prague")
'Europe/Prague'
"""

import re
from functools import cache
from typing import Final
from zoneinfo import available_timezones

from shared.platform.errors import RequestError
from shared.platform.near_names import find_near
from shared.platform.safe_text import shorten

# The setting of this machine, a stand-in for machines that are not set up, and a name that tzdata dropped in 2020.
_NO_PLACES: Final = frozenset({"localtime", "posixrules", "Factory", "US/Pacific-New"})
# Another spelling of the same rules, leap seconds counted, System V's rules: parts of some machines' folders only.
_NO_FOLDERS: Final = ("posix/", "right/", "SystemV/")
_FIXED: Final = re.compile(r"(?:utc|gmt)?([+-])0?(\d{1,2})(?::?00)?")
_OFFERED: Final = 3
_SHOWN: Final = 60


@cache
def list_timezones() -> tuple[str, ...]:
    """All names, in order; every one of them is known to polars (chrono-tz), too."""
    return tuple(sorted(zone for zone in available_timezones() - _NO_PLACES if not zone.startswith(_NO_FOLDERS)))


def parse_timezone(name: str, *, parameter: str = "timezone") -> str:
    """The name itself. Raises: RequestError naming near ones where there is no such zone."""
    if name == "UTC" or name in list_timezones():
        return name
    near = ", ".join(find_near_timezones(name))
    help_text = f"near names: {near}" if near else "use a name like Europe/Prague, or Etc/GMT-2 for a clock at +02:00 all year"
    raise RequestError(f"Unknown time zone {shorten(name, _SHOWN)!r}; {help_text}.", parameter=parameter)


def find_near_timezones(name: str) -> list[str]:
    """The names most like one that isn't known: those that end or begin so first, then those spelt much the same."""
    asked = shorten(name, _SHOWN).strip().strip("/").replace(" ", "_").casefold()
    if fixed := _FIXED.fullmatch(asked):
        zone = f"Etc/GMT{'-' if fixed[1] == '+' else '+'}{fixed[2]}"  # POSIX counts westward
        return [zone] if zone in list_timezones() else []
    folded = {zone.casefold(): zone for zone in list_timezones()}
    last = asked.rpartition("/")[2]
    same = [key for key in folded if key == asked or (last and key.rpartition("/")[2] == last)]
    return list(dict.fromkeys([*(folded[key] for key in same), *find_near(asked, list_timezones())]))[:_OFFERED]
