"""Byte reader: a cursor over a stream that comes in chunks. What follows the cursor is not copied."""

from collections.abc import Iterable, Iterator

from loader.formats.model.errors import truncated
from shared.platform.errors import FileFormatError

# Bytes given out at once: small enough that what a decompressor hands back behind the end of a member costs little.
PIECE_BYTES = 2**18


class ByteReader:
    """Bytes of a stream. position: how many were read. kind names the container in errors."""

    def __init__(self, chunks: Iterable[bytes], *, kind: str) -> None:
        self._chunks = iter(chunks)
        self._kind = kind
        self._view = memoryview(b"")
        self.position = 0

    def truncated(self) -> FileFormatError:
        """Make the error for a stream that ends too early."""
        return truncated(self._kind)

    def peek(self, size: int) -> memoryview:
        """Return the next bytes, fewer at the end of the stream, without reading them."""
        while len(self._view) < size and (chunk := next(self._chunks, None)) is not None:
            self._view = memoryview(bytes(self._view) + chunk) if len(self._view) else memoryview(chunk)
        return self._view[:size]

    def peek_piece(self, limit: int = PIECE_BYTES) -> memoryview:
        """Return the next bytes, as many as are at hand up to a limit; none at the end of the stream."""
        return self.peek(1) and self._view[:limit]

    def advance(self, size: int) -> None:
        """Move past bytes that were peeked at."""
        self._view = self._view[size:]
        self.position += size

    def read(self, size: int) -> bytes:
        """Read exactly so many bytes. Raises: FileFormatError where the stream ends before."""
        found = bytes(self.peek(size))
        if len(found) < size:
            raise self.truncated()
        self.advance(size)
        return found

    def read_pieces(self, size: int) -> Iterator[memoryview]:
        """Read exactly so many bytes, in pieces. Raises: FileFormatError where the stream ends before."""
        while size > 0:
            piece = self.peek_piece(min(size, PIECE_BYTES))
            if not piece:
                raise self.truncated()
            self.advance(len(piece))
            size -= len(piece)
            yield piece

    def read_rest(self) -> Iterator[bytes]:
        """Read to the end of the stream, in the chunks that it came in."""
        if len(self._view):
            rest, self._view = bytes(self._view), memoryview(b"")
            self.position += len(rest)
            yield rest
        for chunk in self._chunks:
            self.position += len(chunk)
            yield chunk
