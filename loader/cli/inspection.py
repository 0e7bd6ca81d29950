"""What `tripdeck inspect` prints for people: how a file is read, and its first trips and rejects."""

from collections.abc import Sequence
from typing import Any

from loader.cli.tables import Column, print_line, print_table

_SHOWN_ROWS = 5


def print_inspection(name: str, answer: dict[str, Any]) -> None:
    """Print the hub's answer."""
    plan = answer["plan"]
    print_line(f"{name}: {answer['rows_read']:,} rows looked at, {answer['rows_rejected']:,} of them can't be loaded.")
    print_line(f"Format: {_describe_format(plan)}.")
    print_line(f"Times: {_describe_times(plan)}.\n")
    roles = sorted(plan["roles"].items(), key=lambda item: str(item[1]))
    rows = [(role, _name_column(plan["columns"], place), plan.get("confidence", {}).get(role)) for role, place in roles]
    print_table([Column("role"), Column("column"), Column("confidence", is_number=True)], rows)
    _print_records("First trips", answer["trips"][:_SHOWN_ROWS])
    _print_records("First rejects", answer["rejects"][:_SHOWN_ROWS])


def _describe_format(plan: dict[str, Any]) -> str:
    compression = "" if plan["compression"] == "none" else f", {plan['compression']}"
    if plan["kind"] != "csv":
        return f"{plan['kind']}{compression}"
    dialect = plan["dialect"]
    header = "with a header" if dialect["has_header"] else "without a header"
    return (
        f"CSV{compression}, {dialect['encoding']}, delimiter {dialect['delimiter']!r}, decimal {dialect['decimal']!r}, {header}"
    )


def _describe_times(plan: dict[str, Any]) -> str:
    time = plan["time"]
    order = f", {time['date_order']}" if time["date_order"] else ""
    clock = "kept as written" if plan["clock"] == "as_written" else "converted to the load's time zone"
    return f"{time['example'] or time['kind']}{order}, {clock}"


def _name_column(columns: Sequence[str], place: object) -> str:
    if isinstance(place, int) and 0 <= place < len(columns):
        return columns[place] or f"column {place + 1}"
    return str(place)


def _print_records(title: str, records: Sequence[dict[str, Any]]) -> None:
    if records:
        print_line(f"\n{title}")
        print_table([Column(name) for name in records[0]], [list(record.values()) for record in records])
