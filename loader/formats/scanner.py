"""Scanner: cut a stream of bytes into batches on record boundaries.

    scanner = BatchScanner(plan, batch_bytes=16 * 2**20)
    for piece, data in scanner.scan(chunks):     # chunks of the object as it is stored; data: the batch as parse_batch wants it
        ...
    plan = scanner.plan                          # with what only the whole file could settle, such as the order of day and month

Or step by step over an uncompressed stream: feed(chunk), finish().

Slices cover the stream without gap or overlap. Memory: one batch and one chunk, or one record where that is longer.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from loader.formats.dialect import name_columns, read_row
from loader.formats.evidence import Evidence
from loader.formats.plan import BatchSlice, FilePlan
from loader.formats.records import CR, LF, SPACE, TAB, split_records
from loader.formats.streams import open_members
from shared.errors import FileFormatError

# A record this long is no row of any table: a quote never closed, or binary data. Far above every limit on good records.
SCAN_LIMIT_BYTES = 64 * 2**20


@dataclass(frozen=True)
class Cut:
    """End of a slice within the data at hand, and what lies before it."""

    end: int
    lines: int
    records: int


class BatchScanner:
    """Cut a stream into slices of about batch_bytes that end on record boundaries."""

    def __init__(self, plan: FilePlan, *, batch_bytes: int = 16 * 2**20) -> None:
        self.plan = plan
        self._batch_bytes = min(batch_bytes, SCAN_LIMIT_BYTES)
        self._wanted = self._batch_bytes
        self._parts: list[bytes] = []
        self._pending = 0
        self._next = BatchSlice(batch_no=0, offset=0, bytes=0, lines_before=0, records_before=0, is_first=True)
        self._evidence = Evidence(plan)

    def scan(self, chunks: Iterable[bytes]) -> Iterator[tuple[BatchSlice, bytes]]:
        """Cut a stored object, compressed or not; give each slice with its bytes.

        Raises: FileFormatError for damaged archives, endless records, and what the whole file leaves open.
        """
        for member, stream in open_members(chunks, self.plan):
            self._next = replace(self._next, member=member, is_first=True, lines_before=0)
            for chunk in stream:
                yield from self._take(chunk)
            yield from self._take_rest()
        self.plan = self._evidence.settle()

    def feed(self, chunk: bytes) -> Iterator[BatchSlice]:
        """Take the next bytes of the stream; give the slices that are complete.

        Raises: FileFormatError if a record has no end.
        """
        for piece, _ in self._take(chunk):
            yield piece

    def finish(self) -> Iterator[BatchSlice]:
        """Give the last slice. Raises: FileFormatError if the whole file leaves the order of day and month open."""
        for piece, _ in self._take_rest():
            yield piece
        self.plan = self._evidence.settle()

    def _take(self, chunk: bytes) -> Iterator[tuple[BatchSlice, bytes]]:
        self._parts.append(chunk)
        self._pending += len(chunk)
        if self._pending < self._wanted:
            return
        data, begin = b"".join(self._parts), 0
        while len(data) - begin >= self._wanted:
            cut = self._cut(data, begin)
            if cut is None:
                self._wanted = min((len(data) - begin) * 2, SCAN_LIMIT_BYTES + 1)
                break
            yield self._emit(data[begin : begin + cut.end], cut)
            begin += cut.end
            self._wanted = self._batch_bytes
        self._parts, self._pending = [data[begin:]], len(data) - begin

    def _take_rest(self) -> Iterator[tuple[BatchSlice, bytes]]:
        data = b"".join(self._parts)
        self._parts, self._pending = [], 0
        if data:
            records = split_records(
                data, self.plan.dialect, limit=self.plan.record_limit_bytes, header_lines=self._header_lines()
            )
            lines = len(records.line_starts) + (data[-1] not in (LF, CR))
            yield self._emit(data, Cut(len(data), lines, len(records)))

    def _header_lines(self) -> int:
        return self.plan.dialect.header_lines if self._next.is_first else 0

    def _emit(self, data: bytes, cut: Cut) -> tuple[BatchSlice, bytes]:
        piece = replace(self._next, bytes=cut.end)
        if piece.is_first and piece.batch_no > 0:
            check_member(data, self.plan, piece)
        self._evidence.observe(data, header_lines=self._header_lines())
        self._next = replace(
            piece,
            batch_no=piece.batch_no + 1,
            offset=piece.offset + cut.end,
            bytes=0,
            lines_before=piece.lines_before + cut.lines,
            records_before=piece.records_before + cut.records,
            is_first=False,
        )
        return piece, data

    def _cut(self, data: bytes, begin: int) -> Cut | None:
        """Find the last boundary within batch_bytes, or the first one after it."""
        target = min(begin + self._batch_bytes, len(data))
        if not self._next.is_first and data.find(self.plan.dialect.quote.encode(), begin, target) < 0:
            cut = _cut_plain(data, begin, target)
            if cut is not None:
                return cut
        cut = self._cut_exact(data[begin:target])
        if cut is None and target < len(data):
            cut = self._cut_exact(data[begin:], is_first_wanted=True)
        longest = cut.end if cut else len(data) - begin
        if longest > SCAN_LIMIT_BYTES:
            raise FileFormatError(
                f"Line {self._next.lines_before + 1:,} begins a record of more than {SCAN_LIMIT_BYTES // 2**20} MiB: "
                "a quote is never closed there, or this is not a table of trips.",
                code="endless_record",
                line=self._next.lines_before + 1,
            )
        return cut

    def _cut_exact(self, data: bytes, *, is_first_wanted: bool = False) -> Cut | None:
        records = split_records(
            data,
            self.plan.dialect,
            limit=self.plan.record_limit_bytes,
            header_lines=self._header_lines(),
            is_end=False,
        )
        if len(records.boundaries) == 0:
            return None
        end = int(records.boundaries[0 if is_first_wanted else -1])
        lines = int(np.searchsorted(records.line_starts, end, side="right"))
        return Cut(end, lines, int(np.searchsorted(records.starts, end)))


def _cut_plain(data: bytes, begin: int, target: int) -> Cut | None:
    """Cut where there is no quote, no blank line and no lone CR; None where there may be."""
    end = data.rfind(b"\n", begin, target) + 1
    if end == 0:
        return None
    window = np.frombuffer(data, np.uint8, count=end - begin, offset=begin)
    feeds = np.flatnonzero(window == LF)
    has_returns = data.find(b"\r", begin, end) >= 0
    if has_returns and np.count_nonzero(window == CR) != np.count_nonzero(window[feeds - 1] == CR):
        return None
    shortest = 2 if has_returns else 1
    if feeds[0] < shortest or (len(feeds) > 1 and int(np.diff(feeds).min()) <= shortest):
        return None
    heads = window[np.append(0, feeds[:-1] + 1)]
    if np.any((heads == SPACE) | (heads == TAB)):
        return None
    return Cut(end - begin, len(feeds), len(feeds))


def check_member(data: bytes, plan: FilePlan, piece: BatchSlice) -> None:
    """Raise: FileFormatError if a further member of an archive has other columns than the first."""
    if not plan.dialect.has_header:
        return
    head = b"\n".join(data.splitlines()[: plan.dialect.header_lines])
    rows = split_records(head, plan.dialect, limit=plan.record_limit_bytes)
    names = name_columns(read_row(rows, len(rows) - 1, plan.dialect), plan.dialect.field_count) if len(rows) else ()
    if [name.casefold() for name in names] != [name.casefold() for name in plan.columns]:
        raise FileFormatError(
            f"{piece.member} in the archive has other columns than the file before it. Pack only files with the same columns.",
            code="members_differ",
            member=piece.member,
        )
