"""Preview of a large Parquet file: its end says what it holds, and the first pages of its columns hold the first rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Self

from loader.formats.containers.byte_ranges import ByteRanges, BytesMissingError, PartialFile
from loader.formats.model.batches import ParsedBatch
from loader.formats.model.options import LoadOptions
from loader.formats.model.plan import FilePlan
from loader.formats.parquet.batches import judge_table, list_fields, read_layout
from loader.formats.parquet.reader import RowRange, RowReader
from shared.platform.errors import RequestError

# Footer and first pages together are sent to the hub in one body of 8 MiB at most.
PREVIEW_BYTES = 8 * 2**20 - 2**16
PREVIEW_ROWS = 1000


@dataclass(frozen=True)
class FileParts(PartialFile):
    """Some parts of a file, offset and bytes of each; the first is its beginning. Units: size in bytes."""

    @classmethod
    def from_body(cls, body: bytes, ranges: Sequence[tuple[int, int]], *, size: int) -> Self:
        """Cut a body into parts, (offset, bytes) each. Raises: RequestError when they are not those of the body and the file."""
        if sum(length for _, length in ranges) != len(body) or any(at + length > size for at, length in ranges):
            raise RequestError("The parts don't add up to the body, or lie outside the file.", parameter="part")
        if not ranges or ranges[0][0] != 0:
            raise RequestError("The first part is the file's beginning.", parameter="part")
        cuts = pairwise(accumulate((length for _, length in ranges), initial=0))
        return cls(size, tuple((at, body[begin:end]) for (at, _), (begin, end) in zip(ranges, cuts, strict=True)))

    @property
    def beginning(self) -> bytes:
        """Return the first bytes."""
        return self.parts[0][1]


def list_wanted(plan: FilePlan) -> list[tuple[int, int]]:
    """Name the parts (offset, bytes) that hold the first rows of a file, as far as they fit into a preview."""
    layout = read_layout(plan.footer or "")
    filled = layout.list_filled()
    if not filled:
        return []
    left = PREVIEW_BYTES - layout.metadata.serialized_size
    needed = layout.groups[filled[0]].pick(layout.pick_leaves(list_fields(plan)))
    chunks = sorted(((chunk.offset, chunk.packed) for chunk in needed), key=lambda chunk: chunk[1])
    wanted = []
    for index, (at, size) in enumerate(chunks):
        share = min(size, max(left, 0) // (len(chunks) - index))
        left -= share
        wanted.append((at, share))
    return sorted(wanted)


def parse_preview(ranges: ByteRanges, plan: FilePlan, options: LoadOptions) -> ParsedBatch | None:
    """Parse the first rows; None where their bytes are not at hand. Raises: FileFormatError, as loading them would."""
    layout = read_layout(plan.footer or "")
    filled = layout.list_filled()
    if not filled:
        return None
    try:
        rows = RowReader(ranges, layout).read(RowRange(filled[0], 0, PREVIEW_ROWS, list_fields(plan)))
    except BytesMissingError:
        return None
    return judge_table(rows, plan, options)
