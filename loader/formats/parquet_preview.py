"""Preview of a large Parquet file: its end says what it holds, and the first pages of its columns hold the first rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Self

import pyarrow as pa
import pyarrow.parquet as pq

from loader.formats.parquet import Places, judge_table, list_chunks, list_names, read_metadata
from loader.formats.plan import FilePlan, LoadOptions, ParsedBatch
from shared.errors import FileFormatError, RequestError

# Footer and first pages together are sent to the hub in one body of 8 MiB at most.
PREVIEW_BYTES = 8 * 2**20 - 2**16
PREVIEW_ROWS = 1000
_BUFFER_BYTES = 2**16


@dataclass(frozen=True)
class FileParts:
    """Some parts of a file, offset and bytes of each; the first is its beginning. Units: size in bytes."""

    size: int
    parts: tuple[tuple[int, bytes], ...]

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
        """Give the first bytes."""
        return self.parts[0][1]

    @property
    def end(self) -> bytes:
        """Give the last bytes; none where no part reaches the end."""
        return next((data for at, data in self.parts if at + len(data) == self.size), b"")


def list_wanted(plan: FilePlan) -> list[tuple[int, int]]:
    """Name the parts (offset, bytes) that hold the first rows of a file, as far as they fit into a preview."""
    metadata = read_metadata(plan.footer or "")
    if metadata.num_row_groups == 0:
        return []
    left = PREVIEW_BYTES - metadata.serialized_size
    chunks = sorted(list_chunks(metadata.row_group(0), plan), key=lambda chunk: chunk[1])
    wanted = []
    for index, (at, size) in enumerate(chunks):
        share = min(size, max(left, 0) // (len(chunks) - index))
        left -= share
        wanted.append((at, share))
    return sorted(wanted)


def parse_preview(parts: FileParts, plan: FilePlan, options: LoadOptions) -> ParsedBatch | None:
    """Parse the first rows; None where the parts don't hold them."""
    names = list_names(plan)
    try:
        file = pq.ParquetFile(
            Places(parts.size, list(parts.parts)),
            metadata=read_metadata(plan.footer or ""),
            buffer_size=_BUFFER_BYTES,  # without it, whole columns are asked for
            pre_buffer=False,
        )
        rows = next(file.iter_batches(batch_size=PREVIEW_ROWS, row_groups=[0], columns=names))
    except (pa.ArrowException, OSError, FileFormatError):
        return None
    return judge_table(pa.Table.from_batches([rows]), plan, options)
