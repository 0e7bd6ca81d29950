"""Times: every form, and what daylight saving does to them."""

from datetime import datetime

import polars as pl
import pytest

from loader.formats.model.time_format import MISSING, DateOrder, TimeFormat
from loader.formats.times.parser import parse_times
from tests.unit.formats.loading import load_bytes


def parse(text: str, *, order: DateOrder = "ymd", kind: str = "text", timezone: str = "UTC") -> datetime | None:
    times = parse_times(pl.Series([text]), TimeFormat(kind=kind, date_order=order), timezone=timezone)  # type: ignore[arg-type]
    if times.wall_us[0] == MISSING:
        return None
    moment = pl.Series(times.wall_us).cast(pl.Datetime("us"))[0]
    assert isinstance(moment, datetime)
    return moment


@pytest.mark.parametrize(
    ("text", "order", "expected"),
    [
        ("2018-05-28 09:03:40", "ymd", "2018-05-28T09:03:40"),
        ("2018-05-28T09:03:40", "ymd", "2018-05-28T09:03:40"),
        ("2018-05-28 09:03:40.1234567", "ymd", "2018-05-28T09:03:40.123456"),
        ("2018-05-28 09:03", "ymd", "2018-05-28T09:03:00"),
        ("2018/05/28 9:03", "ymd", "2018-05-28T09:03:00"),
        ("2018-05-28", "ymd", "2018-05-28T00:00:00"),
        ("2018-05-28 24:00:00", "ymd", "2018-05-29T00:00:00"),
        ("2018-05-28T09:03:40Z", "ymd", "2018-05-28T09:03:40"),
        ("2018-05-28 09:03:40 UTC", "ymd", "2018-05-28T09:03:40"),
        ("2018-05-28 09:03:40+02:00", "ymd", "2018-05-28T07:03:40"),
        ("2018-05-28 09:03:40.294000-0530", "ymd", "2018-05-28T14:33:40.294000"),
        ("1/1/17 0:21", "mdy", "2017-01-01T00:21:00"),
        ("12/31/99 23:59", "mdy", "1999-12-31T23:59:00"),
        ("04/18/2015 12:00:00 AM", "mdy", "2015-04-18T00:00:00"),
        ("04/18/2015 12:15:00 PM", "mdy", "2015-04-18T12:15:00"),
        ("4/18/2015 1:05 p.m.", "mdy", "2015-04-18T13:05:00"),
        ("16/11/2010 16:44", "dmy", "2010-11-16T16:44:00"),
        ("01/06/2010 0:34", "dmy", "2010-06-01T00:34:00"),
        ("28.05.2018, 09:03:40", "dmy", "2018-05-28T09:03:40"),
        ("2016-02-29 00:00:00", "ymd", "2016-02-29T00:00:00"),
        ("2015-02-29 00:00:00", "ymd", None),
        ("13/13/2010 0:00", "dmy", None),
        ("2018-05-28 13:00 PM", "ymd", None),
        ("2018-05-28 0:00 AM", "ymd", None),
        ("07:46.4", "ymd", None),
        ("07:46.4", "mdy", None),
        ("2018-05-28 09:03:40 CEST", "ymd", None),
        ("28 May 2018", "dmy", None),
        ("20180528", "ymd", None),
    ],
)
def test_written_times(text: str, order: DateOrder, expected: str | None) -> None:
    found = parse(text, order=order)
    assert (found.isoformat() if found else None) == expected


@pytest.mark.parametrize(
    ("text", "kind", "expected"),
    [
        ("1525132800", "epoch_s", "2018-05-01T02:00:00"),
        ("1525132800.25", "epoch_s", "2018-05-01T02:00:00.250000"),
        ("1525132800123", "epoch_ms", "2018-05-01T02:00:00.123000"),
        ("1525132800123456", "epoch_us", "2018-05-01T02:00:00.123456"),
        ("15251328", "epoch_s", None),
        ("-1525132800", "epoch_s", None),
        ("soon", "epoch_s", None),
    ],
)
def test_epochs_are_instants(text: str, kind: str, expected: str | None) -> None:
    found = parse(text, kind=kind, timezone="Europe/Prague")
    assert (found.isoformat() if found else None) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # Spring: 02:00 to 03:00 does not exist on 25 March 2018 in Prague.
        ("2018-03-25 02:30:00", "2018-03-25T02:30:00"),  # as written, although no clock showed it
        ("2018-03-25 00:59:59Z", "2018-03-25T01:59:59"),
        ("2018-03-25 01:00:00Z", "2018-03-25T03:00:00"),
        # Autumn: 02:00 to 03:00 comes twice on 28 October 2018.
        ("2018-10-28 02:30:00", "2018-10-28T02:30:00"),
        ("2018-10-28 00:30:00Z", "2018-10-28T02:30:00"),
        ("2018-10-28 01:30:00Z", "2018-10-28T02:30:00"),
        ("2018-10-28 02:30:00+02:00", "2018-10-28T02:30:00"),
        ("2018-10-28 02:30:00+01:00", "2018-10-28T02:30:00"),
        # An offset that is not the time zone's own.
        ("2018-07-01 12:00:00-04:00", "2018-07-01T18:00:00"),
    ],
)
def test_daylight_saving(text: str, expected: str) -> None:
    found = parse(text, timezone="Europe/Prague")
    assert found is not None
    assert found.isoformat() == expected


def test_durations_are_true_across_the_repeated_hour() -> None:
    head = "origin,destination,started_at,ended_at\n"
    row = "POINT (14.4 50.0),POINT (14.5 50.1),{},{}\n"
    rows = [
        ("2018-10-28T00:30:00Z", "2018-10-28T01:30:00Z"),  # 02:30 and 02:30 on the clock
        ("2018-10-28 02:30:00", "2018-10-28 02:40:00"),
        ("2018-10-28 02:30:00", "2018-10-28 02:20:00"),
        ("2018-10-28 02:30:00", "never"),
        ("2018-10-28 02:30:00", ""),
    ]
    loaded = load_bytes((head + "".join(row.format(*times) for times in rows)).encode())
    assert loaded.trips["duration_s"].to_list() == [3600, 600, None, None, None]
    assert loaded.warnings == {"end_before_start": 1, "ended_at_unreadable": 2}


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("12-Mar-2024 09:03:40", "2024-03-12T09:03:40"),
        ("12-MAR-24 09:03", "2024-03-12T09:03:00"),
        ("1 September 1999", "1999-09-01T00:00:00"),
        ("Mar 2, 2024 9:03 PM", "2024-03-02T21:03:00"),
        ("March 12th 2024", "2024-03-12T00:00:00"),
        ("Tue, 12 Mar 2024 09:03:40 GMT", "2024-03-12T09:03:40"),
        ("12/Mar/2024:09:03:40 +0100", "2024-03-12T08:03:40"),
        ("2024-Mar-12 09:03", "2024-03-12T09:03:00"),
    ],
)
def test_months_by_name(written: str, expected: str) -> None:
    row = f"7.6\t45.0\t7.7\t45.1\t{written}\n"
    data = f"from_lon\tfrom_lat\tto_lon\tto_lat\tstarted_at\n{row * 3}".encode()
    loaded = load_bytes(data)
    assert [moment.isoformat() for moment in loaded.trips["started_at"]] == [expected] * 3


@pytest.mark.parametrize("written", ["31-Feb-2024", "12-Mat-2024", "12 Mar 10:00", "Mar 2024", "12-Mar-2024 25:00"])
def test_no_date_is_made_of_what_is_none(written: str) -> None:
    head = b"from_lon\tfrom_lat\tto_lon\tto_lat\tstarted_at\n"
    rows = b"7.6\t45.0\t7.7\t45.1\t12-Mar-2024 09:03\n" * 3 + f"7.6\t45.0\t7.7\t45.1\t{written}\n".encode()
    loaded = load_bytes(head + rows)
    assert loaded.rejects["reason"].to_list() == ["started_at_unreadable"]
