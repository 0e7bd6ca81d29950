"""Batch splitter: cuts a stream of bytes into batches on record boundaries.

    splitter = BatchSplitter(plan, batch_bytes=16 * 2**20)
    for piece, data in splitter.split(chunks):     # chunks of the object as it is stored
        ...                                      # data: joined, what parse_batch wants; None where plan.is_seekable, unless
                                                 # gives_data
    plan = splitter.plan                          # with what only the whole file could settle, such as the order of day and month

Or step by step over an unpacked stream: feed(chunk), finish(). Slices cover the stream without gap or overlap, and each ends
at the last record boundary within batch_bytes, whatever the chunks were.

Memory: a window, one record where that is longer, and one batch where `data` is given, as parts of the chunks it came in.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from loader.formats.containers.archived_parquet import read_packed_parquet
from loader.formats.containers.byte_ranges import WholeFile
from loader.formats.containers.byte_reader import ByteReader
from loader.formats.delimited.boundaries import Boundaries, PlainLines, find_boundaries
from loader.formats.delimited.whole_file_evidence import WholeFileEvidence
from loader.formats.member_check import begins_with_header
from loader.formats.model.batches import BatchSlice
from loader.formats.model.options import LoadOptions
from loader.formats.model.places import PlaceLookup
from loader.formats.model.plan import FilePlan
from loader.formats.parquet.batches import list_slices
from loader.formats.parquet.detector import detect_parquet
from loader.formats.streams import Members, open_members
from loader.formats.text.records import split_records
from loader.formats.transcoding import UnreadKeys
from shared.platform.errors import FileFormatError

# Small enough for the processor's cache and for memory that is used again: 2.5 times faster than 16 MiB at once.
WINDOW_BYTES = 2**18
# A record this long is no row of any table: a quote never closed, or binary data. Far above every limit on good records.
SCAN_LIMIT_BYTES = 32 * 2**20


Data = Sequence[memoryview]


class BatchSplitter:
    """Cut a stream into slices of about batch_bytes that end on record boundaries.

    places: the load's place set, for a file whose plan only the whole file can give.
    """

    def __init__(
        self, plan: FilePlan, *, batch_bytes: int = 16 * 2**20, gives_data: bool = False, places: PlaceLookup | None = None
    ) -> None:
        self.plan = plan
        self._places = places
        self._gives_data = gives_data or not plan.is_seekable
        self._batch_bytes = batch_bytes
        self._scan_limit = max(SCAN_LIMIT_BYTES, 2 * plan.record_limit_bytes)
        self._evidence = WholeFileEvidence(plan)
        self._has_data = self._gives_data or self._evidence.needs_records
        self._next = BatchSlice(batch_no=0, offset=0, bytes=0, lines_before=0, records_before=0, is_first=True)
        self._kept: list[memoryview] = []
        self._start_member()

    @property
    def settled_plan(self) -> FilePlan | None:
        """How everything given so far is read, whatever follows; None while what follows may change that."""
        return self._evidence.settle() if self._evidence.is_settled else None

    def split(self, chunks: Iterable[bytes], *, members: Members = None) -> Iterator[tuple[BatchSlice, Data | None]]:
        """Cut a stored object, compressed or not; yield each slice, with its bytes if gives_data or if ranges cannot give them.

        members: the directory of a zip file. Without it the local headers count, and one that differs from them is refused.
        Raises: FileFormatError for damaged archives, endless records, and what the whole file leaves open.
        """
        if self.plan.kind == "parquet":
            yield from self._scan_parquet(chunks, members)
            return
        unread = UnreadKeys()
        first: str | None = None
        for member, stream in open_members(chunks, self.plan, members=members, unread=unread):
            reader = ByteReader(stream, kind="file")
            is_first = self._next.batch_no == 0 or begins_with_header(reader, self.plan, member, first=first)
            first = first or member
            self._next = replace(self._next, member=member, is_first=is_first, lines_before=0)
            self._start_member()
            for chunk in reader.read_rest():
                yield from self._take(chunk)
            yield from self._take_rest()
        plan = self._evidence.settle()
        self.plan = replace(plan, notes=(*plan.notes, *unread.describe()))

    def _scan_parquet(self, chunks: Iterable[bytes], members: Members) -> Iterator[tuple[BatchSlice, Data | None]]:
        """Name the slices of a Parquet file; give the bytes of those inside an archive."""
        if self.plan.compression == "none":
            deque(chunks, maxlen=0)  # who reads them counts and hashes them
            yield from ((piece, None) for piece in list_slices(self.plan))
            return
        packed = read_packed_parquet(chunks, self.plan.compression, members=members, member=self.plan.member)
        if not self.plan.footer:
            options = replace(LoadOptions.from_json(self.plan.options or {}), place_lookup=self._places)
            self.plan = detect_parquet(WholeFile(packed), self.plan, options)
        view = memoryview(packed)
        for piece in list_slices(self.plan):
            yield piece, [view[piece.offset : piece.offset + piece.bytes]]

    def feed(self, chunk: bytes) -> Iterator[BatchSlice]:
        """Take the next bytes of the stream; yield the slices that are complete. Raises: FileFormatError for endless records."""
        for piece, _ in self._take(chunk):
            yield piece

    def finish(self) -> Iterator[BatchSlice]:
        """Yield the last slice. Raises: FileFormatError if the whole file leaves the order of day and month open."""
        for piece, _ in self._take_rest():
            yield piece
        self.plan = self._evidence.settle()

    def _start_member(self) -> None:
        # Of the batch at hand: bytes, lines and records up to the last boundary.
        self._bytes = self._lines = self._records = 0
        self._keep(b"")

    def _keep(self, rest: memoryview | bytes, *, wanted: int = 0) -> None:
        """Keep what follows the last boundary: the beginning of a record."""
        self._parts: list[bytes | memoryview] = [bytes(rest)]
        self._pending = len(rest)
        self._wanted = wanted

    def _take(self, chunk: bytes) -> Iterator[tuple[BatchSlice, Data | None]]:
        self._evidence.observe_letters(chunk)
        view = memoryview(chunk)  # slices of it are no copies
        at = 0
        while at < len(view):
            window = view[at : at + WINDOW_BYTES]
            at += len(window)
            if self._pending:
                self._parts.append(window)
                self._pending += len(window)
                if self._pending < self._wanted:
                    continue
                window = memoryview(b"".join(self._parts))
            found = find_boundaries(window, self.plan, header_lines=self._header_lines())
            end = found.end
            if (found.longest if end else len(window)) > self._scan_limit:
                raise self._endless()
            if end == 0:
                # Wait for twice as many bytes, so that a long record is split a few times only.
                self._keep(window, wanted=min(2 * len(window), self._scan_limit + 1))
                continue
            rest = window[end:]
            if at < len(view) and len(rest) < min(at, WINDOW_BYTES):
                at -= len(rest)  # read again with the next window, instead of copied in front of it
                rest = rest[:0]
            self._keep(rest)
            yield from self._advance(window[:end], found)

    def _take_rest(self) -> Iterator[tuple[BatchSlice, Data | None]]:
        rest = b"".join(self._parts)
        self._keep(b"")
        if rest:
            plan = self.plan
            records = split_records(rest, plan.dialect, limit=plan.record_limit_bytes, header_lines=self._header_lines())
            self._grow(memoryview(rest), lines=len(records.line_starts) + (rest[-1:] not in b"\r\n"), records=len(records))
        if self._bytes:
            yield self._emit()

    def _advance(self, window: memoryview, found: PlainLines | Boundaries) -> Iterator[tuple[BatchSlice, Data | None]]:
        """Add a window's whole records to the batch, and cut it as often as it gets too long."""
        done = 0
        while (cut := found.last_within(self._batch_bytes - self._bytes + done)) < len(window):
            if cut <= done and self._bytes == 0:
                cut = found.first_after(done)  # one record longer than a batch
            if cut > done:
                self._grow(window[done:cut], **found.between(done, cut))
                done = cut
            yield self._emit()
        if done < len(window):
            self._grow(window[done:], **found.between(done, len(window)))

    def _grow(self, data: memoryview, *, lines: int, records: int) -> None:
        self._bytes += len(data)
        self._lines += lines
        self._records += records
        if self._has_data:
            self._kept.append(data)

    def _emit(self) -> tuple[BatchSlice, Data | None]:
        piece = replace(self._next, bytes=self._bytes)
        data, self._kept = self._kept, []
        if self._evidence.needs_records:
            self._evidence.observe_records(b"".join(data), header_lines=self.plan.dialect.header_lines if piece.is_first else 0)
        self._next = replace(
            piece,
            batch_no=piece.batch_no + 1,
            offset=piece.offset + self._bytes,
            bytes=0,
            lines_before=piece.lines_before + self._lines,
            records_before=piece.records_before + self._records,
            is_first=False,
        )
        self._bytes = self._lines = self._records = 0
        return piece, data if self._gives_data else None

    def _header_lines(self) -> int:
        return self.plan.dialect.header_lines if self._next.is_first and self._bytes == 0 else 0

    def _endless(self) -> FileFormatError:
        line = self._next.lines_before + self._lines + 1
        return FileFormatError(
            f"Line {line:,} begins a record of more than {self._scan_limit // 2**20} MiB: "
            "a quote is never closed there, or this is not a table of trips.",
            code="endless_record",
            line=line,
        )
