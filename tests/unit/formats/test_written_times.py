"""Written times: what is written in any form or number is read as the same moment."""

from datetime import datetime, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loader.formats.model.time_format import NUMBER_KINDS, NumberKind
from loader.formats.times.number_times import parse_number_times
from loader.formats.times.parser import parse_stamps

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
YEAR_ZERO: dict[NumberKind, int] = {"ticks": 1, "filetime": 1601, "webkit": 1601}
UNITS = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
ZEROS = {"epoch": "1970-01-01", "epoch_2001": "2001-01-01", "epoch_1960": "1960-01-01", "gps": "1980-01-06"}


@pytest.mark.parametrize("kind", NUMBER_KINDS)
@settings(max_examples=25, deadline=None)
@given(moments=st.lists(MOMENTS, min_size=1, max_size=5))
def test_a_number_gives_back_what_was_written(kind: NumberKind, moments: list[datetime]) -> None:
    if kind.startswith(("epoch_2001", "gps")):  # their numbers have nine digits from 2004 on, and 18 leap seconds from 2017 on
        moments = [max(moment, datetime.fromisoformat("2017-01-01")) for moment in moments]
    exact, _ = parse_number_times(pl.Series([_write_number(moment, kind) for moment in moments]), kind)
    assert pl.Series(exact).cast(pl.Datetime("us")).to_list() == moments


def _write_number(moment: datetime, kind: NumberKind) -> str:
    if kind in NUMBERS:
        return moment.strftime(NUMBERS[kind])
    zero, _, unit = kind.rpartition("_")
    if zero in ZEROS and unit in UNITS:
        leap_s = 18 if zero == "gps" else 0  # moments are of after 2017
        return str(((moment - datetime.fromisoformat(ZEROS[zero])) // timedelta(seconds=1) + leap_s) * UNITS[unit])
    if kind in YEAR_ZERO:
        in_us = (moment - datetime.fromisoformat(f"{YEAR_ZERO[kind]:04}-01-01")) // timedelta(microseconds=1)
        return str(in_us if kind == "webkit" else in_us * 10)
    if kind == "epoch_min":
        return f"{(moment - datetime.fromisoformat('1970-01-01')) / timedelta(minutes=1):.4f}"
    if kind == "julian":
        return f"{(moment - datetime.fromisoformat('1970-01-01')) / timedelta(days=1) + 2_440_587.5:.7f}"
    zero = datetime.fromisoformat("1899-12-30" if kind == "excel_1900" else "1904-01-01")
    return f"{(moment - zero) / timedelta(days=1):.7f}"
