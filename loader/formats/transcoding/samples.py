"""Samples: the tables inside the first bytes of a JSON file or a workbook, as CSV."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from loader.formats.model.inner_table import InnerTable
from loader.formats.text.encoding import detect_encoding
from loader.formats.transcoding.csv_text import write_rows
from loader.formats.transcoding.json_rows import RowMaker, list_keys
from loader.formats.transcoding.json_tables import find_json_tables, looks_like_json
from loader.formats.transcoding.workbook import find_sheets, looks_like_workbook
from shared.platform.errors import FileFormatError

# Bytes that tell JSON from other text.
_BEGINNING: Final = 2**14


@dataclass(frozen=True)
class TableSample:
    """A table's first records as CSV. table: None of a file that is text itself. is_whole: there are no others."""

    text: bytes
    is_whole: bool
    table: InnerTable | None = None


def is_inner(sample: bytes) -> bool:
    """Return whether a file holds tables of another format than CSV, by its first unpacked bytes."""
    return looks_like_workbook(sample) or detect_json(sample) is not None


def detect_json(sample: bytes) -> str | None:
    """Return the encoding of a JSON file; None where it is none."""
    head = sample[:_BEGINNING]
    encoding = json.detect_encoding(head[:4]) if len(head) >= 4 else "utf-8"
    if not looks_like_json(head.decode(encoding, "replace")):
        return None
    if not encoding.startswith("utf-8"):
        return encoding
    return detect_encoding(sample, is_whole=False)


def list_samples(sample: bytes, *, encoding: str | None, is_whole: bool) -> list[TableSample]:
    """List the tables inside a file's first bytes, unpacked; none of a workbook of which a part is missing.

    Raises: FileFormatError for a file that is damaged or holds no table.
    """
    if looks_like_workbook(sample):
        return _list_sheets(sample) if is_whole else []
    encoding = encoding or detect_json(sample) or "utf-8"
    text = sample.decode(encoding, "replace")
    found = find_json_tables(text, encoding=encoding, is_whole=is_whole)
    names = [one.table.name for one in found]
    return [
        _make_sample(
            replace(one.table, others=tuple(name for name in names if name != one.table.name)), one.records, one.is_whole
        )
        for one in found
    ]


def _list_sheets(data: bytes) -> list[TableSample]:
    found = [TableSample(text, is_all, table) for table, text, is_all in find_sheets(data)]
    if not found:
        raise FileFormatError("The workbook has no sheet with cells.", code="empty_file")
    return found


def _make_sample(table: InnerTable, records: Sequence[Any], is_whole: bool) -> TableSample:
    try:
        table = replace(table, keys=tuple(list_keys(records)))
        rows = list(_make_rows(records, table))
    except RecursionError:
        raise FileFormatError("The JSON is nested too deep.", code="damaged_json") from None
    return TableSample(write_rows(rows), is_whole, table)


def _make_rows(records: Sequence[Any], table: InnerTable) -> Iterator[list[str]]:
    maker = RowMaker(table.keys)
    for record in records:
        yield maker.make(record) or [""]
