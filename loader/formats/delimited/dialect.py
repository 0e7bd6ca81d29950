"""Dialect: delimiter, quote, header and number of fields, from a sample of the text.

Each delimiter is tried; how evenly it cuts the records, and then how well the columns make sense as trips, decides.
Python's csv.Sniffer finds no delimiter in three of the fifteen real files of the tests (blank second line, last record cut off),
says that quotes don't double where none happens to, and knows neither preambles nor files without a header. Hence these rules.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import polars as pl

from loader.formats.model.dialect import Dialect
from loader.formats.model.options import LoadOptions
from loader.formats.text.fields import FieldTable, count_fields, count_whole_fields, has_nul, split_fields, undo_quotes
from loader.formats.text.records import Records, split_records
from loader.formats.transcoding import TableSample
from loader.formats.transcoding.csv_text import DIALECT
from loader.formats.transcoding.json_rows import name_columns as name_keys
from loader.formats.vocabulary.column_names import read_name
from shared.platform.errors import FileFormatError

DELIMITERS = (",", ";", "\t", "|")
HEADER_SEARCH_ROWS = 40
# Each column is looked at in detection, in about 0.6 ms; the widest trip files of the tests have 120.
COLUMNS_LIMIT = 2_000
DATA_CELL = re.compile(
    r"^[+-]?\$?\d[\d.,:/eE+\-TZ ]*( ?[AaPp][Mm]| UTC)?$|^\s*(SRID=\d+;)?(POINT|LINESTRING)\b|^\s*[\[{(].*[\d]", re.IGNORECASE
)


@dataclass(frozen=True)
class Layout:
    """One reading of the sample: its dialect, its columns' names, its whole rows.

    evenness: share of rows that fit. unnamed: how many fields most rows hold beyond the header's names.
    """

    dialect: Dialect
    columns: tuple[str, ...]
    table: FieldTable
    evenness: float
    unnamed: int = 0

    def text(self, column: int, rows: int = 1000) -> pl.Series:
        """Return about that many rows of a column, spread over the sample."""
        text = self.table.text(column)
        return text.gather_every(max(1, len(text) // rows))


def read_layouts(sample: bytes, options: LoadOptions, *, is_whole: bool) -> list[Layout]:
    """Read the sample with each delimiter that cuts it into more than one column, the evenest first.

    Raises: FileFormatError where every delimiter that fits cuts it into too many columns.
    """
    quote = _detect_quote(sample)
    delimiters = (options.delimiter,) if options.delimiter else DELIMITERS
    found: list[Layout] = []
    too_wide: FileFormatError | None = None
    for delimiter in delimiters:
        try:
            found += _read_layout(sample, _guess_dialect(sample, delimiter, quote), options, is_whole=is_whole)
        except FileFormatError as error:
            too_wide = error
    if too_wide and not found:
        raise too_wide
    return sorted(found, key=lambda layout: -layout.evenness)


def _too_many_columns(columns: int, delimiter: str) -> FileFormatError:
    return FileFormatError(
        f"The file has {columns:,} columns, divided by {delimiter!r}; at most {COLUMNS_LIMIT:,} are read. "
        "Leave out those that have nothing to do with trips, or say another delimiter (--delimiter).",
        code="too_many_columns",
        parameter="delimiter",
    )


def read_table(sample: TableSample, options: LoadOptions) -> list[Layout]:
    """Read the sample of a table inside a file, as transcoding writes it: its dialect is known."""
    if not sample.table or not sample.table.keys:
        return list(_read_layout(sample.text, DIALECT, options, is_whole=sample.is_whole))
    columns = name_columns(list(name_keys(sample.table.keys)), len(sample.table.keys))
    dialect = replace(DIALECT, field_count=len(columns))
    return [Layout(dialect, columns, _make_table(sample.text, dialect, limit=options.record_limit_bytes, is_whole=True), 1.0)]


def _guess_dialect(sample: bytes, delimiter: str, quote: str) -> Dialect:
    spaced, joined = (sample.count(f"{delimiter}{gap}{quote}".encode()) for gap in (" ", ""))
    return Dialect(
        delimiter=delimiter, quote=quote, escape=_detect_escape(sample, quote), has_spaces=spaced > joined, header_lines=0
    )


def _detect_escape(sample: bytes, quote: str) -> str:
    """Return whether a backslash before a quote escapes it: one before more text can't be a field's last."""
    return "\\" if re.search(rb"\\%b[^,;\t|\r\n%b]" % (quote.encode(), quote.encode()), sample) else ""


def _detect_quote(sample: bytes) -> str:
    if b'"' in sample or b"'" not in sample:
        return '"'
    edges = re.findall(rb"(?:^|[,;\t|\n\r])'[^'\n\r]*'(?=[,;\t|\n\r]|$)", sample[:65_536])
    return "'" if len(edges) * 4 > sample[:65_536].count(b"'") else '"'


def _read_layout(sample: bytes, dialect: Dialect, options: LoadOptions, *, is_whole: bool) -> Iterator[Layout]:
    limit = options.record_limit_bytes
    records = split_records(sample, dialect, limit=limit, is_end=is_whole)
    counts = count_fields(records, usual=0)
    if len(counts) == 0:
        return
    widest = int(counts[:HEADER_SEARCH_ROWS].max())
    if widest > COLUMNS_LIMIT:
        raise _too_many_columns(widest, dialect.delimiter)
    rows = [read_row(records, index, dialect) for index in range(min(len(records), HEADER_SEARCH_ROWS))]
    header = _find_header(rows, Counter(counts.tolist()).most_common(1)[0][0], options.has_header)
    first_row = 0 if header is None else header + 1
    if header is None and options.has_header is None:
        first_row = _skip_preamble(counts)
    names = rows[header] if header is not None else []
    if header is not None and (joined := _join_header_rows(rows[header : header + 2])):
        names, first_row = joined, header + 2
    usual = Counter(counts[first_row:].tolist()).most_common(1)[0][0] if len(counts) > first_row else 0
    field_count, body = _choose_field_count(records, dialect.delimiter, names=names, first_row=first_row)
    if field_count < 2:
        return
    dialect = replace(
        dialect,
        has_header=header is not None,
        header_lines=_count_lines(records, first_row),
        field_count=field_count,
    )
    table = _make_table(sample, dialect, limit=limit, is_whole=is_whole)
    evenness = float(np.mean(body == field_count)) if len(body) else 1.0
    unnamed = max(0, field_count - len(names)) if names else 0
    yield Layout(dialect, name_columns(names, field_count), table, evenness, unnamed)
    if names and len(names) + 1 == usual:
        # R writes row names without naming their column: the names may belong one column further right.
        dialect = replace(dialect, field_count=usual)
        table = _make_table(sample, dialect, limit=limit, is_whole=is_whole)
        yield Layout(dialect, name_columns(["", *names], usual), table, float(np.mean(counts[first_row:] == usual)))


def name_columns(names: list[str], field_count: int) -> tuple[str, ...]:
    """Give every column a name: as written without blanks around, or by its number."""
    written = [name.replace("\0", "").strip() for name in names[:field_count]] + [""] * max(0, field_count - len(names))
    return tuple(name or f"column_{index + 1}" for index, name in enumerate(written))


def _make_table(sample: bytes, dialect: Dialect, *, limit: int, is_whole: bool) -> FieldTable:
    records = split_records(sample, dialect, limit=limit, header_lines=dialect.header_lines, is_end=is_whole)
    counts = count_whole_fields(records, delimiter=dialect.delimiter, field_count=dialect.field_count)
    good = (counts == dialect.field_count) & ~records.is_unclosed & ~has_nul(records)
    return split_fields(records, is_good=good, field_count=dialect.field_count)


def read_row(records: Records, index: int, dialect: Dialect) -> list[str]:
    """Read one record's fields as text."""
    start, end = int(records.starts[index]), int(records.ends[index])
    inside = records.separators[np.searchsorted(records.separators, start) : np.searchsorted(records.separators, end)]
    edges = [start - 1, *inside.tolist(), end]
    cells = [records.data[left + 1 : right].decode("utf-8", "replace") for left, right in pairwise(edges)]
    if dialect.has_spaces:
        cells = [cell.removeprefix(" ") if cell.startswith(" " + dialect.quote) else cell for cell in cells]
    return [undo_quotes(cell, dialect.quote) if cell.startswith(dialect.quote) else cell for cell in cells]


def _find_header(rows: list[list[str]], usual: int, has_header: bool | None) -> int | None:
    """Find the row that names the columns: the first that names roles and holds no data, else one unlike the rows below."""
    if has_header is False:
        return None
    for index, row in enumerate(rows):
        data_cells = sum(bool(DATA_CELL.match(cell)) for cell in row)
        if data_cells == 0 and len(row) > 1 and sum(_names_role(cell) for cell in row) >= 2:
            return index
        if data_cells >= 2 and len(row) == usual and has_header is None:
            break
    first = next((index for index, row in enumerate(rows) if len(row) == usual), 0)
    if has_header:
        return first
    below = rows[first + 1 : first + 2]
    has_data = any(DATA_CELL.match(cell) for row in below for cell in row)
    is_header = has_data and not any(DATA_CELL.match(cell) for cell in rows[first])
    return first if is_header else None


def _join_header_rows(rows: list[list[str]]) -> list[str]:
    """Join a header of two rows, of which the first spans cells of the second: `Origin,,Destination,` over `Lon,Lat,Lon,Lat`."""
    if len(rows) < 2 or len(rows[0]) != len(rows[1]):
        return []
    above, below = ([cell.strip() for cell in row] for row in rows)
    spans = any(under and not over for over, under in zip(above, below, strict=True))
    if not spans or any(DATA_CELL.match(cell) for cell in below) or sum(_names_role(cell) for cell in below) < 2:
        return []
    names, spanning = [], ""
    for over, under in zip(above, below, strict=True):
        spanning = over or (spanning if under else "")
        names.append(f"{spanning} {under}".strip())
    return names


def _names_role(cell: str) -> bool:
    meaning = read_name(cell)
    return len(cell) <= 60 and meaning.strangers <= 2 and meaning.is_plain


def _skip_preamble(counts: np.ndarray[tuple[int], np.dtype[np.int64]]) -> int:
    usual = Counter(counts.tolist()).most_common(1)[0][0]
    return int(np.argmax(counts == usual))


def _choose_field_count(
    records: Records, delimiter: str, *, names: Sequence[str], first_row: int
) -> tuple[int, np.ndarray[tuple[int], np.dtype[np.int64]]]:
    """Choose how many fields a record must have, and count those of each: as many as names, unless most rows hold more."""
    counts = count_fields(records, usual=0)[first_row:]
    named = len(names) - next((at for at, name in enumerate(reversed(names)) if name.strip()), len(names))
    if len(counts) == 0:
        return len(names), counts
    if named > 1:
        whole = count_whole_fields(records, delimiter=delimiter, field_count=named)[first_row:]
        if np.count_nonzero(whole == named) * 2 > len(whole):
            return named, whole
    usual, rows = Counter(counts.tolist()).most_common(1)[0]
    chosen = int(usual) if usual > len(names) and rows * 2 > len(counts) else len(names) or int(usual)
    return chosen, counts


def _count_lines(records: Records, row: int) -> int:
    """Count the physical lines before a record (all of them where the record is not there)."""
    if row < len(records):
        return int(records.lines[row]) - 1 if row else 0
    return int(np.searchsorted(records.line_starts, records.ends[-1], side="right")) + 1
