"""Times that a person has to settle: what is asked, with which answers, and what the answers bring."""

from typing import Any

import pytest

from loader.formats import LoadOptions, inspect_format
from shared.platform.errors import FileFormatError
from tests.unit.formats.loading import load_bytes

HEAD = "started_at,start_lat,start_lng,end_lat,end_lng\n"


def make_file(*times: str) -> bytes:
    return (HEAD + "".join(f'"{time}",40.74,-73.99,40.69,-73.98\n' for time in times)).encode()


def load_times(*times: str, **options: Any) -> list[str]:
    loaded = load_bytes(make_file(*times), options=LoadOptions(**options))
    assert loaded.rejects.height == 0
    return [moment.isoformat() for moment in loaded.trips["started_at"]]


def ask(*times: str, **options: Any) -> FileFormatError:
    with pytest.raises(FileFormatError) as caught:
        load_times(*times, **options)
    return caught.value


def answers(error: FileFormatError) -> list[dict[str, Any]]:
    choices = error.facts["choices"]
    assert isinstance(choices, list)
    return [choice["options"] for choice in choices]


def test_a_short_year_is_asked_for_where_one_day_leaves_it_open() -> None:
    error = ask("24/03/19 08:12", "24/03/19 17:45")
    assert error.error_code == "ambiguous_dates"
    assert answers(error) == [{"date_order": "mdy"}, {"date_order": "dmy"}, {"date_order": "ymd"}]
    assert load_times("24/03/19 08:12", date_order="ymd") == ["2024-03-19T08:12:00"]
    assert load_times("24/03/19 08:12", date_order="dmy") == ["2019-03-24T08:12:00"]


def test_a_short_year_first_is_told_by_the_spread() -> None:
    assert load_times("24-03-19 08:12", "24-03-20 17:45") == ["2024-03-19T08:12:00", "2024-03-20T17:45:00"]
    assert load_times("19.03.24, 08:12", "20.03.24, 17:45") == ["2024-03-19T08:12:00", "2024-03-20T17:45:00"]


def test_the_whole_file_tells_a_short_year_that_the_sample_leaves_open() -> None:
    data = make_file(*["24/03/19 08:12"] * 200, *[f"24/03/{day} 09:00" for day in range(20, 32)])
    loaded = load_bytes(data, sample_bytes=4_000, batch_bytes=2_000)
    assert str(loaded.trips["started_at"].max()) == "2024-03-31 09:00:00"


@pytest.mark.parametrize(
    ("value", "kinds"),
    [
        ("1403190812", ["digits_yy", "digits_dmyy", "epoch_s"]),
        ("45370.3416667", ["excel_1900", "excel_1904"]),
    ],
)
def test_numbers_of_two_meanings_are_asked_for(value: str, kinds: list[str]) -> None:
    error = ask(value, value)
    assert error.error_code == "ambiguous_times"
    assert answers(error) == [{"time_form": kind} for kind in kinds]
    assert load_times(value, time_form=kinds[0])[0].endswith("-03-19T08:12:00")


@pytest.mark.parametrize(
    ("value", "kinds"),
    [
        ("732528720.25", ["epoch_s", "epoch_2001_s"]),
        ("732528720000", ["epoch_ms", "epoch_2001_ms"]),
        ("2026455120", ["epoch_s", "epoch_1960_s"]),
    ],
)
def test_epochs_of_other_programs_are_asked_for(value: str, kinds: list[str]) -> None:
    error = ask(value, value)
    assert error.error_code == "ambiguous_times"
    assert answers(error) == [{"time_form": kind} for kind in kinds]
    assert load_times(value, time_form=kinds[1])[0].startswith("2024-03-19T08:12:00")


def test_seconds_of_gps_are_asked_for_where_the_name_says_so() -> None:
    data = make_file("1394871138", "1394871198").replace(b"started_at", b"start_gps_time")
    with pytest.raises(FileFormatError) as caught:
        load_bytes(data)
    assert answers(caught.value) == [{"time_form": "epoch_s"}, {"time_form": "gps_s"}]
    loaded = load_bytes(data, options=LoadOptions(time_form="gps_s"))
    assert loaded.trips["started_at"][0].isoformat() == "2024-03-19T08:12:00"
    recent = make_file("1710835920", "1710835980").replace(b"started_at", b"start_gps_time")
    assert load_bytes(recent).trips["started_at"][0].isoformat() == "2024-03-19T08:12:00"


@pytest.mark.parametrize(
    "times",
    [
        ("638464327200000000", "638465327200000000"),
        ("190320240812", "200320241745"),
        ("031920240812", "032020241745"),
        ("28513932", "28514932"),
        ("2460388.8416667", "2460389.8416667"),
        ("133553095200000000", "133554095200000000"),
        ("2024_03_19_08_12_00", "2024_03_20_08_12_00"),
        ("19_03_2024_08_12", "20_03_2024_08_12"),
        ("2024_03_19 08:12", "2024_03_20 08:12"),
        ("Mar 19, 2024 at 8:12 AM", "Mar 20, 2024 at 8:12 PM"),
    ],
)
def test_rare_forms_are_read(times: tuple[str, str]) -> None:
    first, second = load_times(*times)
    assert (first, second[:7]) == ("2024-03-19T08:12:00", "2024-03")


def test_digits_that_begin_with_day_or_month_are_asked_for() -> None:
    error = ask("040320240812", "050320240812")
    assert answers(error) == [{"time_form": "digits_dmy"}, {"time_form": "digits_mdy"}]
    assert load_times("040320240812", time_form="digits_dmy") == ["2024-03-04T08:12:00"]
    assert load_times("040320240812", time_form="digits_mdy") == ["2024-04-03T08:12:00"]


def test_ticks_are_a_wall_clock_and_minutes_an_instant() -> None:
    assert load_times("638464327200000000", timezone="Europe/Prague") == ["2024-03-19T08:12:00"]
    assert load_times("28513932", timezone="Europe/Prague") == ["2024-03-19T09:12:00"]


def test_rounded_numbers_are_refused() -> None:
    assert ask("1.71084E+12", "1.71096E+12").error_code == "rounded_times"


def test_zones_are_asked_for_and_explained_by_the_answer() -> None:
    error = ask("2024-03-19 08:12:00 EDT", "2024-03-19 09:12:00 EDT")
    assert error.error_code == "unknown_zone"
    assert {"timezone": "America/New_York"} in answers(error)
    assert load_times("2024-03-19 08:12:00 EDT", timezone="America/New_York") == ["2024-03-19T08:12:00"]
    assert load_times("2024-03-19 08:12:00 EST", timezone="America/New_York") == ["2024-03-19T09:12:00"]
    assert answers(ask("2024-03-19 08:12:00 EDT", "2024-03-19 08:12:00 JST")) == []


def test_a_few_foreign_zones_are_rejects() -> None:
    data = make_file(*["2024-03-19 08:12:00 EDT"] * 500, "2024-03-19 08:12:00 JST")
    loaded = load_bytes(data, options=LoadOptions(timezone="America/New_York"))
    assert (loaded.trips.height, loaded.rejects["reason"].to_list()) == (500, ["started_at_unreadable"])


def test_digit_stamps_load_as_written_and_epochs_as_instants() -> None:
    assert load_times("202403190812", timezone="Europe/Prague") == ["2024-03-19T08:12:00"]
    assert load_times("1710835920", timezone="Europe/Prague") == ["2024-03-19T09:12:00"]
    assert load_times("1710835920000000000") == ["2024-03-19T08:12:00"]


def test_two_forms_in_one_column_are_counted_and_said() -> None:
    data = make_file("2024-03-05 08:12", "2024-03-06 08:12", "2024-03-07 08:12", "3/4/2024 08:12", "45370.3416667")
    found = inspect_format(data, file_name="trips.csv", options=LoadOptions(), is_whole=True)
    assert found.rows.rejects["reason"].to_list() == ["started_at_unreadable"] * 2
    assert any("2 of 5 rows" in note and "3/4/2024 08:12" in note for note in found.notes)


def test_a_date_of_another_form_is_read_where_only_one_order_is_possible() -> None:
    times = ("2024-03-05 08:12", "2024-03-06 08:12", "2024-03-07 08:12", "3/13/2024 08:12", "14/3/2024 08:12", "4/4/2024 08:12")
    assert load_times(*times)[3:] == ["2024-03-13T08:12:00", "2024-03-14T08:12:00", "2024-04-04T08:12:00"]


def test_among_dates_that_end_with_the_year_others_are_rejects() -> None:
    """A spreadsheet that knew the wrong order leaves such rows: 5 March as 3 May."""
    data = make_file("13/03/2024 08:12", "14/03/2024 08:12", "15/03/2024 08:12", "2024-05-03 08:12")
    assert load_bytes(data).rejects["reason"].to_list() == ["started_at_unreadable"]
