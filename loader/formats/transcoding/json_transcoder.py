"""JSON transcoder: the records of a JSON file as CSV, while the file arrives."""

import codecs
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final

from loader.formats.model.inner_table import InnerTable
from loader.formats.transcoding.csv_text import write_rows
from loader.formats.transcoding.json_reader import VALUE_LIMIT
from loader.formats.transcoding.json_rows import RowMaker, UnreadKeys
from loader.formats.transcoding.json_tables import decode_line, iterate_records
from shared.platform.errors import FileFormatError

# Rows that are written at once: 1,000 and 10,000 take the same time.
_ROWS: Final = 1_000


def transcode_json(chunks: Iterable[bytes], table: InnerTable, unread: UnreadKeys | None = None) -> Iterator[bytes]:
    """Yield the records of a table as CSV, a line each. Raises: FileFormatError for JSON that breaks off or is none."""
    rows = _make_rows(_decode(chunks, table.encoding), table, RowMaker(table.keys, unread))
    while page := list(islice(rows, _ROWS)):
        yield write_rows(page)


def _decode(chunks: Iterable[bytes], encoding: str) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    for chunk in chunks:
        yield decoder.decode(chunk)
    yield decoder.decode(b"", final=True)


def _make_rows(pieces: Iterator[str], table: InnerTable, maker: RowMaker) -> Iterator[list[str]]:
    if table.layout == "lines":
        yield from (_make_line(line, maker) for line in split_lines(pieces))
        return
    for number, record in enumerate(iterate_records(pieces, table), 1):
        try:
            yield maker.make(record) or [""]
        except RecursionError:
            raise FileFormatError(f"Record {number:,} of the JSON is nested too deep.", code="damaged_json") from None


def _make_line(line: str, maker: RowMaker) -> list[str]:
    """Make a row of a line: none of an empty one; of one that is no record a single field, which is rejected."""
    record = decode_line(line)
    if record is None:
        text = line.strip()
        return [text] if text else []
    try:
        return maker.make(record) or [line]
    except RecursionError:
        return [line]


def split_lines(pieces: Iterable[str]) -> Iterator[str]:
    """Split a text that comes in pieces into lines. Raises: FileFormatError for a line that does not end."""
    rest: list[str] = []
    size = 0
    for piece in pieces:
        first, *others = piece.split("\n")
        rest.append(first)
        size += len(first)
        if size > VALUE_LIMIT:
            raise FileFormatError(f"A line of the file has more than {VALUE_LIMIT // 2**20} MiB.", code="endless_record")
        if others:
            yield "".join(rest)
            yield from others[:-1]
            rest, size = [others[-1]], len(others[-1])
    if last := "".join(rest):
        yield last
