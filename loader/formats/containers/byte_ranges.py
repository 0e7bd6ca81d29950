"""Byte ranges: a file of which any part may be read, wherever it lies: in memory, in some parts, in an object store.

file = pq.ParquetFile(RangedFile(WholeFile(data)))
"""

import io
from dataclasses import dataclass
from typing import Protocol


class BytesMissingError(Exception):
    """Bytes were requested that are not available. Units: offset and length in bytes."""

    def __init__(self, offset: int, length: int) -> None:
        super().__init__(f"Bytes {offset} to {offset + length} are not at hand.")
        self.offset, self.length = offset, length


class ByteRanges(Protocol):
    """A file that can be read in part."""

    @property
    def size(self) -> int:
        """Return the file's length in bytes."""
        ...

    @property
    def is_whole(self) -> bool:
        """Return whether every byte can be read."""
        ...

    def read(self, offset: int, length: int) -> bytes:
        """Return bytes from an offset on, at most length of them and at least one.

        Raises: BytesMissingError where none are at hand; TransientError when a store is away.
        """
        ...


@dataclass(frozen=True)
class WholeFile:
    """A file in memory."""

    data: bytes
    is_whole = True

    @property
    def size(self) -> int:
        """Return the file's length in bytes."""
        return len(self.data)

    def read(self, offset: int, length: int) -> bytes:
        """Return bytes from an offset on. Raises: BytesMissingError beyond the end."""
        found = self.data[offset : offset + length]
        if length and not found:
            raise BytesMissingError(offset, length)
        return found


@dataclass(frozen=True)
class PartialFile:
    """Some parts of a file, (offset, bytes) each."""

    size: int
    parts: tuple[tuple[int, bytes], ...]
    is_whole = False

    def read(self, offset: int, length: int) -> bytes:
        """Return bytes of one part, to its end at most. Raises: BytesMissingError."""
        for start, data in self.parts:
            if start <= offset < start + len(data):
                return data[offset - start : offset - start + length]
        raise BytesMissingError(offset, length)


class RangedFile(io.RawIOBase):
    """A Python file over byte ranges."""

    def __init__(self, ranges: ByteRanges) -> None:
        super().__init__()
        self._ranges, self._at = ranges, 0

    def readable(self) -> bool:
        """Return that it can be read."""
        return True

    def seekable(self) -> bool:
        """Return that its position can be set."""
        return True

    def tell(self) -> int:
        """Return the position."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Set the position. Raises: OSError for one before the beginning, as files do."""
        at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._ranges.size}[whence]
        if at < 0:
            raise OSError("negative seek")
        self._at = at
        return at

    def read(self, size: int = -1) -> bytes:
        """Read from the position on, as much as is in one piece. Raises: as ByteRanges.read."""
        left = self._ranges.size - self._at
        size = left if size is None or size < 0 else min(size, left)
        if size <= 0:
            return b""
        found = self._ranges.read(self._at, size)
        self._at += len(found)
        return found
