"""Zones: abbreviations that a load's time zone explains."""

import pytest

from loader.formats.times.zones import find_zones, list_offsets

NEW_YORK = "America/New_York"


@pytest.mark.parametrize(
    ("timezone", "name", "offset"),
    [
        (NEW_YORK, "EDT", "-04:00"),
        (NEW_YORK, "PST", "-08:00"),
        ("America/Havana", "CST", "-05:00"),
        ("Asia/Shanghai", "CST", "+08:00"),
        ("Asia/Kolkata", "IST", "+05:30"),
        ("Europe/Dublin", "IST", "+01:00"),
        ("Europe/Berlin", "MESZ", "+02:00"),
        ("Europe/London", "BST", "+01:00"),
        ("Australia/Sydney", "AEDT", "+11:00"),
    ],
)
def test_a_time_zone_explains_its_abbreviations(timezone: str, name: str, offset: str) -> None:
    assert list_offsets(timezone)[name] == offset
    assert all(name in list_offsets(zone) for zone in find_zones(frozenset({name})))


def test_a_time_zone_explains_no_others() -> None:
    assert list_offsets("UTC") == {}
    assert "CST" not in list_offsets("Europe/Prague")
    assert find_zones(frozenset({"EDT", "JST"})) == []
