"""What `tripdeck inspect` prints for people: how a file is read, what is odd about it, and its first trips and rejects."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from loader.cli.tables import Column, print_line, print_table

_SHOWN_ROWS = 5
_DELIMITERS: Final = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}


def print_inspection(name: str, answer: dict[str, Any]) -> None:
    """Print the hub's answer."""
    print_line(f"{name}: {answer['rows_read']:,} rows looked at, {answer['rows_rejected']:,} of them can't be loaded.")
    print_line(f"Format: {_describe_format(answer['plan'])}.")
    if answer["roles"]:
        print_line(f"Times: {_describe_times(answer)}.")
    if answer["as_last_time"]:
        print_line(_describe_last_time(answer["as_last_time"]))
    if answer["suggested_region"]:
        zone = answer["suggested_timezone"]
        print_line(f"Most of these trips begin in {answer['suggested_region']} (--region; its time zone is {zone}).")
    for note in answer["notes"]:
        print_line(f"Note: {note}")
    if answer["roles"]:
        print_line("")
        rows = [(role["role"], role["column"], role["number"], _describe_share(role["confidence"])) for role in answer["roles"]]
        print_table([Column("role"), Column("column"), Column("number", is_number=True), Column("sure", is_number=True)], rows)
    _print_counts("rejected because", answer["reasons"])
    _print_counts("loaded, but odd", answer["warnings"])
    _print_records("First trips", answer["trips"][:_SHOWN_ROWS])
    _print_records("First rejects", answer["rejects"][:_SHOWN_ROWS])


def _describe_format(plan: dict[str, Any]) -> str:
    compression = "" if plan["compression"] == "none" else f", {plan['compression']}"
    if plan["kind"] != "csv":
        return f"{plan['kind'].capitalize()}{compression}"
    if plan["table"]:
        return f"{_describe_table(plan['table'])}{compression}, {len(plan['columns'])} columns"
    dialect = plan["dialect"]
    header = "with a header" if dialect["has_header"] else "without a header"
    if dialect["header_lines"] > 1:
        header += f" (rows begin at line {dialect['header_lines'] + 1})"
    delimiter = f"delimiter {_DELIMITERS.get(dialect['delimiter'], dialect['delimiter'])}"
    decimal = ", decimal comma" if dialect["decimal"] == "," else ""
    return f"CSV{compression}, {dialect['encoding']}, {delimiter}{decimal}, {dialect['field_count']} columns {header}"


_ORDERS: Final = {
    "ymd": "year first",
    "yymd": "year first (two digits)",
    "mdy": "month first",
    "dmy": "day first",
    None: "order of day, month and year open",
}


def _describe_table(table: dict[str, Any]) -> str:
    if table["format"] == "workbook":
        return f"Workbook, sheet {table['name']!r}"
    layouts = {"lines": "a record a line", "values": "records one after the other", "array": "an array of records"}
    name = f" under {table['name']}" if table["name"] else ""
    return f"JSON, {table['encoding']}, {layouts[table['layout']]}{name}"


def _describe_times(answer: dict[str, Any]) -> str:
    time = answer["plan"]["time"]
    order = _ORDERS[time["date_order"]]
    shown = order if time["kind"] == "text" else re.sub(r"_(?=(?:s|ms|us|ns|min)$)", " in ", time["kind"]).replace("_", " ")
    clock = "kept as written" if answer["clock"] == "as_written" else f"converted to {answer['timezone']} (--timezone)"
    return f"{shown}, such as {time['example']}; {clock}"


def _describe_last_time(reading: dict[str, Any]) -> str:
    options = dict(reading["options"])
    given = [f"{role} = {column}" for role, column in options.pop("roles", {}).items()]
    given += [f"{name} {value!r}" for name, value in options.items()]
    return f"As last time (load {reading['load_id']}): {', '.join(given)}. --no-last-time reads it anew, --forget forgets it."


def _describe_share(share: float) -> str:
    return f"{share:.0%}"


def _print_counts(title: str, counts: Mapping[str, int]) -> None:
    if counts:
        print_line("")
        print_table([Column(title), Column("rows", is_number=True)], list(counts.items()))


def _print_records(title: str, records: Sequence[dict[str, Any]]) -> None:
    if records:
        print_line("")
        print_line(title)
        print_table([Column(name) for name in records[0]], [list(record.values()) for record in records])
