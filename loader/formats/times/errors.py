"""Questions and errors about a file's times."""

import re
from typing import Final

import polars as pl

from loader.formats.model.errors import make_choice
from loader.formats.model.plan import FilePlan
from loader.formats.model.time_format import NumberKind
from loader.formats.times.number_times import parse_number_times
from loader.formats.times.zones import find_zones
from shared.platform.errors import FileFormatError


def ambiguous_dates(plan: FilePlan) -> FileFormatError:
    """Make the error that asks for the order of day, month and year."""
    column = plan.columns[plan.roles["started_at"]]
    choices = [make_choice("Month first", date_order="mdy"), make_choice("Day first", date_order="dmy")]
    orders, answers = "month first as well as day first", "mdy or dmy"
    if re.match(r"\D*\d{2}[-/.]\d{1,2}[-/.]\d{1,2}(?!\d)", plan.time.example):
        choices.append(make_choice("Year first", date_order="ymd"))
        orders, answers = "more than one order of day, month and year", "mdy, dmy or ymd"
    statement = f"Every date in {column} fits {orders} (such as {plan.time.example})."
    return FileFormatError(
        f"{statement} Say which: date_order {answers} (--date-order).",
        statement=statement,
        code="ambiguous_dates",
        parameter="date_order",
        choices=choices,
        columns=plan.columns,
    )


_NUMBER_FORMS: Final[dict[str, str]] = {
    "digits": "Year, month, day and clock in digits",
    "digits_yy": "Year (two digits), month, day and clock in digits",
    "digits_dmy": "Day, month, year and clock in digits",
    "digits_mdy": "Month, day, year and clock in digits",
    "digits_dmyy": "Day, month, year (two digits) and clock in digits",
    "digits_mdyy": "Month, day, year (two digits) and clock in digits",
    "epoch_s": "Seconds since 1970",
    "epoch_ms": "Milliseconds since 1970",
    "epoch_us": "Microseconds since 1970",
    "epoch_ns": "Nanoseconds since 1970",
    "epoch_min": "Minutes since 1970",
    "epoch_2001_s": "Seconds since 2001 (Apple)",
    "epoch_2001_ms": "Milliseconds since 2001 (Apple)",
    "epoch_2001_us": "Microseconds since 2001 (Apple)",
    "epoch_2001_ns": "Nanoseconds since 2001 (Apple)",
    "epoch_1960_s": "Seconds since 1960 (SAS)",
    "epoch_1960_ms": "Milliseconds since 1960 (Stata)",
    "gps_s": "Seconds of GPS, since 6 January 1980",
    "gps_ms": "Milliseconds of GPS, since 6 January 1980",
    "ticks": "Tenths of microseconds since the year 1 (.NET)",
    "filetime": "Tenths of microseconds since 1601 (Windows)",
    "webkit": "Microseconds since 1601 (Chrome)",
    "excel_1900": "Days of a spreadsheet (Excel on Windows, Excel on Macs since 2011, LibreOffice, Google)",
    "excel_1904": "Days of a spreadsheet that counts from 1904 (Excel on Macs before 2011)",
    "julian": "Julian days, which begin at noon",
}


def ambiguous_times(column: str, example: str, kinds: tuple[NumberKind, ...], *, columns: tuple[str, ...]) -> FileFormatError:
    """Make the error that asks what numbers in a column of times mean."""
    moments = [parse_number_times(pl.Series([example]), kind)[0][0] for kind in kinds]
    meanings = [f"{moment.astype('M8[us]').astype('M8[m]')} ({kind})" for kind, moment in zip(kinds, moments, strict=True)]
    statement = f"The numbers in {column} (such as {example}) can mean several times: {', '.join(meanings)}."
    return FileFormatError(
        f"{statement} Say which: time_form {' or '.join(kinds)} (--time-form).",
        statement=statement,
        code="ambiguous_times",
        parameter="time_form",
        choices=[make_choice(_NUMBER_FORMS[kind], time_form=kind) for kind in kinds],
        columns=columns,
    )


def lost_seconds(column: str, example: str) -> FileFormatError:
    """Make the error for times that a spreadsheet has rounded."""
    return FileFormatError(
        f"The times in {column} were rounded when they were written (such as {example}): their minutes and seconds are lost. "
        "Export the file again with whole numbers, as from the database and not from a spreadsheet.",
        code="rounded_times",
        parameter="roles",
    )


def unknown_zones(column: str, names: frozenset[str], example: str) -> FileFormatError:
    """Make the error that asks for the time zone that explains abbreviations."""
    listed, zones = ", ".join(sorted(names)), find_zones(names)
    answer = "Say the trips' time zone, such as" if zones else "No time zone has them all: write offsets instead, such as"
    statement = f"Times in {column} end with {listed} (such as {example}), which means different offsets in different countries."
    return FileFormatError(
        f"{statement} {answer} {f'timezone {zones[0]} (--timezone {zones[0]})' if zones else '2024-03-19 08:12:00-04:00'}.",
        code="unknown_zone",
        parameter="timezone",
        statement=statement if zones else None,
        choices=[make_choice(zone, timezone=zone) for zone in zones],
    )
