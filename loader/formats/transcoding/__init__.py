"""Transcoding: tables inside JSON files and workbooks, as the CSV that everything behind them reads.

    for sample in list_samples(unpacked, encoding=None, is_whole=False): ...    # what the first bytes show
    for chunk in transcode(chunks, table): ...    # the whole file as UTF-8 CSV, the same each time

The CSV has one physical line per record, so that a line number counts what the file counts: lines of NDJSON, elements of a JSON
array, rows of a sheet. Line breaks inside a value become spaces.
"""

from collections.abc import Iterable, Iterator

from loader.formats.model.inner_table import InnerTable
from loader.formats.transcoding.json_rows import UnreadKeys
from loader.formats.transcoding.json_transcoder import transcode_json
from loader.formats.transcoding.samples import TableSample, is_inner, list_samples
from loader.formats.transcoding.workbook import looks_like_workbook, transcode_sheet
from loader.formats.transcoding.workbook_limits import join_workbook

__all__ = ["TableSample", "UnreadKeys", "is_inner", "join_workbook", "list_samples", "looks_like_workbook", "transcode"]


def transcode(chunks: Iterable[bytes], table: InnerTable, unread: UnreadKeys | None = None) -> Iterator[bytes]:
    """Yield a table inside a file as CSV. chunks: the file, unpacked; unread: counts keys of JSON. Raises: FileFormatError."""
    if table.format == "json":
        yield from transcode_json(chunks, table, unread)
    else:
        yield from transcode_sheet(join_workbook(chunks), table)
