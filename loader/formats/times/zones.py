"""Zones: abbreviations such as EDT, by the time zone that the load is in.

An abbreviation alone names no offset: CST is Chicago's, Havana's and Shanghai's. The load's time zone explains its own
abbreviations, and those of its neighbours that share its rules (a file of the United States may hold EST and PST). All others
are a question.
"""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

# One place of every time zone whose abbreviations are letters, by families in which an abbreviation means one offset.
FAMILIES: Final[dict[str, tuple[str, ...]]] = {
    "North America": (
        "America/New_York",
        "America/Chicago",
        "America/Denver",
        "America/Los_Angeles",
        "America/Anchorage",
        "Pacific/Honolulu",
        "America/Halifax",
        "America/St_Johns",
        "America/Toronto",
        "America/Vancouver",
        "America/Phoenix",
        "America/Detroit",
    ),
    "Mexico": ("America/Mexico_City", "America/Cancun", "America/Hermosillo", "America/Tijuana"),
    "Cuba": ("America/Havana",),
    "Europe": (
        "Europe/London",
        "Europe/Lisbon",
        "Europe/Paris",
        "Europe/Berlin",
        "Europe/Madrid",
        "Europe/Rome",
        "Europe/Prague",
        "Europe/Warsaw",
        "Europe/Athens",
        "Europe/Helsinki",
        "Europe/Kyiv",
        "Europe/Moscow",
    ),
    "Ireland": ("Europe/Dublin",),
    "Israel": ("Asia/Jerusalem",),
    "India": ("Asia/Kolkata",),
    "Pakistan": ("Asia/Karachi",),
    "China": ("Asia/Shanghai",),
    "Taiwan": ("Asia/Taipei",),
    "Hong Kong": ("Asia/Hong_Kong",),
    "Philippines": ("Asia/Manila",),
    "Indonesia": ("Asia/Jakarta", "Asia/Makassar", "Asia/Jayapura"),
    "Japan": ("Asia/Tokyo",),
    "Korea": ("Asia/Seoul",),
    "Australia": ("Australia/Sydney", "Australia/Melbourne", "Australia/Brisbane", "Australia/Adelaide", "Australia/Perth"),
    "New Zealand": ("Pacific/Auckland",),
    "South Africa": ("Africa/Johannesburg",),
    "East Africa": ("Africa/Nairobi",),
    "Central Africa": ("Africa/Maputo",),
    "West Africa": ("Africa/Lagos",),
    "Egypt": ("Africa/Cairo",),
}
# Abbreviations of other languages for those that the time zone database has.
SYNONYMS: Final[dict[str, str]] = {"MEZ": "CET", "MESZ": "CEST", "OEZ": "EET", "OESZ": "EEST", "WEZ": "WET", "WESZ": "WEST"}
# These name an offset wherever they stand.
UTC_NAMES: Final = ("UTC", "GMT", "UT", "UCT", "Z", "ZULU")
# What the database says of years before is history that no trip file holds, such as the war time of 1942.
_FROM, _TO = 1990, 2037


@lru_cache(maxsize=256)
def list_offsets(timezone: str) -> dict[str, str]:
    """Map each abbreviation that a time zone explains to its offset, such as EDT to -04:00."""
    family = next((zones for zones in FAMILIES.values() if timezone in zones), ())
    found = {name: offset for zone in (*family, timezone) for name, offset in _read_abbreviations(zone).items()}
    return found | {other: found[name] for other, name in SYNONYMS.items() if name in found}


@lru_cache(maxsize=1)
def list_all_names() -> frozenset[str]:
    """List every abbreviation of the table, whatever it may mean."""
    return frozenset(name for zones in FAMILIES.values() for name in list_offsets(zones[0])) | frozenset(SYNONYMS)


def find_zones(names: frozenset[str]) -> list[str]:
    """List the time zones of the table that explain all of some abbreviations; those whose own they are come first."""
    fitting = [zone for zones in FAMILIES.values() for zone in zones if names <= set(list_offsets(zone))]
    plain = {SYNONYMS.get(name, name) for name in names}
    return [zone for zone in fitting if plain <= set(_read_abbreviations(zone))] or fitting


@lru_cache(maxsize=256)
def _read_abbreviations(timezone: str) -> dict[str, str]:
    """Read a zone's abbreviations from the time zone database, as they were lately."""
    zone = ZoneInfo(timezone)
    found: dict[str, str] = {}
    for year in range(_FROM, _TO):
        for month in (1, 7):
            moment = datetime(year, month, 1, tzinfo=UTC).astimezone(zone)
            name, offset = moment.tzname(), moment.utcoffset()
            if name and name.isalpha() and offset is not None and name not in UTC_NAMES:
                found[name] = _format(offset)
    return found


def _format(offset: timedelta) -> str:
    minutes = int(offset.total_seconds() // 60)
    sign = "-" if minutes < 0 else "+"
    return f"{sign}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"
