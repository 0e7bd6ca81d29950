"""Number times: what numbers mean as times, alone and as a column, and numbers that mean none."""

import polars as pl
import pytest

from loader.formats.model.time_format import MISSING, NUMBER_KINDS, NumberKind
from loader.formats.times.number_times import INSTANT_KINDS, find_number_form, format_numbers, parse_number_times


@pytest.mark.parametrize(
    ("value", "kinds", "wanted"),
    [
        ("20240319", ["digits"], "2024-03-19T00:00:00"),
        ("2024031908", ["digits"], "2024-03-19T08:00:00"),
        ("202403190812", ["digits"], "2024-03-19T08:12:00"),
        ("20240319081200", ["digits"], "2024-03-19T08:12:00"),
        ("20240319081200.0", ["digits"], "2024-03-19T08:12:00"),
        ("20240319081200.250", ["digits"], "2024-03-19T08:12:00.250000"),
        ("20240319081200123", ["digits"], "2024-03-19T08:12:00.123000"),
        ("20240319081200123456", ["digits"], "2024-03-19T08:12:00.123456"),
        ("2403190812", ["digits_yy", "digits_dmyy"], "2024-03-19T08:12:00"),
        ("240319081200", ["digits_yy", "digits_dmyy"], "2024-03-19T08:12:00"),
        ("1403190812", ["digits_yy", "digits_dmyy", "epoch_s"], "2014-03-19T08:12:00"),
        ("190320240812", ["digits_dmy"], "2024-03-19T08:12:00"),
        ("031920240812", ["digits_mdy"], "2024-03-19T08:12:00"),
        ("040320240812", ["digits_dmy", "digits_mdy"], "2024-03-04T08:12:00"),
        ("19032024081200", ["digits_dmy"], "2024-03-19T08:12:00"),
        ("9132024081200", ["digits_mdy"], "2024-09-13T08:12:00"),
        ("28513932", ["epoch_min"], "2024-03-19T08:12:00"),
        ("28513932.5", ["epoch_min"], "2024-03-19T08:12:30"),
        ("638464327200000000", ["ticks"], "2024-03-19T08:12:00"),
        ("638464327201234567", ["ticks"], "2024-03-19T08:12:00.123456"),
        ("133553095200000000", ["filetime"], "2024-03-19T08:12:00"),
        ("2460388.8416667", ["julian"], "2024-03-19T08:12:00"),
        ("1710835920", ["epoch_s"], "2024-03-19T08:12:00"),
        ("1710835920.5", ["epoch_s"], "2024-03-19T08:12:00.500000"),
        ("915148800", ["epoch_s"], "1999-01-01T00:00:00"),
        ("1710835920000", ["epoch_ms"], "2024-03-19T08:12:00"),
        ("1710835920000.5", ["epoch_ms"], "2024-03-19T08:12:00.000500"),
        ("1710835920000000", ["epoch_us"], "2024-03-19T08:12:00"),
        ("1710835920000000000", ["epoch_ns"], "2024-03-19T08:12:00"),
        ("1710835920123456789", ["epoch_ns"], "2024-03-19T08:12:00.123456"),
        ("1.710835920E+09", ["epoch_s"], "2024-03-19T08:12:00"),
        ("1.71083592E9", ["epoch_s"], "2024-03-19T08:12:00"),
        ("1.710835920e+12", ["epoch_ms"], "2024-03-19T08:12:00"),
        ("/Date(1710835920000)/", ["epoch_ms"], "2024-03-19T08:12:00"),
        ("/Date(1710835920000+0200)/", ["epoch_ms"], "2024-03-19T08:12:00"),
        ("45370.3416667", ["excel_1900", "excel_1904"], "2024-03-19T08:12:00"),
        ("45370", ["excel_1900", "excel_1904"], "2024-03-19T00:00:00"),
        ("284015520", ["epoch_2001_s"], "2010-01-01T05:12:00"),
        ("13355309520000000", ["webkit"], "2024-03-19T08:12:00"),
    ],
)
def test_numbers_that_mean_times(value: str, kinds: list[NumberKind], wanted: str) -> None:
    form = find_number_form(pl.Series([value]))
    assert list(form.kinds) == kinds
    exact, is_instant = parse_number_times(pl.Series([value]), kinds[0])
    assert pl.Series(exact).cast(pl.Datetime("us"))[0].isoformat() == wanted
    assert bool(is_instant[0]) == (kinds[0] in INSTANT_KINDS)


def test_the_other_spreadsheet_counts_from_1904() -> None:
    exact, _ = parse_number_times(pl.Series(["43908.3416667"]), "excel_1904")
    assert str(exact[0].astype("M8[us]").astype("M8[s]")) == "2024-03-19T08:12:00"


@pytest.mark.parametrize("value", ["1.71084E+12", "1.71084E+09", "2.02403E+13"])
def test_rounded_numbers_are_no_times(value: str) -> None:
    form = find_number_form(pl.Series([value]))
    assert (form.kinds, form.is_lossy) == ((), True)
    assert all(parse_number_times(pl.Series([value]), kind)[0][0] == MISSING for kind in NUMBER_KINDS)


@pytest.mark.parametrize(
    "value",
    [
        "20241319081200",
        "20240319256100",
        "0000000000",
        "12345",
        "99999999999",
        "2024",
        "20240230",
        "-1710835920",
        "2460388",
        "3793680720",  # seconds since 1904
        "63846432720",  # seconds since the year 1
        "60388.3416667",  # Modified Julian Day
        "19801",  # days since 1970
    ],
)
def test_other_numbers_mean_no_times(value: str) -> None:
    assert find_number_form(pl.Series([value])).kinds == ()


@pytest.mark.parametrize(
    ("values", "kinds"),
    [
        (["2403190812", "2403201745"], ["digits_yy"]),
        (["0903240812", "1003241745", "2503241745"], ["digits_dmyy"]),
        (["903240812", "1003241745", "2503241745"], ["digits_dmyy"]),
        (["0319240812", "0320241745"], ["digits_mdyy"]),
        (["040320240812", "130320240812"], ["digits_dmy"]),
        (["040320240812", "031320240812"], ["digits_mdy"]),
        (["40320240812", "130320240812"], ["digits_dmy"]),
        # The clock of a stamp of 2019 reads as seconds, too.
        (["190320190812", "200320190912"], ["digits_dmy", "digits_dmyy"]),
        (["638464327200000000", "638465327200000000"], ["ticks"]),
        # 2003 and 1998: one of them is no year of .NET, and nanoseconds of 1990 are no likelier.
        (["631464327200000000", "630465327200000000"], ["epoch_2001_ns", "ticks"]),
        (["28513932", "28514932"], ["epoch_min"]),
        (["10120000", "23595999"], []),
        (["28513932", "99999999"], []),
    ],
)
def test_a_column_tells_what_one_number_leaves_open(values: list[str], kinds: list[NumberKind]) -> None:
    assert list(find_number_form(pl.Series(values)).kinds) == kinds


@pytest.mark.parametrize(
    ("value", "kinds", "wanted"),
    [
        ("732528720", ["epoch_s", "epoch_2001_s"], "2024-03-19T08:12:00"),
        ("732528720.5", ["epoch_s", "epoch_2001_s"], "2024-03-19T08:12:00.500000"),
        ("732528720000", ["epoch_ms", "epoch_2001_ms"], "2024-03-19T08:12:00"),
        ("732528720000000", ["epoch_us", "epoch_2001_us"], "2024-03-19T08:12:00"),
        ("732528720000000000", ["epoch_ns", "epoch_2001_ns"], "2024-03-19T08:12:00"),
        ("2026455120", ["epoch_s", "epoch_1960_s"], "2024-03-19T08:12:00"),
        ("2026455120000", ["epoch_ms", "epoch_1960_ms"], "2024-03-19T08:12:00"),
    ],
)
def test_other_epochs_are_the_second_of_two_readings(value: str, kinds: list[NumberKind], wanted: str) -> None:
    assert list(find_number_form(pl.Series([value])).kinds) == kinds
    exact, is_instant = parse_number_times(pl.Series([value]), kinds[1])
    assert pl.Series(exact).cast(pl.Datetime("us"))[0].isoformat() == wanted
    assert is_instant[0]


def test_the_whole_sample_tells_old_seconds_from_those_since_2001() -> None:
    """Seconds since 2001 of 2037 are no trips yet."""
    assert find_number_form(pl.Series(["1130000000", "732528720", "1140000000"])).kinds == ("epoch_s",)


@pytest.mark.parametrize(("value", "wanted"), [("1394871138", "2024-03-19T08:12:00"), ("599184011", "1998-12-31T23:59:59")])
def test_gps_seconds_are_ahead_by_the_leap_seconds(value: str, wanted: str) -> None:
    for text, kind in ((value, "gps_s"), (f"{value}000", "gps_ms")):
        exact, _ = parse_number_times(pl.Series([text]), kind)
        assert pl.Series(exact).cast(pl.Datetime("us"))[0].isoformat() == wanted


@pytest.mark.parametrize(
    ("good", "bad", "kind"),
    [("202403190812", "202413190812", "digits"), ("240325081200", "241325081200", "digits_yy")],
)
def test_a_typing_error_leaves_the_form_of_a_column(good: str, bad: str, kind: NumberKind) -> None:
    """Both are milliseconds since 2001, too."""
    form = find_number_form(pl.Series([good] * 19 + ["240301081200" if kind == "digits_yy" else good, bad]))
    assert form.kinds[0] == kind


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        (pl.Series([1710835920, None]), ["1710835920", None]),
        (pl.Series([1710835920.0, 1710835920.25]), ["1710835920", "1710835920.250000"]),
        (pl.Series([float("nan"), float("inf"), 45370.3416667]), [None, None, "45370.341667"]),
        (pl.Series([202403190812], dtype=pl.UInt64), ["202403190812"]),
    ],
)
def test_number_columns_as_text(values: pl.Series, wanted: list[str | None]) -> None:
    assert format_numbers(values).to_list() == wanted
