"""Stamp forms: every way to write a moment that is read, with its wall clock, and those that must stay rejects."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loader.formats.model.time_format import MISSING
from loader.formats.times.parser import parse_stamps

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


@settings(max_examples=25, deadline=None)
@given(text=st.lists(st.text(max_size=30), min_size=1, max_size=4))
def test_any_text_is_read_or_refused_alike_alone_and_in_company(text: list[str]) -> None:
    together, _ = parse_stamps(pl.Series(text, dtype=pl.String), "ymd", timezone=NEW_YORK)
    alone = [parse_stamps(pl.Series([value]), "ymd", timezone=NEW_YORK)[0][0] for value in text]
    assert np.array_equal(together, np.array(alone))
