"""Clocks apart from their dates: every form, row by row, and where a date or a clock is missing."""

from datetime import datetime

import pytest

from loader.formats import LoadOptions
from shared.platform.errors import FileFormatError
from tests.unit.formats.loading import Loaded, load_bytes

ENDS = "45.0,7.6,45.1,7.7"


def load(names: str, *rows: str, **roles: str) -> Loaded:
    lines = [f"{names},start_lat,start_lon,end_lat,end_lon", *(f"{row},{ENDS}" for row in rows)]
    return load_bytes("\n".join(lines).encode() + b"\n", options=LoadOptions(roles=roles))


def starts(loaded: Loaded) -> list[str]:
    return [start.isoformat() for start in loaded.trips["started_at"]]


@pytest.mark.parametrize(
    ("names", "clocks", "expected"),
    [
        ("date,start_time", ("8:12", "17:45", "0:05"), ("08:12", "17:45", "00:05")),
        ("date,start_time", ("08:12:30.5", "17:45:10", "24:00:00"), ("08:12:30.500000", "17:45:10", "next")),
        ("date,start_time", ("8:12 AM", "5:45 PM", "12:05 AM"), ("08:12", "17:45", "00:05")),
        ("date,start_time", ("8:12 a.m.", "5:45 p.m.", "12:05 a.m."), ("08:12", "17:45", "00:05")),
        ("date,heure_depart", ("8h12", "17h45", "0h05"), ("08:12", "17:45", "00:05")),
        ("date,start_time", ("0 days 08:12:00", "0 days 17:45:00", "0 days 00:05:00"), ("08:12", "17:45", "00:05")),
        (
            "date,start_time",
            ("1899-12-30 08:12:00", "1899-12-30 17:45:10", "1899-12-30 00:05:00"),
            ("08:12", "17:45:10", "00:05"),
        ),
        (
            "date,start_time",
            ("1900-01-00 08:12:00", "1900-01-00 17:45:10", "1900-01-00 00:05:00"),
            ("08:12", "17:45:10", "00:05"),
        ),
        ("date,start_time", ("12/30/1899 08:12", "12/30/1899 17:45", "12/30/1899 00:05"), ("08:12", "17:45", "00:05")),
        (
            "date,start_time",
            ("1970-01-01T08:12:00Z", "1970-01-01T17:45:00Z", "1970-01-01T00:05:00Z"),
            ("08:12", "17:45", "00:05"),
        ),
        ("date,start_time", ("2025-01-15 08:12:00", "2025-01-15 17:45:00", "2025-01-15 00:05:00"), ("08:12", "17:45", "00:05")),
        ("date,start_time", ("812", "1745", "5"), ("08:12", "17:45", "00:05")),
        ("date,start_time", ("0812", "1745", "0005"), ("08:12", "17:45", "00:05")),
        ("date,start_time", ("812.0", "1745.0", "5.0"), ("08:12", "17:45", "00:05")),
        ("date,start_time", ("81230", "174510", "500"), ("08:12:30", "17:45:10", "00:05")),
        ("date,start_time", ("0.3416666667", "0.7395833333", "0.0034722222"), ("08:12", "17:45", "00:05")),
        ("date,pickup_hour", ("8", "17", "0"), ("08:00", "17:00", "00:00")),
        ("date,hour", ("8.0", "17.0", "0.0"), ("08:00", "17:00", "00:00")),
        ("fecha,hora", ("08:12", "17:45", "00:05"), ("08:12", "17:45", "00:05")),
    ],
)
def test_every_form_of_a_clock(names: str, clocks: tuple[str, ...], expected: tuple[str, ...]) -> None:
    for form in ("{}", "{} 00:00:00", "{}T00:00:00.000", "{} 12:00:00 AM"):
        rows = [f"{form.format(f'2024-03-{19 + row}')},{clock}" for row, clock in enumerate(clocks)]
        days = [datetime(2024, 3, 19 + row) for row in range(3)]  # noqa: DTZ001
        wanted = [
            f"2024-03-{day.day + 1}T00:00:00"
            if clock == "next"
            else f"{day.date()}T{clock}{':00' if clock.count(':') == 1 else ''}"
            for day, clock in zip(days, expected, strict=True)
        ]
        assert starts(load(names, *rows)) == wanted


def test_a_row_without_a_clock_does_not_start_at_midnight() -> None:
    loaded = load("date,start_time", "2024-03-19,08:12", "2024-03-20,", ",17:45", "2024-03-21,soon", "2024-03-22 09:00:00,17:45")
    assert starts(loaded) == ["2024-03-19T08:12:00"]
    assert loaded.rejects.select("record", "column_name", "reason", "value").rows() == [
        (2, "start_time", "started_at_missing", ""),
        (3, "date", "started_at_missing", ""),
        (4, "date", "started_at_unreadable", "2024-03-21"),
        (5, "date", "started_at_unreadable", "2024-03-22 09:00:00"),
    ]


def test_a_clock_of_another_form_is_a_reject() -> None:
    rows = [f"2024-03-19,{hour}30" for hour in range(24)] * 4
    loaded = load("date,start_time", *rows, "2024-03-21,08:12", "2024-03-22,2575", "2024-03-23,99999", "2024-03-23,soon")
    assert starts(loaded)[-2:] == ["2024-03-19T23:30:00", "2024-03-21T08:12:00"]  # the one that is a clock in itself
    assert loaded.rejects["reason"].to_list() == ["started_at_unreadable"] * 3


def test_a_clock_that_nothing_reads_is_asked_and_never_midnight() -> None:
    with pytest.raises(FileFormatError, match="may hold it") as caught:
        load("Date,StartTime", "2024-03-19,early", "2024-03-20,late")
    assert caught.value.facts["choices"][-1]["options"] == {"roles": {"started_time": "-"}}  # type: ignore[index]


def test_an_end_that_shares_the_date_may_be_past_midnight() -> None:
    loaded = load("Date,StartTime,EndTime", "2024-03-19,08:12,08:31", "2024-03-20,23:59,00:10", "2024-03-21,10:00,")
    assert loaded.trips["duration_s"].to_list() == [19 * 60, 11 * 60, None]
    assert loaded.warnings["ended_at_unreadable"] == 1


def test_an_end_date_without_a_clock_is_no_end() -> None:
    loaded = load("StartDate,StartTime,EndDate", "2024-03-19,08:12,2024-03-19", "2024-03-20,17:45,2024-03-20")
    assert loaded.trips["duration_s"].to_list() == [None, None]
    assert "ended_at" not in loaded.plan.roles


def test_a_clock_can_be_given_whatever_its_column_is_called() -> None:
    loaded = load("day,foo,bar", "2024-03-19,812,831", "2024-03-20,1745,1802", started_at="day", started_time="foo")
    assert starts(loaded) == ["2024-03-19T08:12:00", "2024-03-20T17:45:00"]


def test_dates_alone_can_be_asked_for() -> None:
    loaded = load("date,foo_time,bar_time", "2024-03-19,08:12,08:31", "2024-03-20,17:45,18:02", started_time="-")
    assert starts(loaded) == ["2024-03-19T00:00:00", "2024-03-20T00:00:00"]


def test_compact_dates_take_a_clock() -> None:
    loaded = load("service_date,dep_time", "20240319,08:12:00", "20240320,17:45:10")
    assert starts(loaded) == ["2024-03-19T08:12:00", "2024-03-20T17:45:10"]


def test_the_order_of_dates_with_clocks_is_that_of_the_whole_file() -> None:
    loaded = load("Trip Date,Start Time", "3/9/2024,8:12 AM", "3/19/2024,5:45 PM")
    assert starts(loaded) == ["2024-03-09T08:12:00", "2024-03-19T17:45:00"]


@pytest.mark.parametrize("name", ["minutes", "interval", "minute_of_day", "duration_min"])
def test_minutes_of_the_day_are_asked_for(name: str) -> None:
    rows = ("2024-03-19,492", "2024-03-19,1065", "2024-03-20,5")
    with pytest.raises(FileFormatError) as caught:
        load(f"date,{name}", *rows)
    assert caught.value.error_code == "ambiguous_columns"
    choices = caught.value.facts["choices"]
    assert isinstance(choices, list)
    assert [choice["options"]["roles"] for choice in choices] == [{"started_time": "2"}, {"started_time": "-"}]
    assert starts(load(f"date,{name}", *rows, started_time="2")) == [
        "2024-03-19T08:12:00",
        "2024-03-19T17:45:00",
        "2024-03-20T00:05:00",
    ]
    assert starts(load(f"date,{name}", *rows, started_time="-"))[0] == "2024-03-19T00:00:00"


def test_a_minute_beyond_the_day_is_a_reject() -> None:
    rows = [f"2024-03-19,{minute}" for minute in range(0, 1440, 61)]
    data = load("date,interval", *rows, started_time="2")
    assert data.trips.height == len(rows)
    options = LoadOptions(roles={"started_time": "2"})
    text = "date,interval,start_lat,start_lon,end_lat,end_lon\n" + "".join(f"{row},{ENDS}\n" for row in rows)
    late = load_bytes((text + f"2024-03-19,1440,{ENDS}\n").encode(), options=options, sample_bytes=len(text))
    assert late.rejects["reason"].to_list() == ["started_at_unreadable"]


@pytest.mark.parametrize(
    ("names", "rows"),
    [
        ("date,duration_min", ("2024-03-19,12", "2024-03-19,48")),
        ("date,interval", ("2024-03-19,3", "2024-03-19,95")),
        ("date,duration_s", ("2024-03-19,312", "2024-03-19,3600")),
        ("date,fare", ("2024-03-19,12", "2024-03-19,900")),
    ],
)
def test_other_numbers_leave_dates_at_midnight_and_a_note_says_so(names: str, rows: tuple[str, ...]) -> None:
    loaded = load(names, *rows)
    assert starts(loaded) == ["2024-03-19T00:00:00"] * 2
    assert any("every trip starts at 00:00" in note for note in loaded.plan.notes)


def test_minutes_beside_a_clock_are_not_asked_for() -> None:
    loaded = load("date,start_time,minutes", "2024-03-19,08:12,492", "2024-03-19,17:45,5")
    assert starts(loaded) == ["2024-03-19T08:12:00", "2024-03-19T17:45:00"]


@pytest.mark.parametrize("names", ["date,hour,minute", "pickup_date,pickup_hour,pickup_min"])
def test_minutes_beside_an_hour_are_not_dropped_in_silence(names: str) -> None:
    rows = ("2024-03-19,8,12", "2024-03-20,17,45", "2024-03-21,0,5")
    with pytest.raises(FileFormatError) as caught:
        load(names, *rows)
    assert caught.value.error_code == "ambiguous_columns"
    assert names.split(",")[2] in caught.value.message
    assert starts(load(names.replace("min", "duration_min"), *rows))[0] == "2024-03-19T08:00:00"


@pytest.mark.parametrize("names", ["date,time,ampm", "Pickup Date,Pickup Time,Pickup AM/PM"])
def test_halves_of_the_day_in_a_column_of_their_own_are_not_dropped_in_silence(names: str) -> None:
    rows = ("2024-03-19,08:12:00,AM", "2024-03-20,05:45:10,PM", "2024-03-21,12:05:59,a.m.")
    with pytest.raises(FileFormatError) as caught:
        load(names, *rows)
    assert caught.value.error_code == "ambiguous_columns"
    assert starts(load(names, *rows, started_time="2"))[1] == "2024-03-20T05:45:10"
    whole = ("2024-03-19,08:12:00 AM,AM", "2024-03-20,05:45:10 PM,PM")
    assert starts(load(names, *whole))[1] == "2024-03-20T17:45:10"


def test_a_stamp_beside_a_column_of_halves_is_asked_about() -> None:
    with pytest.raises(FileFormatError, match="only one is read"):
        load("started_at,half", "2024-03-19 08:12,AM", "2024-03-20 05:45,PM")


def test_a_column_named_for_the_digits_of_its_clock() -> None:
    assert starts(load("date,hhmm", "2024-03-19,0812", "2024-03-20,1745", "2024-03-21,0005"))[:2] == [
        "2024-03-19T08:12:00",
        "2024-03-20T17:45:00",
    ]
