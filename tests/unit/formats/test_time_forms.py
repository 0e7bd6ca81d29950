"""Time forms: every way to write a moment that is read, with its wall clock, and those that must stay rejects."""

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loader.formats.model.time_format import MISSING, NUMBER_KINDS, NumberKind
from loader.formats.times.calendar_words import DAYS, MONTHS, fold, list_days, list_months
from loader.formats.times.date_order import DateParts
from loader.formats.times.number_times import INSTANT_KINDS, find_number_form, format_numbers, parse_number_times
from loader.formats.times.parser import parse_stamps
from loader.formats.times.zones import find_zones, list_offsets

NEW_YORK = "America/New_York"


def parse(text: str, order: str, timezone: str = NEW_YORK) -> str | None:
    """Give the moment: UTC where a zone is written, the wall clock elsewhere."""
    exact, _ = parse_stamps(pl.Series([text]), order, timezone=timezone)
    return None if exact[0] == MISSING else str(exact[0].astype("M8[us]").astype("M8[ms]")).removesuffix(".000")


# Each means 19 March 2024, 08:12:00 (in UTC where a zone is written), read year first.
YEAR_FIRST = """
2024-03-19 08:12:00
2024-03-19 08:12
2024-3-19 8:12
2024-03-19T08:12:00
2024-03-19t08:12:00
2024/03/19 08:12:00
2024.03.19 08:12:00
2024-03-19 08:12:00.000
2024-03-19 08:12:00.0000000
2024-03-19 08:12:00,000
2024-03-19T08:12:00Z
2024-03-19T08:12:00.000Z
2024-03-19 08:12:00 UTC
2024-03-19 08:12:00 GMT
2024-03-19 08:12:00+00
2024-03-19 08:12:00+0000
2024-03-19 08:12:00 +0000 UTC
2024-03-19 08:12:00.5 +0000 UTC m=+0.000012
2024-03-19 10:12:00 +0200 CEST
2024-03-19 04:12:00 -0400 EDT
2024-03-19 08:12:00 +0
2024-03-19 08:12:00.000 +0
2024-03-19 09:12:00 +1
2024-03-19 13:42:00 +5:30
2024-03-19 09:12:00 GMT+1
2024-03-19 09:12:00 GMT+01:00
2024-03-19 09:12:00 UTC+1
2024-03-19 09:12:00UTC+01:00
2024-03-19T09:12+01:00[Europe/Prague]
2024-03-19T08:12:00Z[UTC]
2024-03-19T04:12:00\u221204:00
2024-03-19 04:12:00 EDT
2024-03-19 03:12:00 EST
2024-03-19 03:12 CDT
2024-03-19T08:12:00 America/New_York
20240319T081200
20240319T081200Z
20240319T0812
20240319T101200+0200
20240319 08:12:00
20240319 08:12
20240319 081200
20240319-081200
20240319_081200
20240319081200Z
20240319091200+0100
20240319091200 +0100
2024-03-19T081200
2024-03-19T0812
2024-03-19 0812
2024-03-19-08.12.00.000000
2024-03-19-08:12:00
2024-03-19_08:12:00
2024-03-19_08-12-00
2024-03-19 08-12-00
2024-03-19 08.12.00
2024-03-19 08.12
2024:03:19 08:12:00
2024 03 19 08 12 00
2024 - 03 - 19 08:12
2024/03/19/08:12:00
2024-03-19 08:12:00:000
2024-03-19 8:12 AM
2024-03-19 8:12:00 a.m.
2024-03-19 8:12 am
2024-03-19 08:12a
2024-03-19 AM 8:12
2024-W12-2T08:12
2024W122T08:12
2024-079T08:12
2024-079 08:12:00
'2024-03-19 08:12:00
'2024-03-19 08:12:00'
="2024-03-19 08:12"
"2024-03-19 08:12"
[2024-03-19 08:12:00]
2024-03-19 Tue 08:12
2024-03-19 (Tue) 08:12
2024-03-19(火) 08:12
2024-03-19 08:12 Tue
Tue 2024-03-19 08:12
08:12 2024-03-19
08:12:00 2024/03/19
2024-03-19\u00a008:12:00
2024-03-19\u200308:12:00
\ufeff2024-03-19 08:12:00
\u200e2024\u200e-\u200e03\u200e-\u200e19 08:12
２０２４-０３-１９ ０８：１２
2024年3月19日 8:12
2024年03月19日08時12分
2024年03月19日08时12分00秒
2024年3月19日 上午8:12
2024年3月19日星期二 08:12
2024年3月19日(火) 午前8時12分
2024/3/19 上午8:12:00
2024/3/19 上午 8:12:00
2024/3/19 (週二) 上午 08:12:00
2024년 3월 19일 오전 8:12
2024년 3월 19일 화요일 오전 8시 12분
2024. 3. 19. 오전 8:12:00
2024. 03. 19. 8:12
2024.3.19. 8:12:00
19-MAR-24 08.12.00.000000 AM
19-MAR-24 08.12.00.000000000 AM
19-MAR-2024 08:12:00
19-Mar-24 08:12
19MAR2024:08:12:00
19MAR2024:08:12:00.000
19 Mar 2024 08:12
19. Mar 2024 08:12
19th March 2024 08:12
19th of March 2024 at 8:12 am
19 March, 2024 08:12
March 19, 2024 08:12
March 19th, 2024 at 8:12 AM
March 19 2024, 8:12:00 am
Mar 19, 2024, 8:12:00\u202fAM
Mar 19, 2024 @ 08:12:00.000
Mar. 19, 2024 8:12 a.m.
Tuesday, March 19, 2024 8:12:00 AM
Tuesday, 19 March 2024 08:12
Tue, 19 Mar 2024 08:12:00 GMT
Tue, 19 Mar 2024 08:12:00 +0000
Tue, 19 Mar 2024 04:12:00 -0400 (EDT)
Tue Mar 19 08:12:00 2024
Tue Mar 19 08:12:00 +0000 2024
Tue Mar 19 08:12:00 UTC 2024
Tue Mar 19 04:12:00 EDT 2024
Tue Mar 19 2024 08:12:00 GMT+0000 (Coordinated Universal Time)
Tue Mar 19 2024 09:12:00 GMT+0100 (Central European Standard Time)
Tue Mar 19 2024 09:12:00 GMT+0100 (heure normale d’Europe centrale)
2024-Mar-19 08:12
2024 Mar 19 08:12:00 AM
19/Mar/2024:08:12:00 +0000
[19/Mar/2024:10:12:00 +0200]
08:12 19 Mar 2024
8:12 AM, March 19, 2024
08:12:00 19-MAR-2024
19 de marzo de 2024 08:12
19 de marzo de 2024 a las 08:12
19-mar-2024 08:12
martes, 19 de marzo de 2024 08:12
mar 19 mar 2024 08:12
19 marzo 2024, 8:12 a. m.
19 mars 2024 à 08:12
19 mars 2024 à 08h12
mardi 19 mars 2024 08 h 12
mar. 19 mars 2024 08:12
19. März 2024 08:12
19. März 2024, 08:12 Uhr
19. März 2024 um 08:12 Uhr
Dienstag, 19. März 2024 08:12
19. Mrz 2024 08:12
19 marzo 2024 08:12
19 marzo 2024 alle ore 08:12
martedì 19 marzo 2024 08:12
19 de março de 2024 08:12
19 de março de 2024 às 08:12
terça-feira, 19 de março de 2024 08:12
19 maart 2024 08:12
19 mrt. 2024 om 08:12 uur
dinsdag 19 maart 2024 08:12
19 marca 2024 08:12
19 mar 2024 o godz. 08:12
19 března 2024 08:12
19. března 2024 v 8:12
úterý 19. března 2024 8:12
19. marts 2024 kl. 08.12
tirsdag 19. mars 2024 kl. 08:12
19 mars 2024 kl. 08:12
19. maaliskuuta 2024 klo 8.12
19 de març de 2024 08:12
19 марта 2024 г. 08:12
19 Mart 2024 08:12
""".strip().splitlines()  # noqa: RUF001 - foreign signs are the point


@pytest.mark.parametrize("text", YEAR_FIRST)
def test_forms_that_name_their_order(text: str) -> None:
    wanted = "2024-03-19T08:12:00"
    assert parse(text, "ymd") in (wanted, f"{wanted}.500")


# Each means 19 March 2024, 08:12, once the column's order is known.
DAY_FIRST = """
19/03/2024 08:12
19/03/2024 08:12:00 a. m.
19/03/2024 08:12:00 a.\u00a0m.
19/03/2024 8:12:00 a.m.
19.03.2024 08:12
19.03.24, 08:12
19.03.24 8.12
19. 3. 2024 8:12
19.3.2024 8:12:00
19-03-2024 08:12
19/03/24 08:12
19/03/2024, 08:12:00
19/03/2024 - 08:12
19/03/2024 à 08:12
19/03/2024 08h12
19.03.2024 um 08:12 Uhr
19.03.2024 kl. 08.12
19.03.2024 klo 8.12
Di, 19.03.2024 08:12
mar. 19/03/2024 08:12
19.03.2024 (Di) 08:12
8:12 19/03/2024
08:12:00 19.03.2024
08:12, 19/03/2024
19/03/2024:08:12:00
19/03/2024_08:12
'19/03/2024 08:12
="19/03/2024 08:12"
19/03/2024 08:12:00Z
19/03/2024 09:12:00 +01:00
19/03/2024 09:12:00 GMT+1
""".strip().splitlines()


@pytest.mark.parametrize("text", DAY_FIRST)
def test_numeric_dates_day_first(text: str) -> None:
    assert parse(text, "dmy") == "2024-03-19T08:12:00"


MONTH_FIRST = """
3/19/2024 8:12
03/19/2024 08:12:00 AM
3/19/2024, 8:12:00\u202fAM
3/19/24 8:12 AM
3-19-2024 8:12am
8:12 AM 3/19/2024
Tue 03/19/2024 08:12
03/19/2024 (Tue) 08:12
03/19/2024 at 8:12 AM
03/19/2024 08:12:00 UTC
03/19/2024 04:12:00 AM EDT
03/19/2024 8 AM
""".strip().splitlines()


@pytest.mark.parametrize("text", MONTH_FIRST)
def test_numeric_dates_month_first(text: str) -> None:
    assert parse(text, "mdy") in ("2024-03-19T08:12:00", "2024-03-19T08:00:00")


@pytest.mark.parametrize("text", ["24-03-19 08:12", "24/03/19 08:12:00", "24.03.19 8:12", "24/3/19 上午8:12", "08:12 24-03-19"])
def test_numeric_dates_with_a_short_year_first(text: str) -> None:
    assert parse(text, "yymd") == "2024-03-19T08:12:00"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("2024/3/20 下午5:45:10", "2024-03-20T17:45:10"),
        ("2024年3月20日 午後0:30", "2024-03-20T12:30:00"),
        ("2024年3月20日 午前0:30", "2024-03-20T00:30:00"),
        ("2024/3/21 上午12:05:59", "2024-03-21T00:05:59"),
        ("2024. 3. 20. 오후 5:45", "2024-03-20T17:45:00"),
        ("21-MAR-24 12.05.59.123456 AM", "2024-03-21T00:05:59.123"),
        ("20-MAR-24 05.45.10.000000 PM", "2024-03-20T17:45:10"),
        ("1er mars 2024 08:12", "2024-03-01T08:12:00"),
        ("1º de marzo de 2024 08:12", "2024-03-01T08:12:00"),
        ("31 grudnia 2023 23:59", "2023-12-31T23:59:00"),
        ("2020-W53-7", "2021-01-03T00:00:00"),
        ("2024-366", "2024-12-31T00:00:00"),
        ("2024-03-19 8 PM", "2024-03-19T20:00:00"),
        ("19-MAR-99 08:12", "1999-03-19T08:12:00"),
        ("2024-03-19 24:00", "2024-03-20T00:00:00"),
        ("2024-03-19 08:12:00 CST", "2024-03-19T14:12:00"),
        ("2024-03-19 08:12:00 PDT", "2024-03-19T15:12:00"),
    ],
)
def test_forms_of_other_moments(text: str, wanted: str) -> None:
    assert parse(text, "ymd") == wanted


@pytest.mark.parametrize(
    "text",
    [
        "2024-02-30 08:12",
        "30 février 2024",
        "2023-366",
        "2024-W54-1",
        "2024-W12-8",
        "19 mars",
        "mars 2024",
        "19 mraz 2024 08:12",
        "2024-03-19 08:12:00 CET",  # not New York's
        "2024-03-19 08:12:00 IST",
        "2024-03-19 08:12:00 XYZ",
        "2024-03-19 08:12:00 Europe/Prague",
        "2024-03-19 08:12:00[Europe/Prague]",
        "2024-03-19 13:12 上午",
        "下午25:12 2024-03-19",
        "2024-03-19 0:12 AM",
        "2024-13-19 08:12",
        "19 de marzo de 2024 25:12",
        "2024-03-19 08:61",
        "20240319T256100",
        "113/03/19 08:12",
        "2024-03-19 08:12 - 08:31",
        "2024-03-19 08:12 19.5",
        "Tue Mar 19 08:12:00",
        "R6-03-19 08:12",
        "2024-03",
        "8:12",
        "tomorrow 08:12",
        "1 Main St 2024",
        "2024-03-19-04:00",  # a date with an offset or with a clock
    ],
)
def test_what_is_no_moment_for_sure_is_none(text: str) -> None:
    assert parse(text, "ymd") is None


@pytest.mark.parametrize("order", ["mdy", "dmy", "yymd"])
@pytest.mark.parametrize("text", ["2024-03-19 08:12", "19 March 2024 08:12", "20240319T081200Z"])
def test_one_column_has_one_order(text: str, order: str) -> None:
    """A spreadsheet that knew the wrong order leaves such rows among others; read as they stand they would be wrong."""
    assert parse(text, order) is None


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
        (["631464327200000000", "630465327200000000"], ["ticks"]),
        (["28513932", "28514932"], ["epoch_min"]),
        (["10120000", "23595999"], []),
        (["28513932", "99999999"], []),
    ],
)
def test_a_column_tells_what_one_number_leaves_open(values: list[str], kinds: list[NumberKind]) -> None:
    assert list(find_number_form(pl.Series(values)).kinds) == kinds


def test_a_typing_error_leaves_the_form_of_a_column() -> None:
    form = find_number_form(pl.Series(["202403190812"] * 19 + ["202413190812"]))
    assert form.kinds == ("digits",)


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


# ------------------------------------------------------------------------------------------------ date order


@pytest.mark.parametrize(
    ("dates", "wanted"),
    [
        (["19/03/2024", "01/02/2024"], "dmy"),
        (["03/19/2024", "01/02/2024"], "mdy"),
        (["01/02/2024", "03/04/2024"], None),
        (["19.03.24", "20.03.24", "21.03.24"], "dmy"),
        (["24-03-19", "24-03-20", "24-03-22"], "yymd"),
        (["24/03/19 08:12", "24/03/20 17:45"], "yymd"),
        (["23-12-30", "23-12-31", "24-01-01", "24-01-15"], "yymd"),
        (["30/12/23", "31/12/23", "01/01/24", "15/01/24"], "dmy"),
        (["3/19/24", "3/20/24"], "mdy"),
        (["1/2/24", "13/2/24"], "dmy"),
        (["99-03-19"], "yymd"),
        (["19/03/99"], "dmy"),
        (["24/03/19"], None),  # one day: 24 March 2019 or 19 March 2024
        (["03/04/05"], None),
        (["01/01/19", "01/02/20", "01/03/21", "01/06/23"], None),  # firsts of months, or days of one year
        (["'24-03-19", "'24-03-20"], "yymd"),
        (["8:12 19/03/2024"], "dmy"),
        (["Di, 19.03.24", "Mi, 20.03.24"], "dmy"),
        (["2024-03-19"], None),
        (["", "nothing"], None),
    ],
)
def test_order_of_numeric_dates(dates: list[str], wanted: str | None) -> None:
    whole, cut = DateParts(), DateParts()
    whole.observe(pl.Series(dates))
    for date in dates:
        cut.observe(pl.Series([date]))
    assert whole.decide() == cut.decide() == wanted


# ------------------------------------------------------------------------------------------------ words and zones


def test_no_word_names_two_months_or_a_month_and_a_day() -> None:
    seen: dict[str, set[int]] = {}
    for names in MONTHS.values():
        forms = names.split(",")
        assert len(forms) == 12
        for number, words in enumerate(forms, start=1):
            for word in words.split():
                seen.setdefault(fold(word), set()).add(number)
    assert {word: numbers for word, numbers in seen.items() if len(numbers) > 1} == {}
    assert set(list_months()) & set(list_days()) == {"mar"}  # a martes or mardi, told by the month behind it
    assert len(DAYS) > 8


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


# ------------------------------------------------------------------------------------------------ round trips

MOMENTS = st.datetimes(datetime.fromisoformat("1990-01-01"), datetime.fromisoformat("2037-12-30")).map(
    lambda moment: moment.replace(microsecond=0)
)
FORMS: dict[str, tuple[str, str]] = {
    "iso": ("ymd", "%Y-%m-%d %H:%M:%S"),
    "iso basic": ("ymd", "%Y%m%dT%H%M%S"),
    "compact date": ("ymd", "%Y%m%d %H:%M:%S"),
    "slashes": ("ymd", "%Y/%m/%d %H:%M:%S"),
    "db2": ("ymd", "%Y-%m-%d-%H.%M.%S"),
    "exif": ("ymd", "%Y:%m:%d %H:%M:%S"),
    "week date": ("ymd", "%G-W%V-%uT%H:%M:%S"),
    "ordinal date": ("ymd", "%Y-%jT%H:%M:%S"),
    "oracle": ("ymd", "%d-%b-%Y %I.%M.%S.000000 %p"),
    "sas": ("ymd", "%d%b%Y:%H:%M:%S"),
    "web server": ("ymd", "%d/%b/%Y:%H:%M:%S +0000"),
    "mail": ("ymd", "%a, %d %b %Y %H:%M:%S +0000"),
    "go": ("ymd", "%Y-%m-%d %H:%M:%S +0000 UTC"),
    "twitter": ("ymd", "%a %b %d %H:%M:%S +0000 %Y"),
    "c": ("ymd", "%a %b %d %H:%M:%S %Y"),
    "javascript": ("ymd", "%a %b %d %Y %H:%M:%S GMT+0000 (Coordinated Universal Time)"),
    "locale": ("ymd", "%b %d, %Y, %I:%M:%S\u202f%p"),
    "chinese": ("ymd", "%Y年%m月%d日 %H时%M分%S秒"),
    "text mark": ("ymd", "'%Y-%m-%d %H:%M:%S"),
    "day first": ("dmy", "%d/%m/%Y %H:%M:%S"),
    "german": ("dmy", "%d.%m.%Y, %H:%M:%S Uhr"),
    "clock first": ("dmy", "%H:%M:%S %d/%m/%Y"),
    "month first": ("mdy", "%m/%d/%Y %I:%M:%S %p"),
    "short year first": ("yymd", "%y-%m-%d %H:%M:%S"),
    "short year last": ("dmy", "%d.%m.%y %H:%M:%S"),
}


@pytest.mark.parametrize("name", FORMS)
@settings(max_examples=25, deadline=None)
@given(moments=st.lists(MOMENTS, min_size=1, max_size=5))
def test_a_form_gives_back_what_was_written(name: str, moments: list[datetime]) -> None:
    order, form = FORMS[name]
    exact, _ = parse_stamps(pl.Series([moment.strftime(form) for moment in moments]), order, timezone="UTC")
    assert pl.Series(exact).cast(pl.Datetime("us")).to_list() == moments


NUMBERS: dict[NumberKind, str] = {
    "digits": "%Y%m%d%H%M%S",
    "digits_yy": "%y%m%d%H%M%S",
    "digits_dmy": "%d%m%Y%H%M%S",
    "digits_mdy": "%m%d%Y%H%M%S",
    "digits_dmyy": "%d%m%y%H%M%S",
    "digits_mdyy": "%m%d%y%H%M%S",
}
YEAR_ZERO: dict[NumberKind, int] = {"ticks": 1, "filetime": 1601}
SCALES: dict[NumberKind, int] = {"epoch_s": 1, "epoch_ms": 10**3, "epoch_us": 10**6, "epoch_ns": 10**9}


@pytest.mark.parametrize("kind", NUMBER_KINDS)
@settings(max_examples=25, deadline=None)
@given(moments=st.lists(MOMENTS, min_size=1, max_size=5))
def test_a_number_gives_back_what_was_written(kind: NumberKind, moments: list[datetime]) -> None:
    exact, _ = parse_number_times(pl.Series([_write_number(moment, kind) for moment in moments]), kind)
    assert pl.Series(exact).cast(pl.Datetime("us")).to_list() == moments


def _write_number(moment: datetime, kind: NumberKind) -> str:
    if kind in NUMBERS:
        return moment.strftime(NUMBERS[kind])
    if kind in SCALES:
        return str(int(moment.replace(tzinfo=UTC).timestamp()) * SCALES[kind])
    if kind in YEAR_ZERO:
        return str((moment - datetime.fromisoformat(f"{YEAR_ZERO[kind]:04}-01-01")) // timedelta(microseconds=1) * 10)
    if kind == "epoch_min":
        return f"{(moment - datetime.fromisoformat('1970-01-01')) / timedelta(minutes=1):.4f}"
    if kind == "julian":
        return f"{(moment - datetime.fromisoformat('1970-01-01')) / timedelta(days=1) + 2_440_587.5:.7f}"
    zero = datetime.fromisoformat("1899-12-30" if kind == "excel_1900" else "1904-01-01")
    return f"{(moment - zero) / timedelta(days=1):.7f}"


@settings(max_examples=25, deadline=None)
@given(text=st.lists(st.text(max_size=30), min_size=1, max_size=4))
def test_any_text_is_read_or_refused_alike_alone_and_in_company(text: list[str]) -> None:
    together, _ = parse_stamps(pl.Series(text, dtype=pl.String), "ymd", timezone=NEW_YORK)
    alone = [parse_stamps(pl.Series([value]), "ymd", timezone=NEW_YORK)[0][0] for value in text]
    assert np.array_equal(together, np.array(alone))
