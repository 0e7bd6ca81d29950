"""Members: the tables inside one archive must be of one kind."""

from collections.abc import Sequence

from loader.formats.containers.byte_reader import ByteReader
from loader.formats.delimited.dialect import DATA_CELL, DELIMITERS, name_columns, read_row
from loader.formats.model.dialect import Dialect
from loader.formats.model.errors import make_choice
from loader.formats.model.plan import FilePlan
from loader.formats.text.records import UTF8_BOM, split_records
from shared.platform.errors import FileFormatError

# Enough for a preamble and a header.
_HEAD_BYTES = 2**16
_DELIMITER_NAMES = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}


def begins_with_header(reader: ByteReader, plan: FilePlan, member: str | None, *, first: str | None) -> bool:
    """Return whether a further member begins with the header of the first; rows of its columns are the other way to begin.

    Raises: FileFormatError for a member of another kind.
    """
    head = bytes(reader.peek(_HEAD_BYTES)).removeprefix(UTF8_BOM)
    if not plan.dialect.has_header or plan.table:
        return True
    rows = _read_rows(head, plan)
    names = rows[-1]
    if _is_header(names, plan.columns):
        return True
    if len(rows[0]) == len(plan.columns) and sum(bool(DATA_CELL.match(cell)) for cell in rows[0]) >= 2:
        return False  # as split -l cuts a file
    raise FileFormatError(
        f"{member} in the archive {_describe(head, names, plan)}. Say which table to read (--member), or pack only "
        "files with the same columns.",
        code="members_differ",
        parameter="member",
        member=member,
        choices=[make_choice(name, member=name) for name in (first, member) if name],
    )


def _is_header(names: Sequence[str], columns: Sequence[str]) -> bool:
    while names and not names[-1].strip():
        names = names[:-1]
    candidates = [name_columns(found, len(columns)) for found in ([*names], ["", *names])]
    return len(names) <= len(columns) and _fold(columns) in map(_fold, candidates)


def _read_rows(head: bytes, plan: FilePlan) -> list[list[str]]:
    """Read the first record, and the one that ends where the header of the first member does."""
    lines = head.splitlines()[: max(plan.dialect.header_lines, 1)]
    records = split_records(b"\n".join(lines), plan.dialect, limit=plan.record_limit_bytes)
    return [read_row(records, row, plan.dialect) for row in (0, len(records) - 1)] if len(records) else [[], []]


def _fold(names: Sequence[str]) -> list[str]:
    return [name.casefold() for name in names]


def _describe(head: bytes, names: Sequence[str], plan: FilePlan) -> str:
    """Say how a member differs from the first."""
    if head.startswith(b"PAR1"):
        return "is a Parquet file, the one before it is text"
    if sorted(_fold(names)) == sorted(_fold(plan.columns)):
        return "has the columns of the file before it in another order"
    other = _find_delimiter(head, plan.dialect)
    if other is not None:
        here, there = _DELIMITER_NAMES[other], _DELIMITER_NAMES[plan.dialect.delimiter]
        return f"is divided by {here}, the file before it by {there}"
    return "has other columns than the file before it"


def _find_delimiter(head: bytes, dialect: Dialect) -> str | None:
    first = head.splitlines()[0] if head else b""
    counts = {delimiter: first.count(delimiter.encode()) for delimiter in DELIMITERS}
    best = max(counts, key=lambda delimiter: counts[delimiter])
    return best if counts[best] > counts[dialect.delimiter] and best != dialect.delimiter else None
