"""Names of time zones."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from loader.formats import LoadOptions
from shared.domain.time_zones import find_near_timezones, list_timezones, parse_timezone
from shared.gazetteer.cities import suggest_region
from shared.platform.errors import RequestError

NO_ZONES = {
    "Europe": "Europe/",
    "posix/Europe/Prague": "Europe/Prague",
    "right/Europe/Prague": "Europe/Prague",
    "europe/prague": "Europe/Prague",
    "Europe/Prague/": "Europe/Prague",
    "/Europe/Prague": "Europe/Prague",
    "Europe//Prague": "Europe/Prague",
    "./UTC": "UTC",
    "New York": "America/New_York",
    "Kolkata": "Asia/Kolkata",
    "Pacific": "Pacific",
    "UTC+2": "Etc/GMT-2",
    "+02:00": "Etc/GMT-2",
    "-0500": "Etc/GMT+5",
    "GMT-11": "Etc/GMT+11",
    "localtime": "like Europe/Prague",
    "posixrules": "like Europe/Prague",
    "Factory": "like Europe/Prague",
    "../etc/passwd": "like Europe/Prague",
    "/etc/localtime": "",
    "": "like Europe/Prague",
    "SystemV/EST5EDT": "EST5EDT",
    "Europe/Prague\n": "Europe/Prague",
    "Europe/Prague\x00": "Europe/Prague",
    "UTC+99": "like Europe/Prague",
    "\x1b[31m": "",
    "a" * 5_000: "",
    "../" * 2_000: "",
    "\ud800": "",
}


@pytest.mark.parametrize("name", NO_ZONES)
def test_what_is_no_zone_is_refused_with_near_names(name: str) -> None:
    with pytest.raises(RequestError) as refused:
        LoadOptions.from_json({"timezone": name})
    assert refused.value.parameter == "timezone"
    assert NO_ZONES[name] in refused.value.message
    assert len(refused.value.message) < 250
    assert refused.value.message.isprintable()
    assert set(find_near_timezones(name)) <= set(list_timezones())


def test_every_zone_is_known_to_the_engine_that_converts() -> None:
    at = datetime(2024, 1, 1, tzinfo=UTC)
    instants = pl.Series([at], dtype=pl.Datetime("us", "UTC"))
    for name in list_timezones():
        assert parse_timezone(name) == name
        assert instants.dt.convert_time_zone(name)[0].utcoffset() == at.astimezone(ZoneInfo(name)).utcoffset(), name


def test_suggested_zones_are_zones() -> None:
    city = suggest_region(14.42, 50.09)
    assert city is not None
    assert parse_timezone(city.timezone) == "Europe/Prague"
